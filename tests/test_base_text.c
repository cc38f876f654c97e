/* base, text: times, amounts, and the escapers, which are held to their promises on random bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/internal.h"

static uint64_t draws;

static uint64_t draw(uint64_t below)
{
    return stable_mix(draws += 0x9e3779b97f4a7c15ULL) % below;
}

/* ---- time ---- */

static void time_has_the_text_of_gmtime(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        int64_t s = (int64_t)draw(315569520000) - 62167219200; /* years 0 to 9999 */
        time_t t = (time_t)s;
        struct tm tm;
        char ours[TIME_TEXT_MAX], theirs[TIME_TEXT_MAX];
        assert_non_null(gmtime_r(&t, &tm));
        time_format(s, ours);
        assert_int_equal(strftime(theirs, sizeof theirs, "T%H:%M:%SZ", &tm), 10);
        assert_string_equal(ours + 10, theirs);
        assert_int_equal((ours[0] - '0') * 1000 + (ours[1] - '0') * 100 + (ours[2] - '0') * 10 + ours[3] - '0', tm.tm_year + 1900);
        assert_int_equal((ours[5] - '0') * 10 + ours[6] - '0', tm.tm_mon + 1);
        assert_int_equal((ours[8] - '0') * 10 + ours[9] - '0', tm.tm_mday);
    }
}

static void time_comes_back_from_its_text(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        int64_t s = (int64_t)draw(315569520000) - 62167219200, back = 0;
        char text[TIME_TEXT_MAX];
        time_format(s, text);
        assert_int_equal(time_parse(slice_of(text), &back), WEIR_OK);
        assert_true(back == s);
    }
}

static void times_without_a_text_become_the_nearest_that_has_one(void **state)
{
    (void)state;
    char text[TIME_TEXT_MAX];
    time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
}

static void parses_the_forms_of_rfc_3339(void **state)
{
    (void)state;
    static const char *const same[] = {"2026-03-02T09:10:00Z", "2026-03-02t09:10:00z", "2026-03-02 09:10:00Z", "2026-03-02T09:10:00.999999999Z",
                                       "2026-03-02T10:10:00+01:00", "2026-03-01T21:40:00-11:30", "2026-03-02T09:10:00-00:00", "2026-03-02T09:09:60Z"};
    for (size_t i = 0; i < WEIR_COUNT(same); i++) {
        int64_t s = 0;
        assert_int_equal(time_parse(slice_of(same[i]), &s), WEIR_OK);
        assert_true(s == 1772442600);
    }
}

static void refuses_times_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum weir_err err;
    } bad[] = {
        {"", WEIR_SYNTAX}, {"2026-03-02", WEIR_SYNTAX}, {"2026-03-02T09:10:00", WEIR_SYNTAX}, {"2026-03-02T09:10Z", WEIR_SYNTAX},
        {"2026-03-02T09:10:00.Z", WEIR_SYNTAX}, {"2026-03-02T09:10:00+0100", WEIR_SYNTAX}, {"2026-03-02T09:10:00Zx", WEIR_SYNTAX},
        {" 2026-03-02T09:10:00Z", WEIR_SYNTAX}, {"+026-03-02T09:10:00Z", WEIR_SYNTAX}, {"1772442600", WEIR_SYNTAX},
        {"2026-13-02T09:10:00Z", WEIR_RANGE}, {"2026-00-02T09:10:00Z", WEIR_RANGE}, {"2026-02-29T09:10:00Z", WEIR_RANGE},
        {"2100-02-29T09:10:00Z", WEIR_RANGE}, {"2026-04-31T09:10:00Z", WEIR_RANGE}, {"2026-03-00T09:10:00Z", WEIR_RANGE},
        {"2026-03-02T24:00:00Z", WEIR_RANGE}, {"2026-03-02T09:60:00Z", WEIR_RANGE}, {"2026-03-02T09:10:61Z", WEIR_RANGE},
        {"2026-03-02T09:10:00+24:00", WEIR_RANGE}, {"2026-03-02T09:10:00-01:60", WEIR_RANGE}};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        size_t n = strlen(bad[i].text);
        char *p = malloc(n ? n : 1);
        memcpy(p, bad[i].text, n);
        int64_t s = 5;
        if (time_parse((struct slice){p, n}, &s) != bad[i].err)
            fail_msg("wrong answer: '%s'", bad[i].text);
        assert_int_equal(s, 5);
        free(p);
    }
}

static void leap_days_follow_the_gregorian_rule(void **state)
{
    (void)state;
    int64_t s;
    assert_int_equal(time_parse(SLICE_LIT("2000-02-29T00:00:00Z"), &s), WEIR_OK);
    assert_int_equal(time_parse(SLICE_LIT("2024-02-29T00:00:00Z"), &s), WEIR_OK);
    assert_int_equal(time_parse(SLICE_LIT("1900-02-29T00:00:00Z"), &s), WEIR_RANGE);
}

/* ---- amounts ---- */

static void bytes_have_three_digits_and_an_iec_unit(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 B"}, {512, "512 B"}, {1023, "1023 B"}, {1024, "1.00 KiB"}, {1536, "1.50 KiB"}, {10234, "9.99 KiB"}, {10235, "10.0 KiB"},
                 {102348, "99.9 KiB"}, {102349, "100 KiB"}, {1048063, "1023 KiB"}, {1048064, "1.00 MiB"}, {1048575, "1.00 MiB"}, {1048576, "1.00 MiB"},
                 {40ULL << 30, "40.0 GiB"}, {1319413953331, "1.20 TiB"}, {1ULL << 60, "1.00 EiB"}, {(1ULL << 60) - 1, "1.00 EiB"}, {UINT64_MAX, "16.0 EiB"}};
    for (size_t i = 0; i < WEIR_COUNT(cases); i++) {
        char text[BYTES_TEXT_MAX];
        bytes_format(cases[i].bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void durations_are_a_whole_number_of_the_unit_that_suits(void **state)
{
    (void)state;
    static const struct {
        uint64_t s;
        const char *text;
    } cases[] = {{0, "0 s"}, {45, "45 s"}, {60, "1 min"}, {99, "99 s"}, {100, "100 s"}, {119, "119 s"}, {121, "2 min"}, {5999, "100 min"}, {10799, "3 h"}, {600, "10 min"}, {3600, "1 h"}, {5400, "90 min"}, {5400 + 31, "91 min"},
                 {72000, "20 h"}, {86400, "1 d"}, {90000, "25 h"}, {259200, "3 d"}, {259201, "72 h"}, {31536000, "365 d"}, {500000, "6 d"}, {UINT64_MAX, "999999999 d"}};
    for (size_t i = 0; i < WEIR_COUNT(cases); i++) {
        char text[BYTES_TEXT_MAX];
        duration_format(cases[i].s, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void no_amount_is_too_long_for_its_text(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        char *text = malloc(BYTES_TEXT_MAX);
        uint64_t v = draw(UINT64_MAX) >> draw(64);
        bytes_format(v, text);
        assert_true(strlen(text) < BYTES_TEXT_MAX && text[strlen(text) - 1] == 'B');
        duration_format(v, text);
        assert_true(strlen(text) < BYTES_TEXT_MAX && strchr(text, ' '));
        free(text);
    }
}

/* ---- UTF-8 and escaping ---- */

typedef void escaper(struct buffer *out, struct slice s);

static struct buffer out;

static const char *escaped(escaper *escape, struct slice s)
{
    char *p = malloc(s.n ? s.n : 1);
    memcpy(p, s.p, s.n);
    buffer_fini(&out);
    buffer_init(&out, 1 << 20);
    escape(&out, (struct slice){p, s.n});
    assert_int_equal(out.err, WEIR_OK);
    free(p);
    return buffer_cstr(&out);
}

/* Random bytes, or random pieces that mean something to one of the targets. */
static size_t draw_hostile(char *to, size_t max)
{
    static const char *const pieces[] = {"\"", "\\", "\x1b[31m", "\n", "\r\n", "\t", "=", "'", "]", "\xe2\x80\xae", "\xc2\x9b", "\xc3\xa4", "\xe2\x80\xa8",
                                         "\xf0\x9f\x8c\x8a", "\xed\xa0\x80", "\xc0\xbc", "\xf4\x90\x80\x80", "\xe2\x80", "plain", " ", "\x7f", "\xef\xbc\x9d"};
    size_t n = 0, want = draw(max);
    bool bytes = draw(2);
    while (n + 8 < want) {
        const char *piece = pieces[draw(WEIR_COUNT(pieces))];
        size_t length = bytes ? 1 : strlen(piece);
        for (size_t i = 0; i < length; i++)
            to[n++] = bytes ? (char)(unsigned char)draw(256) : piece[i];
    }
    return n;
}

/* Nothing that a terminal would obey or show backwards: a second decoder, apart from the one under test. */
static void assert_harmless(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < n; i++) {
        assert_true(p[i] >= 0x20 && p[i] != 0x7f);
        assert_false(p[i] == 0xc2 && i + 1 < n && p[i + 1] < 0xa0);
        if (p[i] == 0xe2 && i + 2 < n)
            assert_false((p[i + 1] == 0x80 && p[i + 2] >= 0xa8 && p[i + 2] <= 0xae) || (p[i + 1] == 0x81 && p[i + 2] >= 0xa6 && p[i + 2] <= 0xa9));
    }
    json_t *string = json_stringn(text, n); /* NULL if it is no UTF-8 */
    assert_non_null(string);
    json_decref(string);
}

static void no_hostile_bytes_reach_an_output(void **state)
{
    (void)state;
    static escaper *const all[] = {escape_terminal, escape_json, escape_csv, escape_logfmt};
    for (int i = 0; i < 50000; i++) {
        char hostile[256];
        size_t n = draw_hostile(hostile, sizeof hostile);
        escaped(all[i % 4], (struct slice){hostile, n});
        assert_harmless(buffer_cstr(&out), out.n);
    }
}

static void utf8_takes_each_code_point_and_no_other_form(void **state)
{
    (void)state;
    for (uint32_t bytes = 0; bytes < 1 << 24; bytes += 1 + (uint32_t)draw(40)) {
        char in[4] = {(char)(0xc0 | bytes >> 18), (char)(unsigned char)(bytes >> 12), (char)(unsigned char)(bytes >> 6), (char)(unsigned char)bytes};
        uint32_t code = 0;
        size_t n = utf8_next((struct slice){in, 4}, &code);
        json_t *string = n ? json_stringn(in, n) : NULL;
        assert_true(!n || string);
        json_decref(string);
        for (size_t k = 1; k <= 4 && !n; k++)
            assert_null(json_stringn(in, k));
    }
}

static void json_comes_back_from_a_parser_as_it_went(void **state)
{
    (void)state;
    unsigned valid = 0;
    for (int i = 0; i < 50000; i++) {
        char hostile[128];
        size_t n = draw_hostile(hostile, sizeof hostile);
        escaped(escape_json, (struct slice){hostile, n});
        json_t *back = json_loadb(out.p, out.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(back);
        json_t *same = json_stringn(hostile, n);
        if (same) {
            assert_true(json_equal(same, back));
            valid++;
        }
        json_decref(same);
        json_decref(back);
    }
    assert_true(valid > 1000);
}

static void each_target_hides_in_its_own_way(void **state)
{
    (void)state;
    struct slice in = SLICE_LIT("a\x1b\"\\\xc2\x9b\xff\xe2\x80\xae]\0");
    assert_string_equal(escaped(escape_terminal, in), "a\\x1b\"\\\\u{9b}\\xff\\u{202e}]\\x00");
    assert_string_equal(escaped(escape_json, in), "\"a\\u001b\\\"\\\\\\u009b\xef\xbf\xbd\\u202e]\\u0000\"");
    assert_string_equal(escaped(escape_csv, in), "\"a\\x1b\"\"\\\\u{9b}\\xff\\u{202e}]\\x00\"");
    assert_string_equal(escaped(escape_logfmt, in), "\"a\\x1b\\\"\\\\\\u{9b}\\xff\\u{202e}\\]\\x00\"");
}

static void good_text_passes_as_it_is(void **state)
{
    (void)state;
    struct slice in = SLICE_LIT("eni-0a1b \xc3\xa4\xf0\x9f\x8c\x8a <&> 10.0.0.1");
    assert_string_equal(escaped(escape_terminal, in), in.p);
    assert_string_equal(escaped(escape_terminal, SLICE_LIT("")), "");
    assert_string_equal(escaped(escape_json, SLICE_LIT("")), "\"\"");
}

static void a_formula_never_begins_a_csv_cell(void **state)
{
    (void)state;
    static const char *const formulas[] = {"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\xef\xbc\x9d" "1", "\xef\xbc\x8b" "1", "\xef\xbc\x8d" "1", "\xef\xbc\xa0x"};
    for (size_t i = 0; i < WEIR_COUNT(formulas); i++)
        assert_memory_equal(escaped(escape_csv, slice_of(formulas[i])), "\"'", 2);
    assert_string_equal(escaped(escape_csv, SLICE_LIT("a=1")), "\"a=1\"");
    assert_string_equal(escaped(escape_csv, SLICE_LIT("")), "\"\"");
}

static void csv_quotes_are_always_doubled(void **state)
{
    (void)state;
    assert_string_equal(escaped(escape_csv, SLICE_LIT("\"")), "\"\"\"\"");
    for (int i = 0; i < 20000; i++) {
        char hostile[128];
        escaped(escape_csv, (struct slice){hostile, draw_hostile(hostile, sizeof hostile)});
        assert_true(out.n >= 2 && out.p[0] == '"' && out.p[out.n - 1] == '"');
        for (size_t at = 1; at < out.n - 1; at++)
            if (out.p[at] == '"')
                assert_true(++at < out.n - 1 && out.p[at] == '"');
    }
}

static void logfmt_quotes_only_when_it_must(void **state)
{
    (void)state;
    assert_string_equal(escaped(escape_logfmt, SLICE_LIT("s3://bucket/a.gz")), "s3://bucket/a.gz");
    assert_string_equal(escaped(escape_logfmt, SLICE_LIT("two words")), "\"two words\"");
    assert_string_equal(escaped(escape_logfmt, SLICE_LIT("a=b")), "\"a=b\"");
    assert_string_equal(escaped(escape_logfmt, SLICE_LIT("")), "\"\"");
    assert_string_equal(escaped(escape_logfmt, SLICE_LIT("\xc3\xa4")), "\"\xc3\xa4\"");
}

static int free_out(void **state)
{
    (void)state;
    buffer_fini(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_has_the_text_of_gmtime),
        cmocka_unit_test(time_comes_back_from_its_text),
        cmocka_unit_test(times_without_a_text_become_the_nearest_that_has_one),
        cmocka_unit_test(parses_the_forms_of_rfc_3339),
        cmocka_unit_test(refuses_times_that_are_none),
        cmocka_unit_test(leap_days_follow_the_gregorian_rule),
        cmocka_unit_test(bytes_have_three_digits_and_an_iec_unit),
        cmocka_unit_test(durations_are_a_whole_number_of_the_unit_that_suits),
        cmocka_unit_test(no_amount_is_too_long_for_its_text),
        cmocka_unit_test(no_hostile_bytes_reach_an_output),
        cmocka_unit_test(utf8_takes_each_code_point_and_no_other_form),
        cmocka_unit_test(json_comes_back_from_a_parser_as_it_went),
        cmocka_unit_test(each_target_hides_in_its_own_way),
        cmocka_unit_test(good_text_passes_as_it_is),
        cmocka_unit_test(a_formula_never_begins_a_csv_cell),
        cmocka_unit_test(csv_quotes_are_always_doubled),
        cmocka_unit_test(logfmt_quotes_only_when_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, free_out);
}
