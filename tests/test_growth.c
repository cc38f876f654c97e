/* Blobs that grow: what was counted of one is told by its records, in memory and in the store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/growth.h"

#define PRINTS 5

static void make_prints(struct sha256 *print, uint64_t blob)
{
    for (uint64_t i = 0; i < PRINTS; i++) {
        const uint64_t text[2] = {blob, i};
        sha256_of(text, sizeof text, &print[i]);
    }
}

static struct store *memory_store(void)
{
    struct store *s = NULL;
    assert_int_equal(store_open("sqlite::memory:", STORE_READ_WRITE, &s, NULL), WEIR_OK);
    return s;
}

static uint64_t counted(const struct growths *g, struct store *s, const struct sha256 *print, size_t n)
{
    uint64_t found;
    assert_int_equal(growth_counted(g, s, (struct decode_growth){print, n}, &found, NULL), WEIR_OK);
    return found;
}

static void a_longer_stage_has_what_the_shorter_had(void **state)
{
    struct growths g = {NULL, 0, 0};
    struct store *s = memory_store();
    struct sha256 print[PRINTS];
    (void)state;
    make_prints(print, 1);
    assert_int_equal(counted(&g, s, print, PRINTS), 0);
    assert_int_equal(growth_note(&g, (struct decode_growth){print, 3}), WEIR_OK);
    assert_int_equal(counted(&g, s, print, PRINTS), 3);
    assert_int_equal(counted(&g, s, print, 3), 3);
    assert_int_equal(counted(&g, s, print, 2), 2);
    growths_free(&g);
    store_close(s);
}

static void what_is_committed_is_known_to_the_next_run(void **state)
{
    struct growths g = {NULL, 0, 0};
    struct store *s = memory_store();
    struct sha256 print[PRINTS];
    (void)state;
    make_prints(print, 1);
    assert_int_equal(growth_note(&g, (struct decode_growth){print, 4}), WEIR_OK);
    assert_int_equal(store_begin(s, NULL), WEIR_OK);
    assert_int_equal(growths_put(&g, s, NULL), WEIR_OK);
    assert_int_equal(store_commit(s, NULL), WEIR_OK);
    growths_free(&g);
    assert_int_equal(counted(&g, s, print, PRINTS), 4);
    assert_int_equal(counted(&g, s, print, 1), 1);
    store_close(s);
}

static void another_blob_is_not_known_even_if_it_begins_alike(void **state)
{
    struct growths g = {NULL, 0, 0};
    struct store *s = memory_store();
    struct sha256 print[PRINTS], other[PRINTS];
    (void)state;
    make_prints(print, 1);
    make_prints(other, 2);
    assert_int_equal(growth_note(&g, (struct decode_growth){print, PRINTS}), WEIR_OK);
    assert_int_equal(counted(&g, s, other, PRINTS), 0);
    other[0] = print[0];
    assert_int_equal(counted(&g, s, other, PRINTS), 0);
    growths_free(&g);
    store_close(s);
}

static void many_blobs_are_told_apart(void **state)
{
    struct growths g = {NULL, 0, 0};
    struct store *s = memory_store();
    struct sha256 print[PRINTS];
    (void)state;
    for (uint64_t blob = 0; blob < 1000; blob++) {
        make_prints(print, blob);
        assert_int_equal(growth_note(&g, (struct decode_growth){print, 1 + blob % PRINTS}), WEIR_OK);
    }
    for (uint64_t blob = 0; blob < 1000; blob++) {
        make_prints(print, blob);
        assert_int_equal(counted(&g, s, print, PRINTS), 1 + blob % PRINTS);
    }
    growths_free(&g);
    store_close(s);
}

static void a_damaged_value_is_an_error_and_not_zero(void **state)
{
    struct growths g = {NULL, 0, 0};
    struct store *s = memory_store();
    struct sha256 print[PRINTS];
    char id[2 * SHA256_BYTES + 1];
    uint64_t found;
    (void)state;
    make_prints(print, 1);
    hex_encode(print[0].b, SHA256_BYTES, id);
    assert_int_equal(store_begin(s, NULL), WEIR_OK);
    assert_int_equal(store_put(s, 'g', id, SLICE_LIT("WEIRg and noise"), NULL), WEIR_OK);
    assert_int_equal(store_commit(s, NULL), WEIR_OK);
    assert_int_not_equal(growth_counted(&g, s, (struct decode_growth){print, PRINTS}, &found, NULL), WEIR_OK);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_longer_stage_has_what_the_shorter_had),
        cmocka_unit_test(what_is_committed_is_known_to_the_next_run),
        cmocka_unit_test(another_blob_is_not_known_even_if_it_begins_alike),
        cmocka_unit_test(many_blobs_are_told_apart),
        cmocka_unit_test(a_damaged_value_is_an_error_and_not_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
