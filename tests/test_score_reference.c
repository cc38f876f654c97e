/* score: what a ring of daily values is compared with, how far apart usual days lie, and strata, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

static double reference(const struct ring *r, unsigned skip, double floor)
{
    double ref, spread;
    ring_reference(model, r, skip, floor, &ref, &spread);
    return ref;
}

static double spread(const struct ring *r, double floor)
{
    double ref, tau;
    ring_reference(model, r, 0, floor, &ref, &tau);
    return tau;
}

static struct ring ring_of(const uint8_t *v, unsigned n)
{
    struct ring r = {0};
    for (unsigned i = 0; i < n; i++)
        ring_push(&r, v[i]);
    return r;
}

static double small_sample(double n) { return model->small_sample * model->tau_prior * log(28 / n); }

/* ---- reference ---- */

static void no_value_yet_is_one_of_nothing(void **state)
{
    (void)state;
    struct ring none = {0}, zero = ring_of((const uint8_t[]){0}, 1);
    assert_near(reference(&none, 0, 5), 5 + small_sample(1));
    assert_near(reference(&none, 0, 5), reference(&zero, 0, 5));
}

static void a_short_history_is_compared_with_its_largest(void **state)
{
    (void)state;
    uint8_t v[13] = {[7] = 88};
    struct ring r = ring_of(v, 13);
    assert_true(reference(&r, 0, 5) >= 11);
}

static void from_two_weeks_on_the_second_largest_is_the_reference(void **state)
{
    (void)state;
    uint8_t v[28] = {[7] = 200, [9] = 88};
    struct ring r = ring_of(v, 28);
    assert_near(reference(&r, 0, 5), 11);
    r = ring_of(v, (unsigned)model->full_ring);
    assert_true(reference(&r, 0, 5) < 13);
}

static void the_reference_is_never_under_the_floor(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (unsigned round = 0; round < 2000; round++) {
        struct ring r = {0};
        for (uint64_t n = random_below(&seed, 29); n > 0; n--)
            ring_push(&r, (uint8_t)random_next(&seed));
        double floor = (double)random_below(&seed, 40);
        assert_true(reference(&r, (unsigned)random_below(&seed, 30), floor) >= floor);
    }
}

static void the_order_of_days_does_not_matter(void **state)
{
    (void)state;
    const uint8_t up[] = {1, 40, 60, 80, 90, 100}, down[] = {100, 90, 80, 60, 40, 1};
    struct ring a = ring_of(up, 6), b = ring_of(down, 6);
    assert_true(reference(&a, 0, 5) == reference(&b, 0, 5) && spread(&a, 5) == spread(&b, 5));
}

static void the_newest_values_may_be_skipped(void **state)
{
    (void)state;
    const uint8_t v[] = {40, 44, 48, 200, 200};
    struct ring r = ring_of(v, 5), old = ring_of(v, 3);
    assert_true(reference(&r, 2, 1) == reference(&old, 0, 1));
    struct ring none = {0};
    assert_true(reference(&r, 5, 1) == reference(&none, 0, 1) && reference(&r, 99, 1) == reference(&none, 0, 1));
}

static void more_days_of_the_same_bring_the_reference_down(void **state)
{
    (void)state;
    struct ring r = {0};
    double last = INFINITY;
    for (unsigned n = 1; n <= 28; n++) {
        ring_push(&r, 88);
        assert_true(reference(&r, 0, 5) < last);
        last = reference(&r, 0, 5);
    }
    assert_near(last, 11);
}

/* ---- spread ---- */

static void the_spread_starts_as_the_prior(void **state)
{
    (void)state;
    struct ring none = {0};
    assert_near(spread(&none, 5), model->tau_prior);
}

static void silence_teaches_no_spread(void **state)
{
    (void)state;
    uint8_t v[28] = {[3] = 30, [9] = 35};
    struct ring r = ring_of(v, 28);
    assert_near(spread(&r, 5), model->tau_prior);
}

static void a_wild_host_has_a_wide_spread(void **state)
{
    (void)state;
    uint8_t v[28];
    for (unsigned i = 0; i < 28; i++)
        v[i] = (uint8_t)(i % 2 ? 60 : 120);
    struct ring r = ring_of(v, 28);
    double want = (14 * (15.0 - 11.25) + model->tau_prior_weight * model->tau_prior) / (14 + model->tau_prior_weight);
    assert_near(spread(&r, 5), want);
}

static void a_clockwork_host_keeps_the_least_spread(void **state)
{
    (void)state;
    uint8_t v[28];
    for (unsigned i = 0; i < 28; i++)
        v[i] = (uint8_t)(88 + i % 2);
    struct ring r = ring_of(v, 28);
    assert_true(spread(&r, 5) >= model->tau_min && spread(&r, 5) < model->tau_prior);
}

/* ---- young hosts and their class ---- */

static struct class_state *class_with_quartile(uint8_t value)
{
    struct class_state *c = class_new(CLASS_ONE);
    uint8_t all[FEATURE_COUNT];
    memset(all, value, sizeof all);
    for (unsigned i = 0; i < 10; i++)
        class_note_host(c, all);
    assert_int_equal(class_close(c, TODAY - 1), WEIR_OK);
    return c;
}

static double reference_of_host(unsigned days, unsigned fleet_days, const struct class_state *class)
{
    struct baseline b = quiet(days);
    struct scorer s = {.m = model, .b = &b, .class = class, .fleet_days = fleet_days};
    double ref, tau;
    feature_reference(&s, FEATURE_NEW, 0, 5, &ref, &tau);
    return ref;
}

static void a_young_host_is_compared_with_its_class(void **state)
{
    (void)state;
    struct class_state *c = class_with_quartile(120);
    assert_near(reference_of_host(BASELINE_YOUNG_DAYS - 1, GROWN, c), 15);
    assert_true(reference_of_host(BASELINE_YOUNG_DAYS, GROWN, c) < 7);
    class_free(c);
}

static void a_class_that_sends_less_changes_nothing(void **state)
{
    (void)state;
    struct class_state *c = class_with_quartile(8);
    assert_true(reference_of_host(1, GROWN, c) == reference_of_host(1, GROWN, NULL));
    class_free(c);
}

static void in_a_young_fleet_the_class_says_nothing(void **state)
{
    (void)state;
    struct class_state *c = class_with_quartile(120);
    assert_true(reference_of_host(1, (unsigned)model->learning_days - 1, c) < 7);
    assert_near(reference_of_host(1, (unsigned)model->learning_days, c), 15);
    class_free(c);
}

static void a_class_is_told_nothing_of_what_a_host_never_did(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    uint8_t out[FEATURE_COUNT];
    fill(&b.feature[FEATURE_NEW], 100 * MB, 2);
    score_references(model, &b, out);
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        assert_int_equal(out[f], f == FEATURE_NEW ? lg_round(100 * MB) : 0);
}

/* ---- strata ---- */

static unsigned stratum(const struct baseline *b, enum score_test test)
{
    struct scorer s = {.m = model, .b = b};
    return stratum_of_host(&s, test);
}

struct stratum_row { enum score_test test; enum baseline_feature feature; uint8_t under, over; };

static void a_host_that_did_the_like_is_of_another_stratum(void **state)
{
    (void)state;
    const struct stratum_row rows[] = {
        {SCORE_NEW_DESTINATION, FEATURE_NEW, 30, 60}, {SCORE_NEW_FAR, FEATURE_FAR, 30, 60},   {SCORE_ODD_PROTOCOL, FEATURE_ODD, 30, 60},
        {SCORE_SLOW, FEATURE_SLOW, 40, 70},           {SCORE_SLOW_FAR, FEATURE_SLOW_FAR, 40, 70}, {SCORE_SPLIT, FEATURE_SPLIT, 15, 16},
        {SCORE_SERVED_NEW, FEATURE_SERVED_NEW, 50, 80}, {SCORE_INTERNAL_SUBNET, FEATURE_SUBNET, 50, 80}, {SCORE_BEACON, FEATURE_BEACON, 17, 18},
        {SCORE_BEACON_FAR, FEATURE_BEACON_FAR, 17, 18},
    };
    for (size_t i = 0; i < WEIR_COUNT(rows); i++) {
        struct baseline b = quiet(28);
        ring_push(&b.feature[rows[i].feature], rows[i].under);
        assert_int_equal(stratum(&b, rows[i].test), 0);
        ring_push(&b.feature[rows[i].feature], rows[i].over);
        assert_int_equal(stratum(&b, rows[i].test), 1);
    }
}

static void a_destination_is_of_the_stratum_of_its_own_history(void **state)
{
    (void)state;
    struct ring r = {0};
    for (unsigned n = 0; n <= 28; n++) {
        assert_int_equal(stratum_of_ring(&r), n >= 8);
        ring_push(&r, 1);
    }
}

static struct score_lesson lesson_of(const struct day *x, const struct baseline *b)
{
    struct score_lesson lesson;
    struct scorer *s = scorer_new(model);
    assert_int_equal(scorer_take(s, &x->d, b, NULL, GROWN, NULL), WEIR_OK);
    scorer_lesson(s, &lesson);
    scorer_free(s);
    return lesson;
}

static void a_host_day_counts_in_the_strata_that_it_can_be_raised_in(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    fill(&b.feature[FEATURE_NEW], GB, 1);
    struct score_lesson lesson = lesson_of(&x, &b);
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++) {
        unsigned n = 0;
        for (unsigned k = 0; k < SCORE_STRATA; k++)
            n += lesson.judged[SCORE_STRATA * t + k];
        assert_int_equal(n, strata_open((enum score_test)t));
    }
    assert_true(lesson.judged[SCORE_STRATA * SCORE_NEW_DESTINATION + 1] && lesson.judged[SCORE_STRATA * SCORE_SPLIT]);
}

static void a_day_teaches_the_values_of_its_features(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    day_send(&x, WEB(1), 3, 5 * MB);
    day_send(&x, WEB(2), 4, 7 * MB);
    day_send(&x, DNS(1), 4, 2 * MB);
    day_send(&x, SERVED(1), 5, 9 * MB);
    day_send(&x, SERVED(2), 5, 3 * MB);
    day_send(&x, INTERNAL(0x0a000101), 6, GB);
    struct score_lesson lesson = lesson_of(&x, &b);
    const uint8_t *f = lesson.feature;
    assert_int_equal(f[FEATURE_DAY_EXTERNAL], lg_round(26 * MB));
    assert_int_equal(f[FEATURE_HOUR_MAX], lg_round(12 * MB));
    assert_int_equal(f[FEATURE_NEW], lg_round(12 * MB));
    assert_int_equal(f[FEATURE_FAR], 0);
    assert_int_equal(f[FEATURE_ODD], lg_round(32 * MB));
    assert_int_equal(f[FEATURE_SPLIT], lg_eighths(2 * log2(3)));
    assert_int_equal(f[FEATURE_SERVED], lg_round(9 * MB));
    assert_int_equal(f[FEATURE_SERVED_NEW], lg_round(9 * MB));
    assert_int_equal(f[FEATURE_SUBNET], lg_round(GB));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_value_yet_is_one_of_nothing),
        cmocka_unit_test(a_short_history_is_compared_with_its_largest),
        cmocka_unit_test(from_two_weeks_on_the_second_largest_is_the_reference),
        cmocka_unit_test(the_reference_is_never_under_the_floor),
        cmocka_unit_test(the_order_of_days_does_not_matter),
        cmocka_unit_test(the_newest_values_may_be_skipped),
        cmocka_unit_test(more_days_of_the_same_bring_the_reference_down),
        cmocka_unit_test(the_spread_starts_as_the_prior),
        cmocka_unit_test(silence_teaches_no_spread),
        cmocka_unit_test(a_wild_host_has_a_wide_spread),
        cmocka_unit_test(a_clockwork_host_keeps_the_least_spread),
        cmocka_unit_test(a_young_host_is_compared_with_its_class),
        cmocka_unit_test(a_class_that_sends_less_changes_nothing),
        cmocka_unit_test(in_a_young_fleet_the_class_says_nothing),
        cmocka_unit_test(a_class_is_told_nothing_of_what_a_host_never_did),
        cmocka_unit_test(a_host_that_did_the_like_is_of_another_stratum),
        cmocka_unit_test(a_destination_is_of_the_stratum_of_its_own_history),
        cmocka_unit_test(a_host_day_counts_in_the_strata_that_it_can_be_raised_in),
        cmocka_unit_test(a_day_teaches_the_values_of_its_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
