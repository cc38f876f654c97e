/* Claims about sink: each format of findings on a stream, and that hostile text is inert in every one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "facts.h"
#include "weir/sink.h"

static struct facts x;
static struct buffer finding;
static char *shown;
static size_t shown_n;

static int fresh(void **state)
{
    (void)state;
    facts_init(&x);
    buffer_init(&finding, 16u << 20);
    shown = NULL;
    return 0;
}

static int done(void **state)
{
    (void)state;
    buffer_fini(&finding);
    free(shown);
    return 0;
}

static struct slice encoded(void)
{
    buffer_clear(&finding);
    assert_int_equal(finding_encode(&x.f, 1, &finding), WEIR_OK);
    return (struct slice){finding.p, finding.n};
}

/* The text of n copies of the finding in that format. */
static const char *show(enum sink_format format, struct sink_style style, size_t n)
{
    struct fault fault;
    free(shown);
    FILE *f = open_memstream(&shown, &shown_n);
    assert_non_null(f);
    struct sink *s = sink_new(f, format, style);
    assert_non_null(s);
    for (size_t i = 0; i < n; i++) assert_int_equal(sink_add(s, encoded(), &fault), WEIR_OK);
    assert_int_equal(sink_close(s, &fault), WEIR_OK);
    fclose(f);
    return shown;
}

static size_t lines_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

static size_t widest(const char *text)
{
    size_t most = 0;
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n > most) most = n;
        text += n + (text[n] == '\n');
    }
    return most;
}

static void has(const char *part)
{
    if (!strstr(shown, part)) fail_msg("'%s' is not in:\n%s", part, shown);
}

static void every_format_has_a_word(void **state)
{
    (void)state;
    enum sink_format f;
    assert_int_equal(sink_format_parse(SLICE_LIT("ocsf"), &f), WEIR_OK);
    assert_int_equal(f, SINK_OCSF);
    assert_int_equal(sink_format_parse(SLICE_LIT("table"), &f), WEIR_OK);
    assert_int_equal(f, SINK_TABLE);
    assert_int_equal(sink_format_parse(SLICE_LIT("xml"), &f), WEIR_USAGE);
}

static void the_table_tells_a_finding_in_a_row_a_sentence_and_a_command(void **state)
{
    (void)state;
    assert_string_equal(show(SINK_TABLE, (struct sink_style){.width = 80}, 1),
                        "SEVERITY  SINCE (UTC)       HOST                 BYTES  PEER\n"
                        "CRITICAL  2026-03-02 09:10  10.0.1.10          41.1 GB  200.160.0.8 BR\n"
                        "    10.0.1.10 sent 41.1 GB in 90 min to 200.160.0.8 (BR, first seen today); in 9\n"
                        "    days its largest day to new destinations was 3 MB; a host like this reaches\n"
                        "    that once in 2,000,000 days\n"
                        "    weir explain wf1-67f2b47cb8d8\n");
}

static void the_hint_names_the_store_as_a_word_of_the_shell_and_is_never_wrapped(void **state)
{
    (void)state;
    show(SINK_TABLE, (struct sink_style){.width = 40, .store = "sqlite:/srv/a/folder/with/a/long/name/weir.db"}, 1);
    has("\n    weir explain --store sqlite:/srv/a/folder/with/a/long/name/weir.db wf1-67f2b47cb8d8\n");
    show(SINK_TABLE, (struct sink_style){.store = "sqlite:it's $HOME.db"}, 1);
    has("\n    weir explain --store 'sqlite:it'\\''s $HOME.db' wf1-67f2b47cb8d8\n");
}

static void csv_has_the_severity_as_number_and_word(void **state)
{
    (void)state;
    show(SINK_CSV, (struct sink_style){0}, 1);
    has("\"uid\",\"severity_id\",\"severity\",");
    has("\",5,\"critical\",");
}

static void the_table_fits_into_its_width(void **state)
{
    (void)state;
    x.f.host = facts_ip("2001:db8:1111:2222:3333:4444:5555:6666");
    x.peer[0].peer = facts_ip("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff");
    assert_true(widest(show(SINK_TABLE, (struct sink_style){.width = 80}, 2)) <= 80);
    assert_true(widest(show(SINK_TABLE, (struct sink_style){.width = 120}, 2)) <= 120);
}

static void the_table_is_not_wrapped_without_a_width(void **state)
{
    (void)state;
    assert_int_equal(lines_of(show(SINK_TABLE, (struct sink_style){0}, 1)), 4);
}

static void the_table_counts_further_peers(void **state)
{
    (void)state;
    x.f.peers = 3;
    x.f.peers_more = 4;
    x.f.bytes_more = 500000000;
    show(SINK_TABLE, (struct sink_style){0}, 1);
    has("200.160.0.8 BR +6\n");
    x.f.bytes_more = 1000; /* crumbs */
    show(SINK_TABLE, (struct sink_style){0}, 1);
    has("200.160.0.8 BR +2\n");
}

static void colour_is_only_an_extra(void **state)
{
    (void)state;
    show(SINK_TABLE, (struct sink_style){.colour = true, .width = 80}, 1);
    has("\033[1;31mCRITICAL\033[0m  2026-03-02");
}

static void an_empty_set_is_said_or_valid_in_each_format(void **state)
{
    (void)state;
    assert_string_equal(show(SINK_TABLE, (struct sink_style){0}, 0), "no findings\n");
    assert_string_equal(show(SINK_JSON, (struct sink_style){0}, 0), "[]\n");
    assert_string_equal(show(SINK_NDJSON, (struct sink_style){0}, 0), "");
    assert_int_equal(lines_of(show(SINK_CSV, (struct sink_style){0}, 0)), 1);
}

static void ndjson_and_ocsf_are_the_stored_bytes_a_line_each(void **state)
{
    (void)state;
    show(SINK_NDJSON, (struct sink_style){0}, 2);
    assert_int_equal(shown_n, 2 * (finding.n + 1));
    assert_memory_equal(shown, finding.p, finding.n);
    show(SINK_OCSF, (struct sink_style){0}, 1);
    assert_memory_equal(shown, finding.p, finding.n);
}

static void json_is_one_array(void **state)
{
    (void)state;
    json_t *doc = json_loads(show(SINK_JSON, (struct sink_style){0}, 3), 0, NULL);
    assert_int_equal(json_array_size(doc), 3);
    json_decref(doc);
}

static void pretty_json_is_the_same_document_over_many_lines(void **state)
{
    (void)state;
    x.f.peers_more = 1;
    json_t *plain = json_loads(show(SINK_JSON, (struct sink_style){0}, 1), 0, NULL);
    json_t *pretty = json_loads(show(SINK_JSON, (struct sink_style){.pretty = true}, 1), 0, NULL);
    assert_true(lines_of(shown) > 100);
    has("\n  \"class_uid\": 2004,\n");
    assert_true(json_equal(plain, pretty));
    json_decref(plain);
    json_decref(pretty);
}

static void csv_has_a_row_for_each_peer_and_as_many_cells_as_titles(void **state)
{
    (void)state;
    x.f.peers = 3;
    assert_int_equal(lines_of(show(SINK_CSV, (struct sink_style){0}, 1)), 4);
    const char *row = shown;
    for (int line = 0; line < 4; line++) {
        size_t cells = 1;
        bool quoted = false;
        for (; *row != '\n'; row++) {
            quoted ^= *row == '"';
            cells += *row == ',' && !quoted;
        }
        row++;
        assert_int_equal(cells, 29);
    }
}

static void csv_numbers_are_bare_and_texts_quoted(void **state)
{
    (void)state;
    show(SINK_CSV, (struct sink_style){0}, 1);
    has("\"200.160.0.8\",443,,6,\"BR\",,\"\",41095890520,30000000,7,5000000,\"2026-03-02T09:10:00Z\"");
}

static void csv_tells_a_finding_without_peers_too(void **state)
{
    (void)state;
    x.f.peers = 0;
    assert_int_equal(lines_of(show(SINK_CSV, (struct sink_style){0}, 1)), 2);
}

static void what_is_no_finding_is_refused_and_nothing_written(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{", "[]", "1", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}", "null"};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        struct fault fault = {0};
        free(shown);
        FILE *f = open_memstream(&shown, &shown_n);
        struct sink *s = sink_new(f, SINK_NDJSON, (struct sink_style){0});
        assert_int_equal(sink_add(s, slice_of(bad[i]), &fault), WEIR_CORRUPT);
        assert_true(fault.text[0]);
        assert_int_equal(sink_close(s, &fault), WEIR_OK);
        fclose(f);
        assert_int_equal(shown_n, 0);
    }
}

static void a_finding_of_wrong_types_is_shown_as_empty(void **state)
{
    (void)state;
    static const char odd[] = "{\"finding_info\":[],\"evidences\":{\"a\":1},\"severity_id\":-7,\"start_time\":\"x\",\"resources\":[7],\"message\":{},"
                              "\"unmapped\":{\"weir\":{\"days\":[1,{\"hours\":\"x\",\"parts\":[null]}],\"history\":[{},\"a\",1e300,-5]}}}";
    for (int format = SINK_TABLE; format <= SINK_OCSF; format++) {
        struct fault fault;
        free(shown);
        FILE *f = open_memstream(&shown, &shown_n);
        struct sink *s = sink_new(f, (enum sink_format)format, (struct sink_style){.width = 80});
        assert_int_equal(sink_add(s, slice_of(odd), &fault), WEIR_OK);
        assert_int_equal(sink_close(s, &fault), WEIR_OK);
        assert_int_equal(sink_explain(f, slice_of(odd), (struct sink_style){.width = 80}, true, NULL, NULL, &fault), WEIR_OK);
        fclose(f);
    }
}

static void a_full_stream_is_an_io_error(void **state)
{
    (void)state;
    struct fault fault;
    FILE *f = fopen("/dev/full", "w");
    assert_non_null(f);
    struct sink *s = sink_new(f, SINK_TABLE, (struct sink_style){0});
    assert_int_equal(sink_add(s, encoded(), &fault), WEIR_OK);
    assert_int_equal(sink_close(s, &fault), WEIR_IO);
    assert_string_equal(fault.text, "cannot write findings: No space left on device");
    fclose(f);
}

static void a_full_stream_keeps_its_reason_until_the_end(void **state)
{
    (void)state;
    static char small[64];
    struct fault fault;
    FILE *f = fopen("/dev/full", "w");
    assert_non_null(f);
    assert_int_equal(setvbuf(f, small, _IOFBF, sizeof small), 0);
    struct sink *s = sink_new(f, SINK_TABLE, (struct sink_style){0});
    (void)!sink_add(s, encoded(), NULL);
    errno = EBADF;
    assert_int_equal(sink_close(s, &fault), WEIR_IO);
    assert_string_equal(fault.text, "cannot write findings: No space left on device");
    fclose(f);
}

static void a_reader_that_had_enough_is_no_failure(void **state)
{
    (void)state;
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    for (int format = SINK_TABLE; format <= SINK_OCSF; format++) {
        struct fault fault;
        assert_int_equal(pipe(ends), 0);
        close(ends[0]);
        FILE *f = fdopen(ends[1], "w");
        assert_non_null(f);
        struct sink *s = sink_new(f, (enum sink_format)format, (struct sink_style){0});
        for (int i = 0; i < 20; i++) assert_int_equal(sink_add(s, encoded(), &fault), WEIR_OK);
        assert_int_equal(sink_close(s, &fault), WEIR_OK);
        assert_false(ferror(f));
        fclose(f);
    }
}

/* ---- hostile text ---- */
static const char *const hostile[] = {
    "\033[2J\033]0;own\a", "\x7f\b\b\b", "=cmd|'/C calc'!A0", "@SUM(1)", "+1", "-1", "\tx", "a\r\nb", "\xef\xbc\x9d" "1", "a\",\"b", "<script>alert(1)</script>",
    "\xc2\x9b" "31m", "\xe2\x80\xae" "gpj.exe", "\xe2\x81\xa6x", "\xff\xfe\xfd", "\xed\xa0\x80", "\xe2\x80\xa8", "\\u001b[0m", "'; DROP TABLE x",
};

static void with_hostile(const char *text)
{
    facts_init(&x);
    struct slice s = slice_of(text);
    x.f.account = x.f.region = x.f.interface = x.f.vpc = x.f.instance = x.place[0].key = s;
    x.peer[0].asn = 1;
    memcpy(x.peer[0].as_name, s.p, s.n);
    memcpy(x.peer[0].country, s.p, s.n < 2 ? s.n : 2);
}

/* No control but line ends, no direction marks, no separators: what a terminal would obey. */
static void is_inert(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *p = (const unsigned char *)text + i;
        bool line_end = *p == '\n' || (*p == '\r' && p[1] == '\n');
        if ((*p < 0x20 && !line_end) || *p == 0x7f) fail_msg("control %02x", *p);
        if (*p == 0xc2 && p[1] < 0xa0) fail_msg("C1 control %02x", p[1]);
        if (*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) fail_msg("direction mark");
        if (*p == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) fail_msg("direction mark");
    }
}

static void hostile_text_is_inert_in_every_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(hostile); i++) {
        with_hostile(hostile[i]);
        for (int format = SINK_TABLE; format <= SINK_OCSF; format++)
            for (int pretty = 0; pretty < 2; pretty++) {
                show((enum sink_format)format, (struct sink_style){.width = 80, .pretty = pretty}, 2);
                is_inert(shown, shown_n);
            }
    }
}

static void no_csv_cell_starts_a_formula(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(hostile); i++) {
        with_hostile(hostile[i]);
        show(SINK_CSV, (struct sink_style){0}, 1);
        bool quoted = false;
        for (const char *p = shown; *p; p++) {
            bool starts = *p == '"' && !quoted;
            quoted ^= *p == '"';
            if (starts && p[1] && strchr("=+-@\t\r", p[1])) fail_msg("formula: %.20s", p);
        }
    }
}

static void stored_json_that_hides_nothing_is_made_inert(void **state)
{
    (void)state;
    static const char raw[] = "{\"a\xc2\x9b\":\"\xe2\x80\xae\x7f\\\"\\u001b\xc2\x85\",\n\t\"b\" : [ ] , \"c\":{ },\"d\":[1,2]}";
    struct fault fault;
    FILE *f = open_memstream(&shown, &shown_n);
    struct sink *s = sink_new(f, SINK_NDJSON, (struct sink_style){0});
    assert_int_equal(sink_add(s, slice_of(raw), &fault), WEIR_OK);
    assert_int_equal(sink_close(s, &fault), WEIR_OK);
    fclose(f);
    assert_string_equal(shown, "{\"a\\u009b\":\"\\u202e\\u007f\\\"\\u001b\\u0085\",\"b\":[],\"c\":{},\"d\":[1,2]}\n");
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, fresh, done)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(every_format_has_a_word),
        CLAIM(the_table_tells_a_finding_in_a_row_a_sentence_and_a_command),
        CLAIM(the_table_fits_into_its_width),
        CLAIM(the_table_is_not_wrapped_without_a_width),
        CLAIM(the_table_counts_further_peers),
        CLAIM(colour_is_only_an_extra),
        CLAIM(an_empty_set_is_said_or_valid_in_each_format),
        CLAIM(ndjson_and_ocsf_are_the_stored_bytes_a_line_each),
        CLAIM(json_is_one_array),
        CLAIM(pretty_json_is_the_same_document_over_many_lines),
        CLAIM(csv_has_a_row_for_each_peer_and_as_many_cells_as_titles),
        CLAIM(csv_numbers_are_bare_and_texts_quoted),
        CLAIM(csv_tells_a_finding_without_peers_too),
        CLAIM(what_is_no_finding_is_refused_and_nothing_written),
        CLAIM(a_finding_of_wrong_types_is_shown_as_empty),
        CLAIM(a_full_stream_is_an_io_error),
        CLAIM(a_full_stream_keeps_its_reason_until_the_end),
        CLAIM(a_reader_that_had_enough_is_no_failure),
        CLAIM(the_hint_names_the_store_as_a_word_of_the_shell_and_is_never_wrapped),
        CLAIM(csv_has_the_severity_as_number_and_word),
        CLAIM(hostile_text_is_inert_in_every_format),
        CLAIM(no_csv_cell_starts_a_formula),
        CLAIM(stored_json_that_hides_nothing_is_made_inert),
    };
    return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
