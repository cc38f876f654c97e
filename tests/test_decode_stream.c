/* Lines out of bytes: any split of an object gives the same records and counts, on every fast path; odd lines are rejected one
 * by one with their place and the next line is read as if nothing had been there (docs/formats.md 7.2 L12-L25). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_run.h"

#define NODATA_LINE "2 123456789012 eni-0a1b2c3d - - - - - - - 1700000000 1700000060 - NODATA"

/* A little of everything that a line can be. */
static const char medley[] =
    "\xef\xbb\xbf# comment\n" V2_HEADER V2_LINE "\n" NODATA_LINE "\n\n  " V2_LINE " \r\n" V2_LINE " extra\n2 too few\n"
    "{\"message\":\"" V2_LINE "\"}{ \"message\" : \"" NODATA_LINE "\" } \n{\"message\":\"a\\u0000b\"}{\"message\":\"" V2_LINE "\"}\n{\"x\":1}\n"
    "2 123456789012 eni-0a1b2c3d 10.0.1.5 203.0.113.9 44321 443 6 20 42x9 1700000000 1700000060 ACCEPT OK\n"
    "srcaddr dstaddr bytes start end interface-id\n10.0.0.1  10.0.0.2\t40 1700000000 1700000060 eni-1\n2001:db8::1 2001:db8::2 40 1700000000 1700000060 eni-1\n"
    "10.0.0.1 10.0.0.2 40 1700000000 1700000060 eni-1\a\n10.0.0.1 10.0.0.2 40 1700000000 1700000060 eni-last";

static void assert_same_run(const struct run *a, const struct run *b)
{
    assert_memory_equal(&a->counts, &b->counts, sizeof a->counts);
    assert_int_equal(a->bad, b->bad);
    assert_int_equal(a->rejects, b->rejects);
    for (size_t i = 0; i < a->rejects && i < KEPT; i++)
        assert_true(a->reject[i].line == b->reject[i].line && a->reject[i].why == b->reject[i].why);
    for (size_t i = 0; i < a->records && i < KEPT; i++) {
        const struct record *r = &a->record[i].r, *s = &b->record[i].r;
        assert_true(r->line == s->line && r->has == s->has && r->bytes == s->bytes && ip_eq(r->src, s->src) && ip_eq(r->dst, s->dst));
        assert_true(slice_eq(r->text, s->text) && slice_eq(r->interface, s->interface) && slice_eq(r->account, s->account));
    }
}

static void reads_a_medley_as_expected(void **state)
{
    (void)state;
    struct run *run = run_text(medley);
    const struct decode_counts *c = &run->counts;
    assert_true(c->emitted == 9 && c->by_status[STATUS_NODATA] == 2 && c->notes[NOTE_WRAPPED] == 3 && c->notes[NOTE_BOM] == 1);
    assert_true(c->rejected[REJECT_FIELD_COUNT] == 3 && c->rejected[REJECT_CONTROL_BYTE] == 2 && c->rejected[REJECT_NUMBER] == 1);
    assert_slice(run->record[8].r.interface, "eni-last");
    free(run);
}

static void gives_the_same_records_at_any_split(void **state)
{
    (void)state;
    struct slice text = slice_of(medley);
    struct run *whole = run_split(text, NULL, 0, 0);
    for (size_t first = 1; first < text.n; first++) {
        struct run *cut = run_split(text, NULL, first, 0);
        assert_same_run(whole, cut);
        free(cut);
    }
    for (size_t piece = 1; piece < 80; piece++) {
        struct run *cut = run_split(text, NULL, 0, piece);
        assert_same_run(whole, cut);
        free(cut);
    }
    free(whole);
}

/* Enough text for several blocks, with every kind of line in every place of a block. */
static void make_long_medley(struct buffer *text)
{
    static const char *const lines[] = {V2_LINE, V2_LINE, NODATA_LINE, "", V2_LINE "\r", " " V2_LINE, "2 x", "# c", V2_LINE " ", V2_LINE "\t"};
    uint64_t random = 1;
    buffer_init(text, 4 << 20);
    buffer_puts(text, V2_HEADER);
    for (unsigned i = 0; i < 3000; i++) {
        random = stable_mix(random + i);
        buffer_puts(text, lines[random % WEIR_COUNT(lines)]);
        buffer_puts(text, "\n");
    }
}

static void gives_the_same_records_on_every_fast_path(void **state)
{
    (void)state;
    static const size_t pieces[] = {0, 64, 1000, 4096, 16384, 16385, 40000};
    block_reader *readers[3];
    struct buffer text;
    make_long_medley(&text);
    struct slice all = {text.p, text.n};
    struct run *whole = run_split(all, NULL, 0, 0);
    assert_true(whole->counts.emitted > 1000 && whole->counts.rejected[REJECT_FIELD_COUNT] > 100);
    for (size_t k = WEIR_COUNT(pieces) * all_block_readers(readers); k-- > 0;) {
        struct run *run = calloc(1, sizeof *run);
        struct decoder *d = decoder_new(NULL, (struct decode_sink){run, keep_record, keep_reject});
        assert_true(run && d);
        d->block = readers[k / WEIR_COUNT(pieces)];
        run_decoder(d, run, all, 0, pieces[k % WEIR_COUNT(pieces)]);
        assert_same_run(whole, run);
        decoder_free(d);
        free(run);
    }
    free(whole);
    buffer_fini(&text);
}

static const unsigned octets[] = {0, 1, 9, 10, 19, 99, 100, 199, 200, 249, 250, 255};
#define OCTETS WEIR_COUNT(octets)

static uint32_t quad(size_t i)
{
    return octets[i % OCTETS] << 24 | octets[i / OCTETS % OCTETS] << 16 | octets[i / OCTETS / OCTETS % OCTETS] << 8 |
           octets[i / OCTETS / OCTETS / OCTETS];
}

static void expect_next_quad(void *ctx, const struct record *r)
{
    size_t *next = ctx;
    *next += ip_eq(r->src, ip_from_v4(quad(*next)));
}

/* On each fast path that this machine can run. */
static void reads_every_shape_of_dotted_quad(void **state)
{
    (void)state;
    const size_t all = OCTETS * OCTETS * OCTETS * OCTETS;
    struct buffer text;
    block_reader *readers[3];
    buffer_init(&text, 64 << 20);
    buffer_puts(&text, V2_HEADER);
    for (size_t i = 0; i < all; i++)
        buffer_printf(&text, "2 1 eni-1 %u.%u.%u.%u 10.0.0.2 1 2 6 1 40 1700000000 1700000060 ACCEPT OK\n", quad(i) >> 24,
                      quad(i) >> 16 & 255, quad(i) >> 8 & 255, quad(i) & 255);
    for (size_t i = 0, n = all_block_readers(readers); i < n; i++) {
        size_t seen = 0;
        struct decoder *d = decoder_new(NULL, (struct decode_sink){&seen, expect_next_quad, NULL});
        assert_non_null(d);
        d->block = readers[i];
        assert_int_equal(feed_exact(d, text.p, text.n, NULL), WEIR_OK);
        assert_int_equal(seen, all);
        decoder_free(d);
    }
    buffer_fini(&text);
}

static void rejects_a_field_too_few_or_too_many(void **state)
{
    (void)state;
    struct run *run = run_text(V2_HEADER V2_LINE " 1\n2 123456789012\n" V2_LINE "\n");
    assert_true(run->counts.rejected[REJECT_FIELD_COUNT] == 2 && run->counts.emitted == 1);
    assert_int_equal(run->reject[1].line, 3);
    assert_string_equal(run->reject[1].text, "2 123456789012");
    free(run);
}

static void accepts_doubled_leading_and_trailing_blanks(void **state)
{
    (void)state;
    struct run *run = run_text("srcaddr dstaddr bytes start interface-id\n10.0.0.1  10.0.0.2 40 1700000000 eni-1\n"
                               "   10.0.0.1 10.0.0.2 40 1700000000 eni-1   \n\t10.0.0.1 10.0.0.2 40 1700000000 eni-1\t\n");
    assert_true(run->counts.emitted == 3 && run->counts.lines == 3);
    assert_slice(run->record[2].r.text, "10.0.0.1 10.0.0.2 40 1700000000 eni-1");
    free(run);
}

static void accepts_crlf_line_ends(void **state)
{
    (void)state;
    struct run *run = run_text("srcaddr dstaddr bytes start interface-id\r\n10.0.0.1 10.0.0.2 40 1700000000 eni-1\r\n\r\n10.0.0.1 10.0.0.2 40 1700000000 eni-2\r\n");
    assert_true(run->counts.emitted == 2 && run->counts.lines == 2);
    assert_slice(run->record[1].r.interface, "eni-2");
    free(run);
}

static void counts_the_last_line_without_newline(void **state)
{
    (void)state;
    struct run *run = run_text(V2_HEADER V2_LINE "\n" V2_LINE);
    assert_int_equal(run->counts.emitted, 2);
    free(run);
}

static void skips_blank_lines_uncounted_but_numbered(void **state)
{
    (void)state;
    struct run *run = run_text(V2_HEADER "\n\n" V2_LINE "\n\n" V2_LINE "\n");
    assert_true(run->counts.lines == 2 && run->record[0].r.line == 4 && run->record[1].r.line == 6);
    free(run);
}

static void rejects_a_nul_or_control_byte_in_a_line(void **state)
{
    (void)state;
    static const char text[] = V2_HEADER "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1700000000 1700000060 ACCEPT OK\0\n" V2_LINE "\n2 1 eni\x1b[31m 10\n\r" V2_LINE "\n";
    struct run *run = run_split((struct slice){text, sizeof text - 1}, NULL, 0, 0);
    assert_true(run->counts.rejected[REJECT_CONTROL_BYTE] == 3 && run->counts.emitted == 1);
    free(run);
}

static void rejects_a_long_line_and_finds_the_next_one(void **state)
{
    (void)state;
    static const size_t pieces[] = {0, 1000, 65536, 65537, 100000};
    struct buffer text;
    buffer_init(&text, 4 << 20);
    buffer_puts(&text, V2_HEADER V2_LINE "\n");
    for (unsigned i = 0; i < 100000; i++)
        buffer_puts(&text, "0123456789");
    buffer_puts(&text, "\n" V2_LINE "\n");
    for (size_t i = 0; i < WEIR_COUNT(pieces); i++) {
        struct run *run = run_split((struct slice){text.p, text.n}, NULL, 0, pieces[i]);
        assert_true(run->counts.rejected[REJECT_LINE_TOO_LONG] == 1 && run->counts.lines == 3 && run->counts.emitted == 2);
        assert_int_equal(run->record[1].r.line, 4);
        assert_int_equal(strlen(run->reject[0].text), 200);
        free(run);
    }
    buffer_fini(&text);
}

/* The limit counts the line's bytes without its newline, however they arrive. */
static void draws_the_line_at_65536_bytes(void **state)
{
    (void)state;
    for (size_t length = DECODE_LINE_MAX - 1; length <= DECODE_LINE_MAX + 1; length++)
        for (size_t piece = 0; piece <= 3 * 4096; piece += 4096) {
            struct buffer text;
            buffer_init(&text, 4 << 20);
            buffer_puts(&text, "srcaddr dstaddr bytes start interface-id instance-tag\n");
            size_t begin = text.n;
            buffer_puts(&text, "10.0.0.1 10.0.0.2 40 1700000000 eni-1 ");
            while (text.n - begin < length)
                buffer_puts(&text, "t");
            buffer_puts(&text, "\n");
            struct run *run = run_split((struct slice){text.p, text.n}, NULL, 0, piece);
            assert_int_equal(run->counts.emitted, length <= DECODE_LINE_MAX);
            assert_int_equal(run->counts.rejected[REJECT_LINE_TOO_LONG], length > DECODE_LINE_MAX);
            free(run);
            buffer_fini(&text);
        }
}

static void unwraps_messages_with_and_without_newlines_between(void **state)
{
    (void)state;
    struct run *run = run_text("{\"message\":\"" V2_LINE "\"}\n{\"message\":\"" V2_LINE "\"}{\"message\":\"" V2_LINE "\"}");
    assert_true(run->counts.emitted == 3 && run->counts.notes[NOTE_WRAPPED] == 3);
    assert_slice(run->record[2].r.text, V2_LINE);
    assert_int_equal(run->record[2].r.line, 2);
    free(run);
}

static void unwraps_a_megabyte_of_messages_without_newline(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 4 << 20);
    for (unsigned i = 0; i < 10000; i++)
        buffer_puts(&text, "{\"message\":\"" V2_LINE "\"}");
    for (size_t piece = 0; piece <= 200000; piece += 50000) {
        struct run *run = run_split((struct slice){text.p, text.n}, NULL, 0, piece);
        assert_true(run->bad == BAD_NONE && run->counts.emitted == 10000);
        free(run);
    }
    buffer_fini(&text);
}

static void unescapes_what_a_record_may_need_and_rejects_the_rest(void **state)
{
    (void)state;
    struct run *run = run_text("srcaddr dstaddr bytes start interface-id instance-tag\n"
                               "{\"message\":\"10.0.0.1 10.0.0.2 40 1700000000 eni-1 a\\/b\\\\c\\\"d\"}\n"
                               "{\"message\":\"10.0.0.1 10.0.0.2 40 1700000000 eni-1 a\\nb\"}{\"message\":\"10.0.0.1 10.0.0.2 41 1700000000 eni-1 x\"}\n");
    assert_true(run->counts.emitted == 2 && run->counts.rejected[REJECT_CONTROL_BYTE] == 1 && run->record[1].r.bytes == 41);
    assert_slice(run->record[0].r.text, "10.0.0.1 10.0.0.2 40 1700000000 eni-1 a/b\\c\"d");
    free(run);
}

static void reports_the_first_eight_rejects_of_each_reason(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_puts(&text, V2_HEADER);
    for (unsigned i = 0; i < 20; i++)
        buffer_puts(&text, "2 x\n2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 x 40 1700000000 1700000060 ACCEPT OK\n");
    struct run *run = run_text(buffer_cstr(&text));
    assert_true(run->rejects == 16 && run->counts.rejected[REJECT_FIELD_COUNT] == 20 && run->counts.rejected[REJECT_NUMBER] == 20);
    assert_string_equal(run->reject[1].field, "packets");
    free(run);
    buffer_fini(&text);
}

static void ignores_a_commented_record(void **state)
{
    (void)state;
    struct run *run = run_text(V2_HEADER "#" V2_LINE "\n" V2_LINE "\n");
    assert_true(run->counts.lines == 1 && run->counts.notes[NOTE_COMMENT] == 1);
    free(run);
}

static void starts_each_object_afresh(void **state)
{
    (void)state;
    struct run *run = calloc(1, sizeof *run);
    struct decoder *d = decoder_new(NULL, (struct decode_sink){run, keep_record, keep_reject});
    assert_true(run && d);
    run_decoder(d, run, slice_of(V2_HEADER V2_LINE "\n" "cut"), 0, 0);
    run_decoder(d, run, SLICE_LIT("10.0.0.1 10.0.0.2\n"), 0, 0);
    assert_int_equal(run->bad, BAD_NO_HEADER);
    run_decoder(d, run, slice_of(V2_LINE "\n"), 0, 0);
    assert_true(run->bad == BAD_NONE && run->counts.lines == 1 && run->counts.emitted == 1);
    decoder_free(d);
    free(run);
}

static void adds_counts_up(void **state)
{
    (void)state;
    struct run *run = run_text(medley);
    struct decode_counts sum = run->counts;
    decode_counts_add(&sum, &run->counts);
    assert_law(&sum);
    assert_int_equal(sum.lines, 2 * run->counts.lines);
    assert_int_equal(sum.notes[NOTE_WRAPPED], 2 * run->counts.notes[NOTE_WRAPPED]);
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_medley_as_expected),
        cmocka_unit_test(gives_the_same_records_at_any_split),
        cmocka_unit_test(gives_the_same_records_on_every_fast_path),
        cmocka_unit_test(reads_every_shape_of_dotted_quad),
        cmocka_unit_test(rejects_a_field_too_few_or_too_many),
        cmocka_unit_test(accepts_doubled_leading_and_trailing_blanks),
        cmocka_unit_test(accepts_crlf_line_ends),
        cmocka_unit_test(counts_the_last_line_without_newline),
        cmocka_unit_test(skips_blank_lines_uncounted_but_numbered),
        cmocka_unit_test(rejects_a_nul_or_control_byte_in_a_line),
        cmocka_unit_test(rejects_a_long_line_and_finds_the_next_one),
        cmocka_unit_test(draws_the_line_at_65536_bytes),
        cmocka_unit_test(unwraps_messages_with_and_without_newlines_between),
        cmocka_unit_test(unwraps_a_megabyte_of_messages_without_newline),
        cmocka_unit_test(unescapes_what_a_record_may_need_and_rejects_the_rest),
        cmocka_unit_test(reports_the_first_eight_rejects_of_each_reason),
        cmocka_unit_test(ignores_a_commented_record),
        cmocka_unit_test(starts_each_object_afresh),
        cmocka_unit_test(adds_counts_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
