/* baseline: the scale of volumes and the ring of daily values, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline_make.h"

static void the_scale_has_its_worked_example(void **state)
{
    (void)state;
    assert_int_equal((int)(lg_bytes(40 * GB) * 100 + 0.5), 1922);
    assert_int_equal(lg_round(40 * GB), 154);
    assert_int_equal(lg_round(0), 0);
    assert_int_equal(lg_round(65536), 8);
    assert_int_equal(lg_round(UINT64_MAX), 255);
}

static void rounding_is_off_by_a_sixteenth_of_an_octave_at_most(void **state)
{
    (void)state;
    for (uint64_t bytes = 1; lg_bytes(bytes) < 255 / 8.0; bytes += bytes / 7 + 1) {
        double off = lg_unround(lg_round(bytes)) - lg_bytes(bytes);
        assert_true(off <= 1.0 / 16 + 1e-9 && off >= -1.0 / 16 - 1e-9);
    }
}

static void more_bytes_never_round_to_less(void **state)
{
    (void)state;
    uint8_t last = 0;
    for (uint64_t bytes = 0; bytes < 1ULL << 62; bytes += bytes / 50 + 1) {
        assert_true(lg_round(bytes) >= last);
        last = lg_round(bytes);
    }
}

static void octaves_turn_back_into_bytes(void **state)
{
    (void)state;
    for (uint64_t bytes = 0; bytes < 1ULL << 50; bytes += bytes / 3 + 1) {
        uint64_t back = lg_to_bytes(lg_bytes(bytes)), off = back > bytes ? back - bytes : bytes - back;
        assert_true(off <= 1 + (bytes >> 40));
    }
}

static void octaves_beyond_any_number_of_bytes_are_capped(void **state)
{
    (void)state;
    assert_true(lg_to_bytes(1000.0) == UINT64_MAX);
    assert_int_equal(lg_to_bytes(-3.0), 0);
    assert_int_equal(lg_eighths(1000.0), 255);
    assert_int_equal(lg_eighths(-3.0), 0);
}

static void every_kept_value_survives_the_way_through_bytes(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++)
        assert_int_equal(lg_round(lg_to_bytes(lg_unround((uint8_t)v))), v);
}

static int descending(const void *a, const void *b) { return *(const uint8_t *)b - *(const uint8_t *)a; }

static void a_ring_ranks_its_last_28_values(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct ring r = {0};
    uint8_t all[500];
    for (size_t n = 0; n < WEIR_COUNT(all); n++) {
        size_t have = n < BASELINE_RING ? n : BASELINE_RING;
        uint8_t sorted[BASELINE_RING];
        memcpy(sorted, all + n - have, have);
        qsort(sorted, have, 1, descending);
        for (unsigned rank = 0; rank < BASELINE_RING + 3; rank++)
            assert_int_equal(ring_rank(&r, rank), rank < have ? sorted[rank] : 0);
        all[n] = (uint8_t)random_next(&seed);
        ring_push(&r, all[n]);
    }
}

static void ranking_leaves_the_ring_as_it_was(void **state)
{
    (void)state;
    struct ring r = {0};
    for (uint8_t i = 0; i < 5; i++)
        ring_push(&r, i);
    ring_rank(&r, 0);
    for (uint8_t i = 0; i < 5; i++)
        assert_int_equal(r.v[i], i);
}

static void every_feature_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (unsigned a = 0; a < FEATURE_COUNT; a++)
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(baseline_feature_word((enum baseline_feature)a), baseline_feature_word((enum baseline_feature)b));
    assert_string_equal(baseline_feature_word(FEATURE_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scale_has_its_worked_example),
        cmocka_unit_test(rounding_is_off_by_a_sixteenth_of_an_octave_at_most),
        cmocka_unit_test(more_bytes_never_round_to_less),
        cmocka_unit_test(octaves_turn_back_into_bytes),
        cmocka_unit_test(octaves_beyond_any_number_of_bytes_are_capped),
        cmocka_unit_test(every_kept_value_survives_the_way_through_bytes),
        cmocka_unit_test(a_ring_ranks_its_last_28_values),
        cmocka_unit_test(ranking_leaves_the_ring_as_it_was),
        cmocka_unit_test(every_feature_has_a_word_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
