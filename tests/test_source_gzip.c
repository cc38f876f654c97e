/* The torture list of the gzip container (formats 7.1), one test for each behaviour, with both engines and with the stored
 * bytes in pieces of several sizes. A container error spoils the whole object: what was inflated before it is handed out and
 * then refused. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "source_make.h"

#define TEXT "2 123456789010 eni-1 10.0.0.1 192.0.2.7 1 443 6 1 40 1 60 ACCEPT OK\n"
#define OTHER "2 123456789010 eni-2 10.0.0.2 192.0.2.7 2 443 6 1 40 1 60 ACCEPT OK\n"

static struct buffer gz; /* the object under test */

static int clear(void **state)
{
    (void)state;
    buffer_fini(&gz);
    buffer_init(&gz, MAKE_MAX);
    return 0;
}

static int fini(void **state)
{
    (void)state;
    buffer_fini(&gz);
    return 0;
}

static void expect_with(enum inflate_engine engine, const struct source_limits *limits, enum source_reject why, unsigned notes, const char *text)
{
    static const size_t chunks[] = {0, 1, 2, 7, 4096};
    if (!inflate_engine_has(engine))
        return;
    struct source *s = source_new(limits, engine);
    assert_non_null(s);
    assert_int_equal(gz.err, WEIR_OK);
    for (size_t i = 0; i < WEIR_COUNT(chunks); i++) {
        if (chunks[i] == 1 && gz.n > 1000000)
            continue;
        struct verdict v = read_bytes(s, gz.p, gz.n, chunks[i]);
        if (v.why != why)
            print_error("%s, pieces of %zu: %s: %s\n", inflate_engine_name(engine), chunks[i], source_reject_word(v.why), v.fault.text);
        assert_int_equal(v.why, why);
        assert_int_equal(v.err, why == SOURCE_ACCEPTED ? WEIR_END : source_reject_err(why));
        if (why == SOURCE_ACCEPTED)
            assert_int_equal(v.notes, notes);
        else
            assert_true(v.fault.text[0] != '\0');
        if (text)
            assert_string_equal(v.bytes ? v.bytes : "", text);
        free(v.bytes);
    }
    source_free(s);
}

/* text: exactly what comes out before the verdict; NULL: not looked at. */
static void expect(enum source_reject why, unsigned notes, const char *text)
{
    expect_with(INFLATE_ZLIB, NULL, why, notes, text);
    expect_with(INFLATE_ISAL, NULL, why, notes, text);
}

static void put_two_cut(size_t cut)
{
    put_gzip(&gz, TEXT);
    put_gzip(&gz, OTHER);
    gz.n -= cut;
}

static void notes_an_empty_file(void **state)
{
    (void)state;
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_EMPTY, "");
}

static void notes_a_gzip_of_nothing(void **state)
{
    (void)state;
    put_gzip(&gz, "");
    assert_int_equal(gz.n, 20);
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_EMPTY, "");
}

static void reads_a_plain_member_without_a_note(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    expect(SOURCE_ACCEPTED, 0, TEXT);
}

static void rejects_data_cut_in_the_middle(void **state)
{
    (void)state;
    struct buffer log;
    buffer_init(&log, MAKE_MAX);
    put_log(&log, 2000, 1);
    put_member(&gz, log.p, log.n, (struct member){0});
    gz.n /= 2;
    expect(SOURCE_GZIP_TRUNCATED, 0, NULL);
    buffer_fini(&log);
}

static void rejects_a_missing_trailer(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    gz.n -= 8;
    expect(SOURCE_GZIP_TRUNCATED, 0, TEXT);
}

static void rejects_half_a_trailer(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    gz.n -= 4;
    expect(SOURCE_GZIP_TRUNCATED, 0, TEXT);
}

static void names_the_offset_where_the_data_end(void **state)
{
    (void)state;
    struct fault fault = {0};
    put_gzip(&gz, TEXT);
    gz.n -= 4;
    struct source *s = source_new(NULL, INFLATE_BEST);
    struct verdict v = read_to_end(s, source_open_bytes(s, gz.p, gz.n, &fault), fault);
    char want[32];
    snprintf(want, sizeof want, "offset %zu", gz.n);
    assert_non_null(strstr(v.fault.text, want));
    free(v.bytes);
    source_free(s);
}

static void reads_two_members(void **state)
{
    (void)state;
    put_two_cut(0);
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_MULTI_MEMBER, TEXT OTHER);
}

static void rejects_a_second_member_cut_short(void **state)
{
    (void)state;
    put_two_cut(9);
    expect(SOURCE_GZIP_TRUNCATED, 0, NULL);
}

static void notes_nul_padding_behind_the_end(void **state)
{
    (void)state;
    static const char nuls[512];
    put_gzip(&gz, TEXT);
    buffer_put(&gz, nuls, sizeof nuls);
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_PADDING, TEXT);
}

static void reads_a_member_behind_nul_padding(void **state)
{
    (void)state;
    static const char nuls[512];
    put_gzip(&gz, TEXT);
    buffer_put(&gz, nuls, sizeof nuls);
    put_gzip(&gz, OTHER);
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_PADDING | SOURCE_NOTE_MULTI_MEMBER, TEXT OTHER);
}

static void notes_text_garbage_behind_the_end(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    buffer_puts(&gz, "uploaded by cron\n");
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_GARBAGE, TEXT);
}

static void rejects_a_member_hidden_in_garbage(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    buffer_puts(&gz, "uploaded by cron\n");
    put_gzip(&gz, OTHER);
    expect(SOURCE_GZIP_GARBAGE, 0, NULL);
}

static void rejects_a_damaged_magic_of_a_second_member(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        clear(NULL);
        put_gzip(&gz, TEXT);
        size_t second = gz.n;
        put_gzip(&gz, OTHER);
        gz.p[second + i] ^= 0x10;
        expect(SOURCE_GZIP_GARBAGE, 0, NULL);
    }
}

static void rejects_a_lone_first_magic_byte_at_the_end(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    buffer_put(&gz, "\x1f", 1);
    expect(SOURCE_GZIP_TRUNCATED, 0, TEXT);
}

static void rejects_a_lone_magic_at_the_end(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    buffer_put(&gz, "\x1f\x8b", 2);
    expect(SOURCE_GZIP_TRUNCATED, 0, TEXT);
}

static void rejects_a_wrong_crc(void **state)
{
    (void)state;
    put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.crc_delta = 1});
    expect(SOURCE_GZIP_CRC, 0, TEXT);
}

static void rejects_a_wrong_length(void **state)
{
    (void)state;
    put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.length_delta = 1});
    expect(SOURCE_GZIP_CRC, 0, TEXT);
}

static void rejects_a_wrong_crc_of_the_second_member(void **state)
{
    (void)state;
    put_gzip(&gz, TEXT);
    put_member(&gz, OTHER, sizeof OTHER - 1, (struct member){.crc_delta = 1});
    expect(SOURCE_GZIP_CRC, 0, TEXT OTHER);
}

static void rejects_a_flipped_bit_in_stored_data(void **state)
{
    (void)state;
    put_header(&gz, (struct member){0});
    size_t data = gz.n + 5; /* behind the header of a stored block */
    static const unsigned char stored[5] = {1, 4, 0, 0xfb, 0xff};
    buffer_put(&gz, stored, sizeof stored);
    buffer_puts(&gz, "abc\n");
    buffer_u32(&gz, (uint32_t)crc32(0, (const Bytef *)"abc\n", 4));
    buffer_u32(&gz, 4);
    gz.p[data] ^= 1;
    expect(SOURCE_GZIP_CRC, 0, "`bc\n");
}

static void rejects_an_invalid_block(void **state)
{
    (void)state;
    put_header(&gz, (struct member){0});
    buffer_put(&gz, "\7\7\7\7\7\7\7\7\7\7\7\7", 12); /* block type 3 */
    expect(SOURCE_GZIP_DATA, 0, "");
}

static void rejects_a_distance_before_the_start(void **state)
{
    (void)state;
    put_header(&gz, (struct member){0});
    buffer_put(&gz, "\x4b\x04\x62\x00\0\0\0\0\0\0\0\0\0\0", 14); /* fixed codes: 'a', then a match 3 at distance 5 */
    expect(SOURCE_GZIP_DATA, 0, NULL);
}

static void rejects_a_header_alone(void **state)
{
    (void)state;
    put_header(&gz, (struct member){0});
    assert_int_equal(gz.n, 10);
    expect(SOURCE_GZIP_TRUNCATED, 0, "");
}

static void rejects_every_cut_of_a_header_with_all_fields(void **state)
{
    (void)state;
    put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.flags = 2 | 4 | 8 | 16});
    for (gz.n = 30; gz.n > 0; gz.n--)
        expect(SOURCE_GZIP_TRUNCATED, 0, "");
}

static void reads_a_header_with_all_fields(void **state)
{
    (void)state;
    put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.flags = 1 | 2 | 4 | 8 | 16});
    expect(SOURCE_ACCEPTED, 0, TEXT);
}

static void rejects_a_wrong_header_checksum(void **state)
{
    (void)state;
    put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.flags = 2 | 8});
    gz.p[10] ^= 1; /* in the name */
    expect(SOURCE_GZIP_CRC, 0, "");
}

static void rejects_reserved_header_flags(void **state)
{
    (void)state;
    for (unsigned char flag = 0x20; flag != 0; flag = (unsigned char)(flag << 1)) {
        clear(NULL);
        put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.flags = flag});
        expect(SOURCE_GZIP_HEADER, 0, "");
    }
}

static void rejects_another_method(void **state)
{
    (void)state;
    put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.method_delta = 1});
    expect(SOURCE_GZIP_HEADER, 0, "");
}

static void unwraps_gzip_in_gzip_with_a_note(void **state)
{
    (void)state;
    struct buffer inner;
    buffer_init(&inner, MAKE_MAX);
    put_gzip(&inner, TEXT);
    put_member(&gz, inner.p, inner.n, (struct member){0});
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_NESTED, TEXT);
    buffer_fini(&inner);
}

static void reads_firehose_members_wrapped_once_more(void **state)
{
    (void)state;
    struct buffer inner;
    buffer_init(&inner, MAKE_MAX);
    put_gzip(&inner, TEXT);
    put_gzip(&inner, OTHER);
    put_member(&gz, inner.p, inner.n / 2, (struct member){0}); /* the border of the outer members lies inside an inner one */
    put_member(&gz, inner.p + inner.n / 2, inner.n - inner.n / 2, (struct member){0});
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_NESTED | SOURCE_NOTE_MULTI_MEMBER, TEXT OTHER);
    buffer_fini(&inner);
}

static void reads_a_large_object_wrapped_twice(void **state)
{
    (void)state;
    struct buffer log, inner;
    buffer_init(&log, MAKE_MAX);
    buffer_init(&inner, MAKE_MAX);
    put_log(&log, 20000, 2);
    put_member(&inner, log.p, log.n, (struct member){0});
    put_member(&gz, inner.p, inner.n, (struct member){0});
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_NESTED, buffer_cstr(&log));
    buffer_fini(&log);
    buffer_fini(&inner);
}

static void rejects_a_cut_inner_gzip(void **state)
{
    (void)state;
    struct buffer inner;
    buffer_init(&inner, MAKE_MAX);
    put_gzip(&inner, TEXT);
    put_member(&gz, inner.p, inner.n - 3, (struct member){0});
    expect(SOURCE_GZIP_TRUNCATED, 0, TEXT);
    buffer_fini(&inner);
}

static void rejects_gzip_in_gzip_in_gzip(void **state)
{
    (void)state;
    struct buffer inner, middle;
    buffer_init(&inner, MAKE_MAX);
    buffer_init(&middle, MAKE_MAX);
    put_gzip(&inner, TEXT);
    put_member(&middle, inner.p, inner.n, (struct member){0});
    put_member(&gz, middle.p, middle.n, (struct member){0});
    expect(SOURCE_NESTED, 0, "");
    buffer_fini(&inner);
    buffer_fini(&middle);
}

static void put_bomb(struct buffer *b, size_t bytes, char filler)
{
    char *much = malloc(bytes);
    assert_non_null(much);
    memset(much, filler, bytes);
    put_member(b, much, bytes, (struct member){.level = 9});
    free(much);
}

static void stops_a_bomb_of_one_endless_line(void **state)
{
    (void)state;
    put_bomb(&gz, 80U << 20, 'a');
    struct source *s = source_new(NULL, INFLATE_BEST);
    struct verdict v = read_bytes(s, gz.p, gz.n, 0);
    assert_int_equal(v.why, SOURCE_BOMB);
    assert_int_equal(v.err, WEIR_LIMIT);
    assert_int_equal(v.n, (64U << 20) + 1); /* below the free size no ratio is looked at */
    free(v.bytes);
    source_free(s);
}

static void stops_at_the_same_byte_with_every_engine(void **state)
{
    (void)state;
    struct source_limits limits = source_default_limits;
    struct buffer log;
    buffer_init(&log, MAKE_MAX);
    put_log(&log, 1000, 3);
    put_member(&gz, log.p, log.n, (struct member){0});
    for (size_t cut = 1; cut < log.n; cut += 7919) {
        limits.max_object_bytes = log.n - cut;
        char *upto = strndup(log.p, log.n - cut + 1);
        expect_with(INFLATE_ZLIB, &limits, SOURCE_BOMB, 0, upto);
        expect_with(INFLATE_ISAL, &limits, SOURCE_BOMB, 0, upto);
        free(upto);
    }
    limits.max_object_bytes = log.n;
    expect_with(INFLATE_ZLIB, &limits, SOURCE_ACCEPTED, 0, buffer_cstr(&log));
    expect_with(INFLATE_ISAL, &limits, SOURCE_ACCEPTED, 0, buffer_cstr(&log));
    buffer_fini(&log);
}

static void stops_a_bomb_inside_a_gzip(void **state)
{
    (void)state;
    struct buffer inner;
    struct source_limits limits = source_default_limits;
    limits.max_object_bytes = 1U << 20;
    buffer_init(&inner, MAKE_MAX);
    put_bomb(&inner, 8U << 20, 'a');
    put_member(&gz, inner.p, inner.n, (struct member){0});
    expect_with(INFLATE_ZLIB, &limits, SOURCE_BOMB, 0, NULL);
    expect_with(INFLATE_ISAL, &limits, SOURCE_BOMB, 0, NULL);
    buffer_fini(&inner);
}

static void rejects_plain_text_over_the_size_limit(void **state)
{
    (void)state;
    struct source_limits limits = source_default_limits;
    limits.max_object_bytes = sizeof TEXT - 2;
    buffer_puts(&gz, TEXT);
    expect_with(INFLATE_ZLIB, &limits, SOURCE_BOMB, 0, NULL);
}

static void never_takes_one_repeated_nodata_line_for_a_bomb(void **state)
{
    (void)state;
    struct buffer log;
    buffer_init(&log, MAKE_MAX);
    for (unsigned i = 0; log.n < (66U << 20); i++)
        buffer_printf(&log, "2 123456789010 eni-0123456789abcdef0 - - - - - - - %u %u - NODATA\n", 1700000000 + 60 * i, 1700000059 + 60 * i);
    put_member(&gz, log.p, log.n, (struct member){.level = 9});
    struct source *s = source_new(NULL, INFLATE_BEST);
    struct verdict v = read_bytes(s, gz.p, gz.n, 0);
    assert_int_equal(v.why, SOURCE_ACCEPTED);
    assert_int_equal(v.n, log.n);
    free(v.bytes);
    source_free(s);
    buffer_fini(&log);
}

static void reads_ten_thousand_tiny_members(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, MAKE_MAX);
    for (unsigned i = 0; i < 10000; i++) {
        put_gzip(&gz, OTHER);
        buffer_puts(&text, OTHER);
    }
    expect(SOURCE_ACCEPTED, SOURCE_NOTE_MULTI_MEMBER, buffer_cstr(&text));
    buffer_fini(&text);
}

static void passes_plain_text_through(void **state)
{
    (void)state;
    buffer_puts(&gz, TEXT OTHER);
    expect(SOURCE_ACCEPTED, 0, TEXT OTHER);
}

static void goes_on_to_the_next_object_after_a_damaged_one(void **state)
{
    (void)state;
    struct source *s = source_new(NULL, INFLATE_BEST);
    put_member(&gz, TEXT, sizeof TEXT - 1, (struct member){.crc_delta = 1});
    struct verdict bad = read_bytes(s, gz.p, gz.n, 0);
    assert_int_equal(bad.why, SOURCE_GZIP_CRC);
    clear(NULL);
    put_gzip(&gz, OTHER);
    struct verdict good = read_bytes(s, gz.p, gz.n, 0);
    assert_int_equal(good.err, WEIR_END);
    assert_string_equal(good.bytes, OTHER);
    free(bad.bytes);
    free(good.bytes);
    source_free(s);
}

static void id_is_the_hash_of_the_bytes_as_stored(void **state)
{
    (void)state;
    struct sha256 want, got;
    put_two_cut(0);
    buffer_puts(&gz, "garbage counts too");
    sha256_of(gz.p, gz.n, &want);
    struct source *s = source_new(NULL, INFLATE_BEST);
    struct verdict v = read_bytes(s, gz.p, gz.n, 5);
    source_id(s, &got);
    assert_memory_equal(&got, &want, sizeof got);
    assert_int_equal(source_stored_bytes(s), gz.n);
    free(v.bytes);
    source_free(s);
}

#define T(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(notes_an_empty_file), T(notes_a_gzip_of_nothing), T(reads_a_plain_member_without_a_note), T(rejects_data_cut_in_the_middle),
        T(rejects_a_missing_trailer), T(rejects_half_a_trailer), T(names_the_offset_where_the_data_end), T(reads_two_members),
        T(rejects_a_second_member_cut_short), T(notes_nul_padding_behind_the_end), T(reads_a_member_behind_nul_padding),
        T(notes_text_garbage_behind_the_end), T(rejects_a_member_hidden_in_garbage), T(rejects_a_damaged_magic_of_a_second_member),
        T(rejects_a_lone_first_magic_byte_at_the_end), T(rejects_a_lone_magic_at_the_end), T(rejects_a_wrong_crc), T(rejects_a_wrong_length),
        T(rejects_a_wrong_crc_of_the_second_member), T(rejects_a_flipped_bit_in_stored_data), T(rejects_an_invalid_block),
        T(rejects_a_distance_before_the_start), T(rejects_a_header_alone), T(rejects_every_cut_of_a_header_with_all_fields),
        T(reads_a_header_with_all_fields), T(rejects_a_wrong_header_checksum), T(rejects_reserved_header_flags), T(rejects_another_method),
        T(unwraps_gzip_in_gzip_with_a_note), T(reads_firehose_members_wrapped_once_more), T(reads_a_large_object_wrapped_twice),
        T(rejects_a_cut_inner_gzip), T(rejects_gzip_in_gzip_in_gzip), T(stops_a_bomb_of_one_endless_line),
        T(stops_at_the_same_byte_with_every_engine), T(stops_a_bomb_inside_a_gzip), T(rejects_plain_text_over_the_size_limit),
        T(never_takes_one_repeated_nodata_line_for_a_bomb), T(reads_ten_thousand_tiny_members), T(passes_plain_text_through),
        T(goes_on_to_the_next_object_after_a_damaged_one), T(id_is_the_hash_of_the_bytes_as_stored),
    };
    return cmocka_run_group_tests_name("source_gzip", tests, NULL, fini);
}
