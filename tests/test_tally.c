/* SPDX-License-Identifier: Apache-2.0 */
/* Tallies: the same sums and the same level for any order and any split of the rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "app/tally.h"

#define DAY0 (20510LL * DAY_S)

/* 1: no port; 2: no end either. */
static void coarsen(struct tally_key *key, unsigned level)
{
    key->port = 0;
    if (level > 1)
        key->end = (struct ip){0, 0};
}

static struct tally_row row(unsigned end, unsigned port, uint64_t bytes)
{
    struct tally_row r = tally_row_of(bytes, DAY0, DAY0 + 60);
    r.key.end = ip_from_v4(end);
    r.key.port = (uint16_t)port;
    return r;
}

static void equal_keys_are_summed(void **state)
{
    (void)state;
    struct tally t;
    tally_init(&t, 100, 3, coarsen);
    struct tally_row late = row(1, 80, 5);
    late.days = 2;
    late.first_s += 10;
    late.last_s += 10;
    tally_add(&t, &(struct tally_row){0});
    tally_clear(&t);
    struct tally_row first = row(1, 80, 7), other = row(1, 81, 1);
    tally_add(&t, &first);
    tally_add(&t, &late);
    tally_add(&t, &other);
    assert_int_equal(t.rows, 2);
    const struct tally_row *r = &t.row[tally_find(&t, &first.key)];
    assert_int_equal(r->bytes, 12);
    assert_int_equal(r->records, 2);
    assert_int_equal(r->first_s, DAY0);
    assert_int_equal(r->last_s, DAY0 + 70);
    assert_int_equal(tally_find(&t, &(struct tally_key){.port = 9}), UINT32_MAX);
    tally_fini(&t);
}

static void more_rows_than_fit_are_summed_coarser(void **state)
{
    (void)state;
    struct tally t;
    tally_init(&t, 10, 3, coarsen);
    for (unsigned i = 0; i < 100; i++) {
        struct tally_row r = row(i % 5, i, 1);
        tally_add(&t, &r);
    }
    assert_int_equal(t.level, 1);
    assert_int_equal(t.rows, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(t.row[i].bytes, 20);
    tally_fini(&t);
}

static void rows_beyond_the_last_level_are_counted_as_lost(void **state)
{
    (void)state;
    struct tally t;
    tally_init(&t, 10, 1, NULL);
    for (unsigned i = 0; i < 30; i++) {
        struct tally_row r = row(i, 80, 1);
        tally_add(&t, &r);
    }
    assert_int_equal(t.rows, 10);
    assert_int_equal(t.lost, 20);
    tally_fini(&t);
}

static void assert_same_tally(struct tally *a, struct tally *b)
{
    tally_sort(a);
    tally_sort(b);
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->rows, b->rows);
    for (uint32_t i = 0; i < a->rows; i++)
        assert_memory_equal(&a->row[i], &b->row[i], sizeof *a->row);
}

static void any_order_and_split_gives_the_same_rows(void **state)
{
    (void)state;
    static const unsigned ends[] = {3, 40, 400}; /* levels 0, 1 and 2 */
    for (size_t k = 0; k < WEIR_COUNT(ends); k++) {
        struct tally forward, backward, part[3], merged;
        tally_init(&forward, 64, 3, coarsen);
        tally_init(&backward, 64, 3, coarsen);
        tally_init(&merged, 64, 3, coarsen);
        for (unsigned i = 0; i < 3; i++)
            tally_init(&part[i], 64, 3, coarsen);
        for (unsigned i = 0; i < 1000; i++) {
            unsigned ports = k ? 50 : 5, back = 999 - i;
            struct tally_row a = row(i % ends[k], i % ports, i), b = row(back % ends[k], back % ports, back);
            tally_add(&forward, &a);
            tally_add(&backward, &b);
            tally_add(&part[i * 7 % 3], &a);
        }
        for (unsigned i = 0; i < 3; i++)
            tally_merge(&merged, &part[2 - i]);
        assert_int_equal(forward.level, k);
        assert_same_tally(&forward, &backward);
        assert_same_tally(&forward, &merged);
        tally_fini(&forward);
        tally_fini(&backward);
        tally_fini(&merged);
        for (unsigned i = 0; i < 3; i++)
            tally_fini(&part[i]);
    }
}

static void the_text_knows_one_from_many(void **state)
{
    (void)state;
    struct buffer b;
    struct tally_row r = row(1, 80, 1500000);
    buffer_init(&b, 256);
    tally_format(&r, &b);
    assert_string_equal(buffer_cstr(&b), "1.50 MB in 1 record on 1 day");
    r.records = 3;
    r.days = 7;
    buffer_clear(&b);
    tally_format(&r, &b);
    assert_string_equal(buffer_cstr(&b), "1.50 MB in 3 records on 3 days");
    buffer_fini(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_are_summed),
        cmocka_unit_test(more_rows_than_fit_are_summed_coarser),
        cmocka_unit_test(rows_beyond_the_last_level_are_counted_as_lost),
        cmocka_unit_test(any_order_and_split_gives_the_same_rows),
        cmocka_unit_test(the_text_knows_one_from_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
