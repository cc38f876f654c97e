/* Parquet objects: whatever they are written in, their records are those of the text twin; and what is damaged or not read is refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "object_run.h"

#include "decode/parquet.h"
#include "parquet_table.h"

#define LOGS "testdata/aws/"

static struct buffer made(const struct make *m, const char *text)
{
    struct text_table t;
    struct buffer out;
    table_of(&t, text);
    buffer_init(&out, SIZE_MAX / 2);
    make_parquet(&out, m, &t.table);
    table_free(&t);
    assert_int_equal(out.err, WEIR_OK);
    return out;
}

static struct slice slice_made(const struct buffer *b)
{
    return (struct slice){b->p, b->n};
}

/* The text of a log of the tree. */
static char *log_text(const char *path)
{
    struct slice text = file_read(path);
    assert_non_null(text.p);
    return (char *)(uintptr_t)text.p;
}

/* Records, rejects by reason and sums are those of the text. */
static void assert_twin(const struct make *m, const char *text)
{
    struct object_run wanted = run_object(slice_of(text), 0);
    struct buffer file = made(m, text);
    struct object_run found = run_object(slice_made(&file), 0);
    if (found.run->bad)
        fail_msg("%s", found.run->fault.text);
    assert_int_equal(found.run->counts.lines, wanted.run->counts.lines);
    assert_memory_equal(found.run->counts.rejected, wanted.run->counts.rejected, sizeof wanted.run->counts.rejected);
    assert_memory_equal(found.run->counts.by_status, wanted.run->counts.by_status, sizeof wanted.run->counts.by_status);
    assert_true(found.print == wanted.print);
    free(wanted.run);
    free(found.run);
    buffer_fini(&file);
}

static const char *const logs[] = {LOGS "v2.log", LOGS "v3.log", LOGS "v5.log", LOGS "v5-alphabetical.log", LOGS "v6-transit-gateway.log",
                                   LOGS "v9.log", LOGS "v11.log", LOGS "v12-unknown-column.log", LOGS "gaps-v2.log", LOGS "gaps-v5.log"};

/* ---- what is read ---- */

static void the_records_are_those_of_the_text_whatever_the_columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(logs); i++) {
        char *text = log_text(logs[i]);
        assert_twin(&(struct make){.codec = MAKE_GZIP, .numbers = MAKE_DICTIONARY, .texts = MAKE_DICTIONARY}, text);
        free(text);
    }
}

static void the_records_are_the_same_in_every_codec_encoding_and_page_version(void **state)
{
    static const enum make_codec codecs[] = {MAKE_NONE, MAKE_SNAPPY, MAKE_GZIP, MAKE_ZSTD};
    static const enum make_encoding numbers[] = {MAKE_PLAIN, MAKE_DICTIONARY_OLD, MAKE_DICTIONARY, MAKE_DELTAS};
    static const enum make_encoding texts[] = {MAKE_PLAIN, MAKE_DICTIONARY_OLD, MAKE_DICTIONARY, MAKE_LENGTHS};
    char *text = log_text(LOGS "v5.log"), *gaps = log_text(LOGS "gaps-v5.log");
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(codecs) * WEIR_COUNT(numbers) * WEIR_COUNT(texts) * 2; i++) {
        struct make m = {.codec = codecs[i % 4], .numbers = numbers[i / 4 % 4], .texts = texts[i / 16 % 4], .pages_v2 = i / 64 % 2, .checksums = true};
        assert_twin(&m, text);
        assert_twin(&m, gaps);
    }
    free(text);
    free(gaps);
}

static void pages_and_groups_of_any_size_give_the_same_records(void **state)
{
    char *text = log_text(LOGS "v5.log");
    (void)state;
    for (uint32_t page = 1; page < 9; page++)
        for (uint32_t group = 1; group < 22; group += 4)
            assert_twin(&(struct make){.texts = MAKE_DICTIONARY, .numbers = MAKE_DELTAS, .page_rows = page, .group_rows = group, .pages_v2 = page % 2}, text);
    free(text);
}

static void integers_of_any_width_and_as_text_are_read(void **state)
{
    char *text = log_text(LOGS "v5.log");
    (void)state;
    assert_twin(&(struct make){.integers = MAKE_ALL_64}, text);
    assert_twin(&(struct make){.integers = MAKE_ALL_TEXT}, text);
    assert_twin(&(struct make){.integers = MAKE_ALL_TEXT, .texts = MAKE_DICTIONARY}, text);
    free(text);
}

static void a_dash_as_text_is_a_null(void **state)
{
    char *text = log_text(LOGS "gaps-v5.log");
    (void)state;
    assert_twin(&(struct make){.integers = MAKE_ALL_TEXT, .required = true}, text);
    free(text);
}

static void none_as_pandas_writes_it_is_a_null(void **state)
{
    static const char header[] = "version account-id interface-id srcaddr dstaddr bytes start end log-status\n";
    char with_dash[512], with_none[512];
    (void)state;
    snprintf(with_dash, sizeof with_dash, "%s2 1 eni-1 - - - 1700000000 1700000060 NODATA\n", header);
    snprintf(with_none, sizeof with_none, "%s2 1 eni-1 None None None 1700000000 1700000060 NODATA\n", header);
    struct make m = {.integers = MAKE_ALL_TEXT};
    struct buffer a = made(&m, with_dash), b = made(&m, with_none);
    struct object_run x = run_object(slice_made(&a), 0), y = run_object(slice_made(&b), 0);
    assert_int_equal(x.run->records, 1);
    assert_true(x.print == y.print);
    free(x.run);
    free(y.run);
    buffer_fini(&a);
    buffer_fini(&b);
}

static void rows_are_counted_from_one(void **state)
{
    char *text = log_text(LOGS "v2.log");
    struct buffer file = made(&(struct make){.page_rows = 3}, text);
    struct object_run o = run_object(slice_made(&file), 0);
    (void)state;
    for (size_t i = 0; i < o.run->records; i++)
        assert_int_equal(o.run->record[i].r.line, i + 1);
    free(o.run);
    free(text);
    buffer_fini(&file);
}

/* One fault at a time and then two of them in each row of v5. */
static void a_bad_row_is_rejected_for_the_reason_of_its_line(void **state)
{
    static const char *const wrong[][2] = {
        {"srcaddr", "10.0.0.300"}, {"dstaddr", "fe80::1%eth0"}, {"dstaddr", "2001:db8::1"}, {"srcport", "65536"}, {"protocol", "256"},
        {"bytes", "12abc"}, {"bytes", "18446744073709551616"}, {"packets", "-5"}, {"start", "1"}, {"start", "1700000000123"}, {"end", "1600000000"},
        {"start", "9999999999999999"}, {"action", "DENY"}, {"log-status", "WHAT"}, {"traffic-path", "300"}, {"pkt-srcaddr", "x"},
        {"tcp-flags", "70000"}, {"bytes", "-"}, {"srcaddr", "-"}, {"action", "-"}, {"flow-direction", "sideways"}, {"traffic-path", "9"}};
    static const char names[] = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status "
                                "tcp-flags pkt-srcaddr flow-direction traffic-path";
    static const char cells[] = "5 123456789012 eni-1 10.0.0.1 203.0.113.5 40000 443 6 10 5000 1700000000 1700000060 ACCEPT OK 3 10.0.0.1 egress 8";
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(wrong) * WEIR_COUNT(wrong); i++) {
        struct buffer text;
        struct slice name = slice_of(names), cell = slice_of(cells), n, c;
        buffer_init(&text, 4096);
        buffer_puts(&text, names);
        buffer_puts(&text, "\n");
        while (token_next(&name, false, &n) && token_next(&cell, false, &c)) {
            const char *const *first = wrong[i % WEIR_COUNT(wrong)], *const *second = wrong[i / WEIR_COUNT(wrong)];
            c = slice_eq(n, slice_of(second[0])) ? slice_of(second[1]) : c;
            c = slice_eq(n, slice_of(first[0])) ? slice_of(first[1]) : c;
            buffer_slice(&text, c);
            buffer_puts(&text, name.n ? " " : "\n");
        }
        assert_twin(&(struct make){.integers = MAKE_ALL_TEXT}, buffer_cstr(&text));
        buffer_fini(&text);
    }
}

static void a_reject_tells_row_column_and_text(void **state)
{
    struct buffer file = made(&(struct make){.numbers = MAKE_PLAIN}, V2_HEADER V2_LINE "\n"
        "2 123456789012 eni-0a1b2c3d 10.0.1 203.0.113.9 44321 443 6 20 4249 1700000000 1700000060 ACCEPT OK\n");
    struct object_run o = run_object(slice_made(&file), 0);
    (void)state;
    assert_int_equal(o.run->rejects, 1);
    assert_int_equal(o.run->reject[0].line, 2);
    assert_string_equal(o.run->reject[0].field, "srcaddr");
    assert_string_equal(o.run->reject[0].text, "10.0.1");
    free(o.run);
    buffer_fini(&file);
}

static void a_negative_integer_is_no_number(void **state)
{
    struct buffer file = made(&(struct make){.numbers = MAKE_DELTAS}, V2_HEADER
        "2 123456789012 eni-0a1b2c3d 10.0.1.1 203.0.113.9 44321 443 6 20 -4249 1700000000 1700000060 ACCEPT OK\n");
    struct object_run o = run_object(slice_made(&file), 0);
    (void)state;
    assert_int_equal(o.run->counts.rejected[REJECT_NUMBER], 1);
    free(o.run);
    buffer_fini(&file);
}

static void an_object_too_large_for_memory_is_read_from_the_spool(void **state)
{
    struct buffer text;
    (void)state;
    buffer_init(&text, 64u << 20);
    buffer_puts(&text, V2_HEADER);
    for (uint32_t i = 0; i < 160000; i++)
        buffer_printf(&text, "2 123456789012 eni-%08x%08x 10.0.1.1 203.0.113.9 44321 443 6 20 %u 1700000000 1700000060 ACCEPT OK\n", i * 2654435761u,
                      i * 40503u, i);
    struct buffer file = made(&(struct make){.page_rows = 10000}, buffer_cstr(&text));
    assert_true(file.n > STREAM_HELD_BYTES);
    struct object_run o = run_object(slice_made(&file), 128u << 10);
    assert_int_equal(o.run->counts.emitted, 160000);
    assert_int_equal(o.bytes, 160000ULL * 159999 / 2);
    free(o.run);
    buffer_fini(&file);
    buffer_fini(&text);
}

static void no_rows_are_no_fault(void **state)
{
    struct buffer file = made(&(struct make){.codec = MAKE_NONE}, V2_HEADER);
    struct object_run o = run_object(slice_made(&file), 0);
    (void)state;
    assert_int_equal(o.err, WEIR_OK);
    assert_int_equal(o.run->counts.lines, 0);
    free(o.run);
    buffer_fini(&file);
}

static void a_decoder_reads_one_file_after_another(void **state)
{
    static const struct make makes[] = {{.texts = MAKE_DICTIONARY, .page_rows = 4}, {.codec = MAKE_GZIP, .lie.codec = 4}, {.codec = MAKE_ZSTD, .pages_v2 = true}};
    char *text = log_text(LOGS "v5.log");
    struct object_run wanted = run_object(slice_of(text), 0), o;
    struct decoder *d = object_decoder(&o);
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct buffer file = made(&makes[i % 3], text);
        object_again(d, &o, slice_made(&file), i % 2 ? 100 : 0);
        assert_int_equal(o.run->bad, i % 3 == 1 ? BAD_PARQUET_FEATURE : BAD_NONE);
        assert_true(o.run->bad || o.print == wanted.print);
        buffer_fini(&file);
    }
    decoder_free(d);
    free(o.run);
    free(wanted.run);
    free(text);
}

/* ---- what is refused ---- */

static void every_truncated_prefix_is_an_error(void **state)
{
    char *text = log_text(LOGS "v2.log");
    struct buffer file = made(&(struct make){.codec = MAKE_SNAPPY, .texts = MAKE_DICTIONARY, .page_rows = 5}, text);
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    (void)state;
    for (size_t n = 4; n < file.n; n++) {
        object_again(d, &o, (struct slice){file.p, n}, 0);
        assert_int_equal(o.run->bad, BAD_PARQUET_DAMAGED);
    }
    decoder_free(d);
    free(o.run);
    free(text);
    buffer_fini(&file);
}

/* Whatever a changed byte does, the law holds: object_again asserts it. */
static void a_changed_byte_is_refused_or_counted(void **state)
{
    char *text = log_text(LOGS "v2.log");
    struct buffer file = made(&(struct make){.codec = MAKE_SNAPPY, .texts = MAKE_DICTIONARY, .numbers = MAKE_DELTAS, .page_rows = 7}, text);
    struct object_run o;
    struct decoder *d = object_decoder(&o);
    (void)state;
    for (size_t i = 0; i < file.n * 8; i++) {
        file.p[i / 8] = (char)(file.p[i / 8] ^ 1 << i % 8);
        object_again(d, &o, slice_made(&file), 0);
        file.p[i / 8] = (char)(file.p[i / 8] ^ 1 << i % 8);
    }
    decoder_free(d);
    free(o.run);
    free(text);
    buffer_fini(&file);
}

static void a_changed_byte_in_a_page_is_seen_by_its_checksum(void **state)
{
    char *text = log_text(LOGS "v2.log");
    struct buffer file = made(&(struct make){.checksums = true, .required = true, .integers = MAKE_ALL_TEXT}, text);
    uint32_t footer, last_page = 19 * (4 + 2); /* OK, nineteen times, each behind its length */
    (void)state;
    memcpy(&footer, file.p + file.n - 8, 4);
    for (size_t i = 1; i <= last_page; i++) {
        size_t at = file.n - 8 - footer - i;
        file.p[at] = (char)(file.p[at] ^ 1 << i % 8);
        assert_object_bad(slice_made(&file), BAD_PARQUET_DAMAGED, "checksum");
        file.p[at] = (char)(file.p[at] ^ 1 << i % 8);
    }
    free(text);
    buffer_fini(&file);
}

static void a_gzip_page_is_held_to_its_trailer(void **state)
{
    char *text = log_text(LOGS "v2.log");
    struct buffer file = made(&(struct make){.codec = MAKE_GZIP}, text);
    uint32_t footer;
    (void)state;
    memcpy(&footer, file.p + file.n - 8, 4);
    for (size_t i = 1; i <= 8; i++) { /* CRC and length of the last page */
        size_t at = file.n - 8 - footer - i;
        file.p[at] = (char)(file.p[at] ^ 1);
        assert_object_bad(slice_made(&file), BAD_PARQUET_DAMAGED, "gzip");
        file.p[at] = (char)(file.p[at] ^ 1);
    }
    free(text);
    buffer_fini(&file);
}

static void assert_lie(struct make m, enum decode_bad why, const char *says)
{
    char *text = log_text(LOGS "v2.log");
    struct buffer file = made(&m, text);
    assert_object_bad(slice_made(&file), why, says);
    buffer_fini(&file);
    free(text);
}

static void what_is_not_read_is_refused_by_name(void **state)
{
    (void)state;
    assert_lie((struct make){.lie.codec = 4}, BAD_PARQUET_FEATURE, "brotli");
    assert_lie((struct make){.lie.codec = 77}, BAD_PARQUET_FEATURE, "77");
    assert_lie((struct make){.lie.encoding = 7}, BAD_PARQUET_FEATURE, "DELTA_BYTE_ARRAY");
    assert_lie((struct make){.lie.encoding = 99}, BAD_PARQUET_FEATURE, "99");
    assert_lie((struct make){.lie.type = PARQUET_DOUBLE}, BAD_PARQUET_FEATURE, "DOUBLE");
    assert_lie((struct make){.lie.list = true}, BAD_PARQUET_FEATURE, "is a list");
    assert_lie((struct make){.lie.encrypted = true}, BAD_PARQUET_FEATURE, "encrypted");
    assert_lie((struct make){.lie.nested = true}, BAD_HEADER_MISSING, "OCSF");
}

static void an_encrypted_footer_is_named(void **state)
{
    char *text = log_text(LOGS "v2.log");
    struct buffer file = made(&(struct make){.codec = MAKE_NONE}, text);
    (void)state;
    file.p[file.n - 1] = 'E';
    assert_object_bad(slice_made(&file), BAD_PARQUET_FEATURE, "encrypted");
    buffer_fini(&file);
    free(text);
}

static void a_missing_column_is_named(void **state)
{
    struct buffer file = made(&(struct make){.codec = MAKE_NONE}, "version interface-id srcaddr dstaddr start\n2 eni-1 10.0.0.1 10.0.0.2 1700000000\n");
    (void)state;
    assert_object_bad(slice_made(&file), BAD_HEADER_MISSING, "bytes");
    buffer_fini(&file);
}

static void a_column_that_stands_twice_is_refused(void **state)
{
    struct buffer file = made(&(struct make){.codec = MAKE_NONE}, "interface-id srcaddr dstaddr start bytes bytes\neni-1 10.0.0.1 10.0.0.2 1700000000 1 2\n");
    (void)state;
    assert_object_bad(slice_made(&file), BAD_HEADER_DUPLICATE, "bytes");
    buffer_fini(&file);
}

static void sizes_and_counts_that_lie_are_damage(void **state)
{
    (void)state;
    assert_lie((struct make){.codec = MAKE_GZIP, .lie.page_bytes = 10}, BAD_PARQUET_DAMAGED, "gzip");
    assert_lie((struct make){.codec = MAKE_ZSTD, .lie.page_bytes = 1 << 20}, BAD_PARQUET_DAMAGED, "zstd");
    assert_lie((struct make){.codec = MAKE_SNAPPY, .lie.page_bytes = 1 << 20}, BAD_PARQUET_DAMAGED, "snappy");
    assert_lie((struct make){.codec = MAKE_GZIP, .lie.page_bytes = INT32_MAX}, BAD_PARQUET_FEATURE, "bounds");
    assert_lie((struct make){.lie.page_bytes = 10}, BAD_PARQUET_DAMAGED, "length of a page");
    assert_lie((struct make){.lie.page_values = 18}, BAD_PARQUET_DAMAGED, "fewer values");
    assert_lie((struct make){.lie.page_values = 1000}, BAD_PARQUET_DAMAGED, "more values");
    assert_lie((struct make){.lie.chunk_values = 18}, BAD_PARQUET_DAMAGED, "number of values");
    assert_lie((struct make){.lie.file_rows = 1000}, BAD_PARQUET_DAMAGED, "rows");
    assert_lie((struct make){.lie.file_rows = 3}, BAD_PARQUET_DAMAGED, "rows");
}

static void an_index_behind_the_dictionary_is_damage(void **state)
{
    (void)state;
    assert_lie((struct make){.texts = MAKE_DICTIONARY, .numbers = MAKE_DICTIONARY, .lie.indices = 1}, BAD_PARQUET_DAMAGED, "values");
    assert_lie((struct make){.texts = MAKE_DICTIONARY, .lie.indices = 1 << 30}, BAD_PARQUET_DAMAGED, "values");
}

static void rows_made_from_nothing_are_refused(void **state)
{
    (void)state;
    assert_lie((struct make){.lie.file_rows = 1 << 30}, BAD_PARQUET_FEATURE, "rows in");
}

/* ---- real logs ---- */

static void assert_real(const char *path, uint64_t records, uint64_t bytes)
{
    struct slice file = file_read(path);
    if (!file.p)
        skip();
    struct object_run o = run_object(file, 0);
    assert_int_equal(o.run->bad, BAD_NONE);
    assert_int_equal(o.run->counts.emitted, records);
    assert_int_equal(o.bytes, bytes);
    free(o.run);
    free((char *)(uintptr_t)file.p);
}

static void real_logs_in_gzip_pages_add_up(void **state) { (void)state; assert_real("../shared/data/aws/eks-20241220.gzip.parquet", 11057, 3245090831); }
static void real_logs_in_snappy_pages_add_up(void **state) { (void)state; assert_real("../shared/data/aws/eks-20241220.snappy.parquet", 11057, 3245090831); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_records_are_those_of_the_text_whatever_the_columns),
        cmocka_unit_test(the_records_are_the_same_in_every_codec_encoding_and_page_version),
        cmocka_unit_test(pages_and_groups_of_any_size_give_the_same_records),
        cmocka_unit_test(integers_of_any_width_and_as_text_are_read),
        cmocka_unit_test(a_dash_as_text_is_a_null),
        cmocka_unit_test(none_as_pandas_writes_it_is_a_null),
        cmocka_unit_test(rows_are_counted_from_one),
        cmocka_unit_test(a_bad_row_is_rejected_for_the_reason_of_its_line),
        cmocka_unit_test(a_reject_tells_row_column_and_text),
        cmocka_unit_test(a_negative_integer_is_no_number),
        cmocka_unit_test(an_object_too_large_for_memory_is_read_from_the_spool),
        cmocka_unit_test(no_rows_are_no_fault),
        cmocka_unit_test(a_decoder_reads_one_file_after_another),
        cmocka_unit_test(every_truncated_prefix_is_an_error),
        cmocka_unit_test(a_changed_byte_is_refused_or_counted),
        cmocka_unit_test(a_changed_byte_in_a_page_is_seen_by_its_checksum),
        cmocka_unit_test(a_gzip_page_is_held_to_its_trailer),
        cmocka_unit_test(what_is_not_read_is_refused_by_name),
        cmocka_unit_test(an_encrypted_footer_is_named),
        cmocka_unit_test(a_missing_column_is_named),
        cmocka_unit_test(a_column_that_stands_twice_is_refused),
        cmocka_unit_test(sizes_and_counts_that_lie_are_damage),
        cmocka_unit_test(an_index_behind_the_dictionary_is_damage),
        cmocka_unit_test(rows_made_from_nothing_are_refused),
        cmocka_unit_test(real_logs_in_gzip_pages_add_up),
        cmocka_unit_test(real_logs_in_snappy_pages_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
