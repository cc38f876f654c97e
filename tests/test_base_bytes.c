/* base, bytes: errors, slices, cursor, numbers, buffer, stored values, arena. Foreign bytes are given to the readers
 * as exact-size malloc copies, so that a sanitizer sees a read of one byte too many. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/base.h>

static void *exact(const void *bytes, size_t n)
{
    void *p = malloc(n ? n : 1);
    assert_non_null(p);
    memcpy(p, bytes, n);
    return p;
}

/* ---- errors and slices ---- */

static void every_error_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int e = 0; e < WEIR_ERR_COUNT; e++) {
        assert_true(strlen(weir_err_name((enum weir_err)e)) > 1);
        assert_true(strlen(weir_err_text((enum weir_err)e)) > 1);
    }
    assert_string_equal(weir_err_name(WEIR_TRUNCATED), "TRUNCATED");
    assert_string_equal(weir_err_text(WEIR_TRUNCATED), "input ends early");
}

static void an_unknown_error_number_reads_no_foreign_memory(void **state)
{
    (void)state;
    assert_string_equal(weir_err_name((enum weir_err)1000), "UNKNOWN");
    assert_string_equal(weir_err_text((enum weir_err)-1), "unknown error");
}

static void a_fault_may_be_told_around_its_own_text(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(fault_set(&f, WEIR_RANGE, "bytes '%d' < 0", -5), WEIR_RANGE);
    assert_int_equal(fault_set(&f, f.err, "cannot decode 'a.gz': line 812: %s", f.text), WEIR_RANGE);
    assert_string_equal(f.text, "cannot decode 'a.gz': line 812: bytes '-5' < 0");
}

static void a_fault_too_long_is_cut_and_nobody_needs_one(void **state)
{
    (void)state;
    struct fault f;
    fault_set(&f, WEIR_IO, "%1000d", 1);
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
    assert_int_equal(fault_set(NULL, WEIR_IO, "x"), WEIR_IO);
}

static void slices_compare_bytewise_and_shorter_first(void **state)
{
    (void)state;
    assert_true(slice_cmp(SLICE_LIT("ab"), SLICE_LIT("abc")) < 0);
    assert_true(slice_cmp(SLICE_LIT("b"), SLICE_LIT("abc")) > 0);
    assert_true(slice_cmp(SLICE_LIT("\xff"), SLICE_LIT("a")) > 0);
    assert_int_equal(slice_cmp((struct slice){NULL, 0}, SLICE_LIT("")), 0);
    assert_true(slice_eq((struct slice){NULL, 0}, SLICE_LIT("")));
    assert_false(slice_eq(SLICE_LIT("a\0b"), SLICE_LIT("a\0c")));
}

static void only_ascii_letters_have_a_case(void **state)
{
    (void)state;
    assert_true(slice_eq_nocase(SLICE_LIT("Log-Status"), SLICE_LIT("LOG-sTATUS")));
    assert_false(slice_eq_nocase(SLICE_LIT("["), SLICE_LIT("{")));
    assert_false(slice_eq_nocase(SLICE_LIT("@"), SLICE_LIT("`")));
    assert_false(slice_eq_nocase(SLICE_LIT("\xc3\xa4"), SLICE_LIT("\xc3\x84")));
}

static void guesses_the_nearest_name_but_not_a_far_one(void **state)
{
    (void)state;
    static const char *const names[] = {"lateness", "slot", "budget", "store"};
    assert_string_equal(nearest_name(SLICE_LIT("latenes"), names, 4), "lateness");
    assert_string_equal(nearest_name(SLICE_LIT("sotre"), names, 4), "store");
    assert_string_equal(nearest_name(SLICE_LIT("bugdet"), names, 4), "budget");
    assert_null(nearest_name(SLICE_LIT("xyzzyx"), names, 4));
    assert_null(nearest_name(SLICE_LIT("slot"), names, 0));
}

static void a_huge_wrong_name_has_no_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"lateness"};
    char *huge = calloc(1, 1 << 20);
    assert_null(nearest_name((struct slice){huge, 1 << 20}, names, 1));
    free(huge);
}

/* ---- cursor ---- */

static void reads_little_endian_numbers_and_bytes_in_turn(void **state)
{
    (void)state;
    static const unsigned char in[] = {1, 2, 1, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 0x81, 'a', 'b'};
    unsigned char *p = exact(in, sizeof in);
    struct cursor c = cursor_of(p, sizeof in);
    assert_int_equal(cursor_u8(&c), 1);
    assert_int_equal(cursor_u16(&c), 0x0102);
    assert_int_equal(cursor_u32(&c), 0x01020304);
    assert_true(cursor_u64(&c) == 0x8102030405060708ULL);
    assert_true(slice_eq(cursor_bytes(&c, 2), SLICE_LIT("ab")));
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(c.err, WEIR_OK);
    free(p);
}

static void the_first_failure_stays_and_later_reads_give_zero(void **state)
{
    (void)state;
    unsigned char *p = exact("\x05" "abc", 4);
    struct cursor c = cursor_of(p, 4);
    assert_int_equal(cursor_string(&c, 4).n, 0);
    assert_int_equal(c.err, WEIR_RANGE);
    assert_int_equal(cursor_u8(&c), 0);
    assert_int_equal(cursor_bytes(&c, 100).n, 0);
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(c.err, WEIR_RANGE);
    free(p);
}

static void a_length_near_the_end_of_memory_does_not_wrap(void **state)
{
    (void)state;
    unsigned char *p = exact("abcd", 4);
    static const size_t lengths[] = {5, SIZE_MAX, SIZE_MAX - 3, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < WEIR_COUNT(lengths); i++) {
        struct cursor c = cursor_of(p, 4);
        assert_int_equal(cursor_bytes(&c, lengths[i]).n, 0);
        assert_int_equal(c.err, WEIR_TRUNCATED);
    }
    free(p);
}

static void every_cut_of_a_value_is_truncated(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1000);
    buffer_u64(&b, 7);
    buffer_varint(&b, UINT64_MAX);
    buffer_string(&b, SLICE_LIT("hello"));
    for (size_t n = 0; n <= b.n; n++) {
        char *p = exact(b.p, n);
        struct cursor c = cursor_of(p, n);
        (void)cursor_u64(&c);
        (void)cursor_varint(&c);
        (void)cursor_string(&c, 5);
        assert_int_equal(c.err, n < b.n ? WEIR_TRUNCATED : WEIR_OK);
        free(p);
    }
    buffer_fini(&b);
}

static void varints_come_back_as_they_went(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, 1ULL << 35, (1ULL << 63) - 1, 1ULL << 63, UINT64_MAX};
    struct buffer b;
    buffer_init(&b, 1000);
    for (size_t i = 0; i < WEIR_COUNT(values); i++)
        buffer_varint(&b, values[i]);
    struct cursor c = cursor_of(b.p, b.n);
    for (size_t i = 0; i < WEIR_COUNT(values); i++)
        assert_true(cursor_varint(&c) == values[i]);
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(c.err, WEIR_OK);
    buffer_fini(&b);
}

static void refuses_a_varint_past_64_bits(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81"};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        char *p = exact(bad[i], 10);
        struct cursor c = cursor_of(p, 10);
        assert_true(cursor_varint(&c) == 0);
        assert_int_equal(c.err, WEIR_RANGE);
        free(p);
    }
}

static void an_empty_cursor_is_truncated_at_once(void **state)
{
    (void)state;
    struct cursor c = cursor_of(NULL, 0), zero = {0};
    assert_int_equal(cursor_u32(&c), 0);
    assert_int_equal(c.err, WEIR_TRUNCATED);
    assert_int_equal(cursor_u8(&zero), 0);
    assert_int_equal(zero.err, WEIR_TRUNCATED);
}

/* ---- numbers in text ---- */

static enum weir_err parse(const char *text, uint64_t max, uint64_t *out)
{
    char *p = exact(text, strlen(text));
    enum weir_err err = parse_u64((struct slice){p, strlen(text)}, max, out);
    free(p);
    return err;
}

static void parses_digits_and_leading_zeros(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_int_equal(parse("0", 9, &v), WEIR_OK);
    assert_int_equal(v, 0);
    assert_int_equal(parse("0443", 65535, &v), WEIR_OK);
    assert_int_equal(v, 443);
    assert_int_equal(parse("0000000000000000000000000000000012", 12, &v), WEIR_OK);
    assert_int_equal(v, 12);
    assert_int_equal(parse("18446744073709551615", UINT64_MAX, &v), WEIR_OK);
    assert_true(v == UINT64_MAX);
}

static void rejects_everything_but_digits(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-5", "+7", " 7", "7 ", "0x10", "1e3", "12abc", "1.5", "-", "99999999999999999999x", "7\n"};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        uint64_t v = 77;
        assert_int_equal(parse(bad[i], UINT64_MAX, &v), WEIR_SYNTAX);
        assert_int_equal(v, 77);
    }
    uint64_t v;
    assert_int_equal(parse_u64(SLICE_LIT("1\0"), 9, &v), WEIR_SYNTAX);
}

static void rejects_a_number_past_64_bits(void **state)
{
    (void)state;
    uint64_t v;
    assert_int_equal(parse("18446744073709551616", UINT64_MAX, &v), WEIR_RANGE);
    assert_int_equal(parse("18446744073709551620", UINT64_MAX, &v), WEIR_RANGE);
    assert_int_equal(parse("184467440737095516150", UINT64_MAX, &v), WEIR_RANGE);
    assert_int_equal(parse("99999999999999999999999999999999", UINT64_MAX, &v), WEIR_RANGE);
}

static void rejects_a_number_past_its_maximum(void **state)
{
    (void)state;
    uint64_t v;
    assert_int_equal(parse("65536", 65535, &v), WEIR_RANGE);
    assert_int_equal(parse("65535", 65535, &v), WEIR_OK);
}

static void parses_amounts_in_decimal_and_iec_units(void **state)
{
    (void)state;
    uint64_t v;
    assert_int_equal(parse_bytes(SLICE_LIT("64"), &v), WEIR_OK);
    assert_true(v == 64);
    assert_int_equal(parse_bytes(SLICE_LIT("64KiB"), &v), WEIR_OK);
    assert_true(v == 65536);
    assert_int_equal(parse_bytes(SLICE_LIT("20MB"), &v), WEIR_OK);
    assert_true(v == 20000000);
    assert_int_equal(parse_bytes(SLICE_LIT("16383PiB"), &v), WEIR_OK);
    assert_true(v == 16383ULL << 50);
    assert_int_equal(parse_bytes(SLICE_LIT("16384PiB"), &v), WEIR_RANGE);
    assert_int_equal(parse_bytes(SLICE_LIT("64 KiB"), &v), WEIR_SYNTAX);
    assert_int_equal(parse_bytes(SLICE_LIT("KiB"), &v), WEIR_SYNTAX);
    assert_int_equal(parse_bytes(SLICE_LIT("1kib"), &v), WEIR_SYNTAX);
}

static void parses_durations_with_a_unit(void **state)
{
    (void)state;
    uint64_t v;
    assert_int_equal(parse_duration(SLICE_LIT("90s"), &v), WEIR_OK);
    assert_true(v == 90);
    assert_int_equal(parse_duration(SLICE_LIT("15m"), &v), WEIR_OK);
    assert_true(v == 900);
    assert_int_equal(parse_duration(SLICE_LIT("7d"), &v), WEIR_OK);
    assert_true(v == 604800);
    assert_int_equal(parse_duration(SLICE_LIT("0"), &v), WEIR_OK);
    assert_true(v == 0);
    assert_int_equal(parse_duration(SLICE_LIT("90"), &v), WEIR_SYNTAX);
    assert_int_equal(parse_duration(SLICE_LIT("1h30m"), &v), WEIR_SYNTAX);
    assert_int_equal(parse_duration(SLICE_LIT("213503982334602d"), &v), WEIR_RANGE);
}

/* ---- buffer ---- */

static void grows_up_to_its_limit_and_not_a_byte_further(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        buffer_u8(&b, 'x');
    assert_int_equal(b.err, WEIR_OK);
    assert_int_equal(strlen(buffer_cstr(&b)), 1000);
    buffer_u8(&b, 'y');
    assert_int_equal(b.err, WEIR_LIMIT);
    assert_int_equal(b.n, 1000);
    buffer_fini(&b);
}

static void an_append_that_does_not_fit_leaves_nothing_behind(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 10);
    buffer_puts(&b, "12345");
    buffer_string(&b, SLICE_LIT("67890")); /* 6 bytes with its length */
    assert_int_equal(b.err, WEIR_LIMIT);
    assert_int_equal(b.n, 5);
    buffer_puts(&b, "6"); /* would fit, but something is missing before it */
    assert_int_equal(b.n, 5);
    assert_string_equal(buffer_cstr(&b), "");
    buffer_fini(&b);
}

static void clear_forgets_bytes_and_failure(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 3);
    buffer_puts(&b, "1234");
    assert_int_equal(b.err, WEIR_LIMIT);
    buffer_clear(&b);
    buffer_puts(&b, "123");
    assert_string_equal(buffer_cstr(&b), "123");
    buffer_fini(&b);
}

static void huge_reserves_neither_wrap_nor_allocate(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 100);
    buffer_puts(&b, "12345");
    assert_null(buffer_reserve(&b, SIZE_MAX));
    assert_int_equal(b.err, WEIR_LIMIT);
    buffer_clear(&b);
    buffer_puts(&b, "12345");
    assert_null(buffer_reserve(&b, SIZE_MAX - 4));
    buffer_fini(&b);
}

static void prints_across_a_growth_and_up_to_the_limit(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 66);
    buffer_printf(&b, "%s", "");
    buffer_printf(&b, "%060d", 1);
    buffer_printf(&b, "[%d]", 1234);
    assert_int_equal(b.err, WEIR_OK);
    assert_int_equal(b.n, 66);
    assert_string_equal(buffer_cstr(&b) + 59, "1[1234]");
    buffer_printf(&b, "%d", 5);
    assert_int_equal(b.err, WEIR_LIMIT);
    buffer_fini(&b);
}

static void an_empty_buffer_is_an_empty_text(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 0);
    assert_string_equal(buffer_cstr(&b), "");
    assert_non_null(buffer_reserve(&b, 0));
    buffer_put(&b, NULL, 0);
    assert_string_equal(buffer_cstr(&b), "");
    assert_int_equal(b.err, WEIR_OK);
    buffer_fini(&b);
}

/* ---- stored values ---- */

static void make_blob(struct buffer *b)
{
    buffer_init(b, 1000);
    buffer_puts(b, "before");
    size_t begin = blob_begin(b, 'B', 3);
    buffer_u32(b, 0xdeadbeef);
    buffer_puts(b, "payload");
    blob_end(b, begin);
    memmove(b->p, b->p + begin, b->n - begin);
    b->n -= begin;
}

static void a_stored_value_opens_as_it_was_closed(void **state)
{
    (void)state;
    struct buffer b;
    make_blob(&b);
    uint8_t version;
    struct cursor c;
    assert_int_equal(blob_open((struct slice){b.p, b.n}, 'B', 3, &version, &c), WEIR_OK);
    assert_int_equal(version, 3);
    assert_int_equal(cursor_u32(&c), 0xdeadbeef);
    assert_true(slice_eq(cursor_bytes(&c, 7), SLICE_LIT("payload")));
    assert_int_equal(cursor_left(&c), 0);
    buffer_fini(&b);
}

static void every_flipped_bit_of_a_stored_value_is_seen(void **state)
{
    (void)state;
    struct buffer b;
    make_blob(&b);
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        char *p = exact(b.p, b.n);
        p[bit / 8] = (char)(p[bit / 8] ^ 1 << (bit % 8));
        uint8_t version;
        struct cursor c;
        enum weir_err err = blob_open((struct slice){p, b.n}, 'B', 255, &version, &c);
        assert_true(err == WEIR_CORRUPT || err == WEIR_TRUNCATED);
        free(p);
    }
    buffer_fini(&b);
}

static void every_cut_of_a_stored_value_is_truncated(void **state)
{
    (void)state;
    struct buffer b;
    make_blob(&b);
    for (size_t n = 0; n < b.n; n++) {
        char *p = exact(b.p, n);
        uint8_t version;
        struct cursor c;
        assert_int_equal(blob_open((struct slice){p, n}, 'B', 3, &version, &c), WEIR_TRUNCATED);
        free(p);
    }
    buffer_u8(&b, 0);
    uint8_t version;
    struct cursor c;
    assert_int_equal(blob_open((struct slice){b.p, b.n}, 'B', 3, &version, &c), WEIR_CORRUPT);
    buffer_fini(&b);
}

static void a_newer_version_and_another_kind_are_told_apart(void **state)
{
    (void)state;
    struct buffer b;
    make_blob(&b);
    uint8_t version;
    struct cursor c;
    assert_int_equal(blob_open((struct slice){b.p, b.n}, 'B', 2, &version, &c), WEIR_VERSION);
    assert_int_equal(blob_open((struct slice){b.p, b.n}, 'W', 3, &version, &c), WEIR_CORRUPT);
    buffer_fini(&b);
}

static void a_value_that_hit_the_limit_stays_failed(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 13);
    size_t begin = blob_begin(&b, 'B', 1);
    blob_end(&b, begin);
    assert_int_equal(b.err, WEIR_LIMIT);
    buffer_fini(&b);
}

/* ---- arena ---- */

static void arena_memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    for (size_t n = 0; n < 2000; n += 7) {
        unsigned char *p = arena_alloc(a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xaa, n);
    }
    arena_free(a);
}

static void arena_honours_its_cap_to_the_byte(void **state)
{
    (void)state;
    static const size_t caps[] = {16, 1024, 4096, 10000, 100000, 3 << 20};
    for (size_t i = 0; i < WEIR_COUNT(caps); i++) {
        struct arena *a = arena_new(caps[i]);
        size_t used = 0;
        while (arena_alloc(a, 16))
            used += 16;
        assert_int_equal(used, caps[i] & ~(size_t)15);
        arena_free(a);
    }
}

static void arena_refuses_sizes_that_would_wrap(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX - 40, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < WEIR_COUNT(sizes); i++)
        assert_null(arena_alloc(a, sizes[i]));
    assert_non_null(arena_alloc(a, 1));
    arena_free(a);
}

static void a_huge_allocation_does_not_waste_the_block_before_it(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    char *before = arena_alloc(a, 16), *huge = arena_alloc(a, 4 << 20), *after = arena_alloc(a, 16);
    assert_ptr_equal(after, before + 16);
    memset(huge, 1, 4 << 20);
    arena_free(a);
}

static void arena_copies_slices(void **state)
{
    (void)state;
    struct arena *a = arena_new(32);
    struct slice s = arena_slice(a, SLICE_LIT("weir"));
    assert_true(slice_eq(s, SLICE_LIT("weir")));
    assert_non_null(arena_slice(a, SLICE_LIT("")).p);
    assert_null(arena_slice(a, SLICE_LIT("no room left")).p);
    arena_free(a);
    arena_free(NULL);
}

static void sums_stop_at_the_top_instead_of_wrapping(void **state)
{
    (void)state;
    assert_true(sat_add(UINT64_MAX - 1, 1) == UINT64_MAX);
    assert_true(sat_add(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    assert_true(sat_add32(UINT32_MAX, 7) == UINT32_MAX);
    assert_true(sat_add32(3, 4) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_name_and_a_text),
        cmocka_unit_test(an_unknown_error_number_reads_no_foreign_memory),
        cmocka_unit_test(a_fault_may_be_told_around_its_own_text),
        cmocka_unit_test(a_fault_too_long_is_cut_and_nobody_needs_one),
        cmocka_unit_test(slices_compare_bytewise_and_shorter_first),
        cmocka_unit_test(only_ascii_letters_have_a_case),
        cmocka_unit_test(guesses_the_nearest_name_but_not_a_far_one),
        cmocka_unit_test(a_huge_wrong_name_has_no_nearest),
        cmocka_unit_test(reads_little_endian_numbers_and_bytes_in_turn),
        cmocka_unit_test(the_first_failure_stays_and_later_reads_give_zero),
        cmocka_unit_test(a_length_near_the_end_of_memory_does_not_wrap),
        cmocka_unit_test(every_cut_of_a_value_is_truncated),
        cmocka_unit_test(varints_come_back_as_they_went),
        cmocka_unit_test(refuses_a_varint_past_64_bits),
        cmocka_unit_test(an_empty_cursor_is_truncated_at_once),
        cmocka_unit_test(parses_digits_and_leading_zeros),
        cmocka_unit_test(rejects_everything_but_digits),
        cmocka_unit_test(rejects_a_number_past_64_bits),
        cmocka_unit_test(rejects_a_number_past_its_maximum),
        cmocka_unit_test(parses_amounts_in_decimal_and_iec_units),
        cmocka_unit_test(parses_durations_with_a_unit),
        cmocka_unit_test(grows_up_to_its_limit_and_not_a_byte_further),
        cmocka_unit_test(an_append_that_does_not_fit_leaves_nothing_behind),
        cmocka_unit_test(clear_forgets_bytes_and_failure),
        cmocka_unit_test(huge_reserves_neither_wrap_nor_allocate),
        cmocka_unit_test(prints_across_a_growth_and_up_to_the_limit),
        cmocka_unit_test(an_empty_buffer_is_an_empty_text),
        cmocka_unit_test(a_stored_value_opens_as_it_was_closed),
        cmocka_unit_test(every_flipped_bit_of_a_stored_value_is_seen),
        cmocka_unit_test(every_cut_of_a_stored_value_is_truncated),
        cmocka_unit_test(a_newer_version_and_another_kind_are_told_apart),
        cmocka_unit_test(a_value_that_hit_the_limit_stays_failed),
        cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
        cmocka_unit_test(arena_honours_its_cap_to_the_byte),
        cmocka_unit_test(arena_refuses_sizes_that_would_wrap),
        cmocka_unit_test(a_huge_allocation_does_not_waste_the_block_before_it),
        cmocka_unit_test(arena_copies_slices),
        cmocka_unit_test(sums_stop_at_the_top_instead_of_wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
