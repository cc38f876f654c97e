/* score: each formula by its worked example (the same as beside the formula), and when it is silent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

static void new_destination_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(9);
    static const uint64_t mb[] = {3, 1, 2, 0, 2, 1, 3, 2, 1};
    for (size_t i = 0; i < WEIR_COUNT(mb); i++)
        fill(&b.feature[FEATURE_NEW_DESTINATION], mb[i] * MB, 1);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 9, 40 * GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_NEW_DESTINATION, 0);
    assert_non_null(p);
    assert_near(p->observed, 19.219);
    assert_near(p->reference, 5.881);
    assert_near(p->spread, 0.671);
    assert_near(p->excess, 19.865);
    assert_rate(p->rate, 4.6186e-10);
    assert_near(-log10(p->rate / p->share), 8.771);
    assert_int_equal(p->largest_bytes, lg_to_bytes(5.5));
    assert_true(p->raised);
    assert_int_equal(p->since_hour, 9);
    assert_int_equal(p->history_days, 9);
}

static void hour_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    fill(&b.feature[FEATURE_HOUR_MAX], 20 * MB, 13);
    fill(&b.feature[FEATURE_HOUR_MAX], 60 * MB, 1);
    fill(&b.feature[FEATURE_HOUR_MAX], 20 * MB, 13);
    fill(&b.feature[FEATURE_HOUR_MAX], 50 * MB, 1);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 17, GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_HOUR_VOLUME, 0);
    assert_non_null(p);
    assert_near(p->reference, 9.625);
    assert_near(p->spread, 0.813);
    assert_near(p->excess, 5.254);
    assert_rate(p->rate, 3.5129e-05);
    assert_near(-log10(p->rate / p->share), 3.890);
    assert_int_equal(p->from_hour, 17);
    assert_int_equal(p->to_hour, 17);
}

static void group_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(14);
    know(&b, INITIATED(7), 100 * MB, 14);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_GROUP_VOLUME, INITIATED(7));
    assert_non_null(p);
    assert_near(p->reference, 10.868);
    assert_near(p->spread, 0.7);
    assert_near(p->excess, 4.328);
    assert_rate(p->rate, 7.1622e-05);
    assert_near(-log10(p->rate / p->share), 3.581);
}

static void served_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(1);
    fill(&b.feature[FEATURE_SERVED_MAX], 0, 1);
    struct day x;
    day_init(&x);
    day_send(&x, SERVED(7), 3, 2 * GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_SERVED_VOLUME, SERVED(7));
    assert_non_null(p);
    assert_near(p->reference, 9.424);
    assert_near(p->excess, 7.818);
    assert_rate(p->rate, 4.8877e-06);
    assert_near(-log10(p->rate / p->share), 4.571);
}

static void the_score_is_that_of_the_strongest_part(void **state)
{
    (void)state;
    struct baseline b = knowing(14);
    know(&b, INITIATED(7), 100 * MB, 14);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    double best = 0;
    for (size_t i = 0; i < s.n; i++)
        best = fmax(best, -log10(s.part[i].rate / s.part[i].share));
    assert_near(s.value, best);
}

/* ---- when to be silent ---- */

static void the_first_day_is_silent(void **state)
{
    (void)state;
    struct baseline b;
    baseline_init(&b, 1, ip_from_v4(1));
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 9, 40 * GB);
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 0);
    assert_false(s.raised);
    assert_true(s.learning);
    assert_near(s.value, 0);
}

static void a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day(void **state)
{
    (void)state;
    struct baseline b;
    baseline_init(&b, 1, ip_from_v4(1));
    struct day first, x;
    day_init(&first);
    first.d.day_s -= DAY_S;
    day_send(&first, INITIATED(1), 9, 5 * MB);
    baseline_learn(&b, &first.d, NULL, 0, false);
    day_init(&x);
    day_send(&x, INITIATED(2), 9, 5 * GB);
    struct score s = score(&x, &b, BUDGET);
    assert_true(s.raised);
    assert_true(s.learning);
}

static void a_host_learns_for_a_week(void **state)
{
    (void)state;
    struct day x;
    day_init(&x);
    struct baseline six = knowing(6), seven = knowing(7);
    assert_true(score(&x, &six, BUDGET).learning);
    assert_false(score(&x, &seven, BUDGET).learning);
    assert_int_equal(score(&x, &seven, BUDGET).host_days, 7);
}

static void a_forwarder_scores_nothing(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 9, 40 * GB);
    x.d.forwarder = true;
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 0);
    assert_false(s.raised);
}

static void internal_bytes_raise_nothing(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    struct day x;
    day_init(&x);
    day_send(&x, INTERNAL(5), 9, 900 * GB);
    assert_false(score(&x, &b, 1.0).raised);
}

struct floor_row { enum score_test test; uint64_t group, bytes; bool known; };
static const struct floor_row floors[] = {
    {SCORE_HOUR_VOLUME, UNKNOWN(1), 20 * MB, false}, {SCORE_GROUP_VOLUME, INITIATED(1), 30 * MB, true},
    {SCORE_NEW_DESTINATION, INITIATED(1), 2 * MB, false}, {SCORE_SERVED_VOLUME, SERVED(1), 20 * MB, false},
    {SCORE_SERVED_VOLUME, UNKNOWN(1), 20 * MB, false}, {SCORE_SERVED_VOLUME, SERVED(1), 20 * MB, true},
};

static bool raises_at(const struct floor_row *f, uint64_t bytes, double budget)
{
    struct baseline b = knowing(28);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        fill(&b.feature[i], 0, 28);
    if (f->known)
        know(&b, f->group, 0, 28);
    struct day x;
    day_init(&x);
    day_send(&x, f->group, 9, bytes);
    struct score s = score(&x, &b, budget);
    const struct score_part *p = find(&s, f->test, f->test == SCORE_GROUP_VOLUME || f->test == SCORE_SERVED_VOLUME ? f->group : 0);
    return p && p->raised;
}

static void each_test_is_silent_up_to_its_floor(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++) {
        assert_false(raises_at(&floors[i], floors[i].bytes - 1, 0.02));
        assert_false(raises_at(&floors[i], floors[i].bytes, 0.02));
        assert_true(raises_at(&floors[i], floors[i].bytes + 1000, 0.02));
    }
}

static void no_budget_breaks_a_floor(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++)
        assert_false(raises_at(&floors[i], floors[i].bytes, 1e9));
}

static void the_floor_of_the_model_is_the_smallest(void **state)
{
    (void)state;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++)
        least = floors[i].bytes < least ? floors[i].bytes : least;
    assert_int_equal(score_min_bytes(model), least);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_destination_has_its_worked_example),
        cmocka_unit_test(hour_volume_has_its_worked_example),
        cmocka_unit_test(group_volume_has_its_worked_example),
        cmocka_unit_test(served_volume_has_its_worked_example),
        cmocka_unit_test(the_score_is_that_of_the_strongest_part),
        cmocka_unit_test(the_first_day_is_silent),
        cmocka_unit_test(a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day),
        cmocka_unit_test(a_host_learns_for_a_week),
        cmocka_unit_test(a_forwarder_scores_nothing),
        cmocka_unit_test(internal_bytes_raise_nothing),
        cmocka_unit_test(each_test_is_silent_up_to_its_floor),
        cmocka_unit_test(no_budget_breaks_a_floor),
        cmocka_unit_test(the_floor_of_the_model_is_the_smallest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
