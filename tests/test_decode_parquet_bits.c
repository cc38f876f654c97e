/* The parts that Parquet pages are made of, each against its own writer: bits, runs, deltas, snappy, thrift. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_run.h"

#include "decode/parquet.h"
#include "parquet_make.h"

/* Exact size in front, DECODE_PAD behind, as the reader of pages holds them. */
static unsigned char *padded(const struct buffer *b)
{
    unsigned char *p = calloc(1, b->n + DECODE_PAD);
    assert_non_null(p);
    if (b->n)
        memcpy(p, b->p, b->n);
    return p;
}

static void runs_give_what_was_written_in_any_portions(void **state)
{
    uint32_t wanted[500], found[500];
    (void)state;
    for (unsigned width = 0; width <= 32; width++) {
        for (uint32_t i = 0; i < 500; i++)
            wanted[i] = (uint32_t)(stable_mix(i / (1 + i % 40)) & ((1ULL << width) - 1));
        struct buffer b;
        buffer_init(&b, 1 << 20);
        make_runs(&b, wanted, 500, width);
        unsigned char *p = padded(&b);
        for (size_t portion = 1; portion < 100; portion += 13) {
            struct runs r;
            assert_true(runs_init(&r, p, b.n, width));
            for (size_t i = 0; i < 500; i += portion)
                assert_true(runs_read(&r, found + i, portion < 500 - i ? portion : 500 - i));
            assert_memory_equal(found, wanted, sizeof wanted);
        }
        free(p);
        buffer_fini(&b);
    }
}

static void runs_that_end_early_are_refused(void **state)
{
    uint32_t found[64] = {0};
    struct runs r;
    unsigned char p[2 + DECODE_PAD] = {8 << 1, 1}; /* eight ones */
    (void)state;
    assert_true(runs_init(&r, p, 2, 8));
    assert_false(runs_read(&r, found, 9));
    assert_true(runs_init(&r, p, 1, 8)); /* the value is missing */
    assert_false(runs_read(&r, found, 1));
    assert_false(runs_init(&r, p, 2, 33));
}

static void a_last_group_may_be_cut_behind_its_last_value(void **state)
{
    unsigned char p[2 + DECODE_PAD] = {1 << 1 | 1, 0x21}; /* eight values of four bits: two of them are there */
    uint32_t found[3];
    struct runs r;
    (void)state;
    assert_true(runs_init(&r, p, 2, 4));
    assert_true(runs_read(&r, found, 2));
    assert_int_equal(found[0], 1);
    assert_int_equal(found[1], 2);
    assert_false(runs_read(&r, found, 1));
}

static void deltas_give_what_was_written_whatever_their_width(void **state)
{
    int64_t wanted[400];
    uint64_t found[400];
    (void)state;
    for (unsigned width = 0; width < 64; width++) {
        for (uint32_t i = 0; i < 400; i++)
            wanted[i] = (int64_t)(stable_mix(i) >> (63 - width));
        for (size_t n = 0; n < 400; n += 57) {
            struct buffer b;
            struct deltas d;
            buffer_init(&b, 1 << 20);
            make_deltas(&b, wanted, n);
            unsigned char *p = padded(&b);
            assert_true(deltas_init(&d, p, b.n));
            assert_true(deltas_read(&d, found, n / 2));
            assert_true(deltas_read(&d, found + n / 2, n - n / 2));
            assert_true(n == 0 || memcmp(found, wanted, n * sizeof *found) == 0);
            assert_false(deltas_read(&d, found, 1));
            assert_true(deltas_init(&d, p, b.n) && deltas_skip(&d) && d.left == 0);
            free(p);
            buffer_fini(&b);
        }
    }
}

/* The specification's example: 7, 5, 3, 1, 2, 3, 4, 5 has deltas from -2 to 1, of two bits each above the least. */
static void the_example_of_the_specification_is_read(void **state)
{
    const unsigned char head[] = {0x80, 0x01, 0x04, 0x08, 0x0e, 0x03, 0x02, 0, 0, 0, 0xc0, 0x3f};
    const uint64_t wanted[] = {7, 5, 3, 1, 2, 3, 4, 5};
    unsigned char p[sizeof head + 6 + DECODE_PAD] = {0};
    uint64_t found[8];
    struct deltas d;
    (void)state;
    memcpy(p, head, sizeof head);
    assert_true(deltas_init(&d, p, sizeof head + 6));
    assert_true(deltas_read(&d, found, 8));
    assert_memory_equal(found, wanted, sizeof wanted);
}

static void deltas_with_impossible_heads_are_refused(void **state)
{
    static const unsigned char heads[][5] = {{0, 1, 1, 0}, {0x80, 1, 0, 1, 0}, {0x80, 1, 3, 1, 0}, {0x80, 1, 64, 1, 0}, {0x80, 1, 4}};
    struct deltas d;
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(heads); i++)
        assert_false(deltas_init(&d, heads[i], i == 4 ? 3 : 5));
}

static void snappy_gives_back_what_was_packed(void **state)
{
    (void)state;
    for (size_t n = 0; n < 200000; n = n * 3 + 1) {
        struct buffer in, packed;
        buffer_init(&in, 1 << 20);
        buffer_init(&packed, 1 << 20);
        for (size_t i = 0; i < n; i++)
            buffer_u8(&in, (uint8_t)(i % 1000 < 300 ? i % 7 : stable_mix(i % 90000) % 5));
        make_snappy(&packed, (struct slice){in.p, in.n});
        unsigned char *out = malloc(n + 1);
        assert_non_null(out);
        assert_true(snappy_unpack((struct slice){packed.p, packed.n}, out, n));
        assert_true(n == 0 || memcmp(out, in.p, n) == 0);
        assert_false(snappy_unpack((struct slice){packed.p, packed.n - 1}, out, n));
        assert_false(snappy_unpack((struct slice){packed.p, packed.n}, out, n + 1));
        free(out);
        buffer_fini(&in);
        buffer_fini(&packed);
    }
}

static void snappy_copies_that_reach_outside_are_refused(void **state)
{
    static const struct { unsigned char bytes[8]; size_t n, out; bool fine; } cases[] = {
        {{5, 0, 'a', 0x01, 1}, 5, 5, true},             /* a literal, then four copies of it: the copy overlaps itself */
        {{5, 0, 'a', 0x01, 2}, 5, 5, false},            /* from before the start */
        {{5, 0, 'a', 0x01, 0}, 5, 5, false},            /* from nowhere */
        {{4, 0, 'a', 0x01, 1}, 5, 4, false},            /* more than was promised */
        {{6, 0, 'a', 0x01, 1}, 5, 6, false},            /* less */
        {{2, 4, 'a'}, 3, 2, false},                     /* a literal that is not there */
        {{2, 0xfc, 1, 0, 0, 0, 'a', 'b'}, 8, 2, true},  /* its length in four bytes */
        {{2, 0xf0}, 2, 2, false},                       /* its length is not there */
    };
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(cases); i++) {
        unsigned char out[8];
        assert_int_equal(snappy_unpack((struct slice){(const char *)cases[i].bytes, cases[i].n}, out, cases[i].out), cases[i].fine);
    }
}

static bool skips(const char *bytes, size_t n)
{
    struct cursor c = cursor_of(bytes, n);
    struct thrift_field f = {0, 0};
    while (thrift_next(&c, &f))
        thrift_skip(&c, &f);
    return c.err == WEIR_OK && cursor_left(&c) == 0;
}

static void thrift_skips_what_it_does_not_know(void **state)
{
    (void)state;
    assert_true(skips("\x11\x12\x13\x7f\x14\x01\x16\x02\x17" "12345678" "\x18\x01x" "\x19\x25\x01\x02" "\x1b\x01\x51\x02\x01" "\x1c\x15\x02\0" "\0", 34));
    assert_true(skips("\x05\xd0\x0f\x01\0", 5)); /* a field with a long id */
}

static void thrift_that_nests_without_end_or_lies_is_refused(void **state)
{
    char deep[1000];
    (void)state;
    memset(deep, 0x1c, sizeof deep); /* a struct in a struct in a struct ... */
    assert_false(skips(deep, sizeof deep));
    memset(deep, 0x19, sizeof deep); /* lists of lists */
    assert_false(skips(deep, sizeof deep));
    assert_false(skips("\x1d", 1));                      /* no such type */
    assert_false(skips("\x18\xff\xff\xff\xff\x0f", 6));  /* a text of 4 GiB */
    assert_false(skips("\x19\xf1\xff\xff\xff\x0f", 6));  /* a list of so many */
    assert_false(skips("\x05\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01\0", 13)); /* an id beyond all ids */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_give_what_was_written_in_any_portions),
        cmocka_unit_test(runs_that_end_early_are_refused),
        cmocka_unit_test(a_last_group_may_be_cut_behind_its_last_value),
        cmocka_unit_test(deltas_give_what_was_written_whatever_their_width),
        cmocka_unit_test(the_example_of_the_specification_is_read),
        cmocka_unit_test(deltas_with_impossible_heads_are_refused),
        cmocka_unit_test(snappy_gives_back_what_was_packed),
        cmocka_unit_test(snappy_copies_that_reach_outside_are_refused),
        cmocka_unit_test(thrift_skips_what_it_does_not_know),
        cmocka_unit_test(thrift_that_nests_without_end_or_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
