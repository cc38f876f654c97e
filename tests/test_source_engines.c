/* zlib and ISA-L must agree: the same bytes for whatever is accepted, the same reason for whatever is not. Over all prefixes and
 * random damage of one object, and over every way in which zlib can write deflate. Skips loudly without ISA-L. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source_make.h"

#define FLIPS 2000

struct both {
    struct source *zlib, *isal;
};

static struct both open_both(void)
{
    if (!inflate_engine_has(INFLATE_ISAL)) {
        print_message("skipped: ISA-L is not built in, there is nothing to compare\n");
        skip();
    }
    struct both b = {source_new(NULL, INFLATE_ZLIB), source_new(NULL, INFLATE_ISAL)};
    assert_non_null(b.zlib);
    assert_non_null(b.isal);
    return b;
}

static void close_both(struct both b)
{
    source_free(b.zlib);
    source_free(b.isal);
}

/* What a refused object gave before is thrown away by the caller: there the bytes of zlib need only be a beginning of the others. */
static enum source_reject expect_same(struct both b, const char *bytes, size_t n)
{
    struct verdict z = read_bytes(b.zlib, bytes, n, 0), i = read_bytes(b.isal, bytes, n, 0);
    enum source_reject why = z.why;
    if (z.why != i.why)
        print_error("zlib: %s (%s), isa-l: %s (%s)\n", source_reject_word(z.why), z.fault.text, source_reject_word(i.why), i.fault.text);
    assert_int_equal(z.why, i.why);
    assert_int_equal(z.err, i.err);
    if (z.err != WEIR_END)
        assert_string_equal(z.fault.text, i.fault.text);
    else
        assert_int_equal(z.n, i.n);
    assert_int_equal(z.notes, i.notes);
    assert_true(z.n <= i.n);
    if (z.n)
        assert_memory_equal(z.bytes, i.bytes, z.n);
    free(z.bytes);
    free(i.bytes);
    return why;
}

static void put_object_of_50_kb(struct buffer *gz)
{
    struct buffer log;
    buffer_init(gz, MAKE_MAX);
    buffer_init(&log, MAKE_MAX);
    put_log(&log, 2700, 7);
    put_member(gz, log.p, log.n / 2, (struct member){.flags = 8});
    put_member(gz, log.p + log.n / 2, log.n - log.n / 2, (struct member){0});
    assert_in_range(gz->n, 45000, 60000);
    buffer_fini(&log);
}

static void no_prefix_of_an_object_is_taken_for_the_whole(void **state)
{
    (void)state;
    struct buffer gz;
    struct both b = open_both();
    put_object_of_50_kb(&gz);
    size_t accepted = 0;
    for (size_t n = 1; n < gz.n; n += n < 600 || n + 600 > gz.n ? 1 : 17)
        accepted += expect_same(b, gz.p, n) == SOURCE_ACCEPTED;
    assert_int_equal(accepted, 0); /* the border between the members is met only by chance, and tested by name elsewhere */
    buffer_fini(&gz);
    close_both(b);
}

static void every_prefix_of_one_member_is_truncated(void **state)
{
    (void)state;
    struct buffer text, gz;
    buffer_init(&text, MAKE_MAX);
    buffer_init(&gz, MAKE_MAX);
    for (uint64_t i = 0; i < 65000; i++) /* hard to compress, so that there is little to inflate 50,000 times */
        buffer_u8(&text, (uint8_t)(' ' + (stable_mix(i + 1) & 63)));
    put_member(&gz, text.p, text.n, (struct member){0});
    assert_in_range(gz.n, 45000, 60000);
    struct source *s = source_new(NULL, INFLATE_ZLIB); /* has the last word for every engine */
    for (size_t n = 1; n < gz.n; n++) {
        struct fault fault = {0};
        char out[READ_CAP];
        size_t made = 0;
        enum weir_err err = source_open_bytes(s, gz.p, n, &fault);
        while (err == WEIR_OK)
            err = source_read(s, out, sizeof out, &made, &fault);
        assert_int_equal(source_why(s), SOURCE_GZIP_TRUNCATED);
    }
    source_free(s);
    buffer_fini(&text);
    buffer_fini(&gz);
}

static void random_bit_flips_get_the_same_verdict(void **state)
{
    (void)state;
    struct buffer gz;
    struct both b = open_both();
    put_object_of_50_kb(&gz);
    size_t refused = 0;
    for (uint64_t i = 1; i <= FLIPS; i++) {
        uint64_t r = stable_mix(i * 0x9e3779b97f4a7c15ULL);
        size_t at = (size_t)(r >> 8) % (i % 4 ? gz.n : 200); /* one in four hits the first block header */
        char bit = (char)(1 << (r & 7));
        gz.p[at] ^= bit;
        refused += expect_same(b, gz.p, gz.n) != SOURCE_ACCEPTED;
        gz.p[at] ^= bit;
    }
    assert_true(refused > FLIPS * 9 / 10);
    buffer_fini(&gz);
    close_both(b);
}

static void random_overwrites_get_the_same_verdict(void **state)
{
    (void)state;
    struct buffer gz;
    struct both b = open_both();
    put_object_of_50_kb(&gz);
    char kept[16];
    for (uint64_t i = 1; i <= FLIPS / 4; i++) {
        uint64_t r = stable_mix(i * 0x9e3779b97f4a7c15ULL + 5);
        size_t n = 1 + (size_t)(r & 15), at = (size_t)(r >> 8) % (gz.n - 16);
        memcpy(kept, gz.p + at, n);
        for (size_t k = 0; k < n; k++)
            gz.p[at + k] = (char)(stable_mix(r + k) >> 17);
        expect_same(b, gz.p, gz.n);
        memcpy(gz.p + at, kept, n);
    }
    buffer_fini(&gz);
    close_both(b);
}

static void every_way_of_deflating_gives_the_same_bytes(void **state)
{
    (void)state;
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    static const unsigned lines[] = {0, 1, 3, 40, 900, 20000};
    struct both b = open_both();
    for (size_t l = 0; l < WEIR_COUNT(lines); l++) {
        struct buffer log;
        buffer_init(&log, MAKE_MAX);
        put_log(&log, lines[l], l);
        for (int level = 1; level <= 9; level += 4) {
            for (size_t i = 0; i < WEIR_COUNT(strategies); i++) {
                struct buffer gz;
                buffer_init(&gz, MAKE_MAX);
                put_member(&gz, log.p, log.n, (struct member){.level = level, .strategy = strategies[i]});
                assert_int_equal(expect_same(b, gz.p, gz.n), SOURCE_ACCEPTED);
                buffer_fini(&gz);
            }
        }
        buffer_fini(&log);
    }
    close_both(b);
}

/* A member whose text is the same block of flushed deflate again and again: matches reach back everywhere. */
static void put_repeated(struct buffer *gz, const struct buffer *text, unsigned times)
{
    struct buffer block;
    buffer_init(&block, MAKE_MAX);
    z_stream z = {.next_in = (z_const Bytef *)text->p, .avail_in = (uInt)text->n};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, 0), Z_OK);
    size_t bound = deflateBound(&z, (uLong)text->n) + 64;
    z.next_out = (Bytef *)buffer_reserve(&block, bound);
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
    block.n = bound - z.avail_out;
    deflateEnd(&z);
    uLong crc = 0, one = crc32(0, (const Bytef *)text->p, (uInt)text->n);
    put_header(gz, (struct member){0});
    for (unsigned i = 0; i < times; i++) {
        buffer_put(gz, block.p, block.n);
        crc = crc32_combine(crc, one, (z_off_t)text->n);
    }
    buffer_put(gz, "\3\0", 2); /* an empty last block */
    buffer_u32(gz, (uint32_t)crc);
    buffer_u32(gz, (uint32_t)((uint64_t)text->n * times));
    buffer_fini(&block);
}

/* ISA-L counts output in 32 bits and checks distances against the count: distances of 30,000 at a call that begins when the
 * count has just wrapped. */
static void reads_a_member_longer_than_four_gib(void **state)
{
    (void)state;
    enum { PERIOD = 30000, PART = 35 * PERIOD, TIMES = 4091 };
    struct buffer text, gz;
    struct source_limits limits = source_default_limits;
    limits.max_ratio = 2000;
    buffer_init(&text, MAKE_MAX);
    buffer_init(&gz, MAKE_MAX);
    for (uint64_t i = 0; i < PERIOD; i++)
        buffer_u8(&text, (uint8_t)(' ' + (stable_mix(i + 1) & 63)));
    assert_non_null(buffer_reserve(&text, PART)); /* so that text.p stays where it is */
    while (text.n < PART)
        buffer_put(&text, text.p, PERIOD);
    put_repeated(&gz, &text, TIMES);
    struct source *s = source_new(&limits, INFLATE_BEST);
    static char out[READ_CAP];
    size_t n = 0;
    struct fault fault = {0};
    enum weir_err err = source_open_bytes(s, gz.p, gz.n, &fault);
    while (err == WEIR_OK)
        err = source_read(s, out, sizeof out, &n, &fault);
    assert_string_equal(fault.text, "");
    assert_int_equal(err, WEIR_END);
    assert_true(source_inflated_bytes(s) == (uint64_t)text.n * TIMES && source_inflated_bytes(s) > UINT32_MAX);
    source_free(s);
    buffer_fini(&text);
    buffer_fini(&gz);
}

static void names_its_engines(void **state)
{
    (void)state;
    assert_true(inflate_engine_has(INFLATE_ZLIB) && inflate_engine_has(INFLATE_BEST));
    assert_memory_equal(inflate_engine_name(INFLATE_ZLIB), "zlib ", 5);
    assert_string_equal(inflate_engine_name(INFLATE_ISAL), inflate_engine_has(INFLATE_ISAL) ? "isa-l" : "not built in");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_its_engines),
        cmocka_unit_test(no_prefix_of_an_object_is_taken_for_the_whole),
        cmocka_unit_test(every_prefix_of_one_member_is_truncated),
        cmocka_unit_test(random_bit_flips_get_the_same_verdict),
        cmocka_unit_test(random_overwrites_get_the_same_verdict),
        cmocka_unit_test(every_way_of_deflating_gives_the_same_bytes),
        cmocka_unit_test(reads_a_member_longer_than_four_gib),
    };
    return cmocka_run_group_tests_name("source_engines", tests, NULL, NULL);
}
