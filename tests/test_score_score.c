/* score: from observations to parts and a score: shares, thresholds, order, when all is silent, and cold starts, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

/* A day on which many tests have something to say. */
static struct score rich_score(double budget)
{
    struct baseline b = quiet(28);
    struct day x;
    know(&b, WEB(7), MB, 28);
    know(&b, SERVED(7), MB, 28);
    day_begin(&x, TODAY);
    day_send(&x, WEB(7), 3, GB);
    for (unsigned i = 20; i < 26; i++)
        day_send(&x, WEB_IN(i, i), 4, 100 * MB);
    day_send(&x, DNS(8), 4, GB);
    day_send(&x, SERVED(7), 5, GB);
    day_send(&x, SERVED(8), 5, 2 * GB);
    day_send(&x, INTERNAL(0x0a000909), 6, 3 * GB);
    return score(&x, &b, budget);
}

/* ---- shares and thresholds ---- */

static void the_shares_of_the_tests_sum_to_one(void **state)
{
    (void)state;
    double sum = 0, all = 0;
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        all += model->weight[t];
    struct score s = rich_score(BUDGET);
    bool seen[SCORE_STATISTICAL_COUNT] = {false};
    for (size_t i = 0; i < s.n; i++) {
        assert_near(s.part[i].share, model->weight[s.part[i].test] / all);
        sum += seen[s.part[i].test] ? 0 : s.part[i].share;
        seen[s.part[i].test] = true;
    }
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        sum += seen[t] ? 0 : model->weight[t] / all;
    assert_near(sum, 1);
}

static void a_threshold_is_a_share_of_the_budget_by_strata(void **state)
{
    (void)state;
    struct score s = rich_score(BUDGET);
    assert_true(s.n > 6);
    for (size_t i = 0; i < s.n; i++)
        assert_near(s.part[i].threshold / (s.part[i].share * (BUDGET - model->reserve) / strata_open(s.part[i].test)), 1);
}

static void a_part_raises_when_its_rate_is_within_its_threshold(void **state)
{
    (void)state;
    for (double budget = 1e-9; budget < 10; budget *= 3) {
        struct score s = rich_score(budget);
        for (size_t i = 0; i < s.n; i++)
            assert_int_equal(s.part[i].raised, s.part[i].excess > 0 && s.part[i].rate <= s.part[i].threshold);
    }
}

static void a_larger_budget_raises_the_same_and_more(void **state)
{
    (void)state;
    size_t last = 0;
    double value = rich_score(1).value;
    for (double budget = 1e-12; budget < 10; budget *= 3) {
        struct score s = rich_score(budget);
        size_t raised = 0;
        for (size_t i = 0; i < s.n; i++)
            raised += s.part[i].raised;
        assert_true(raised >= last);
        assert_near(s.value, value);
        last = raised;
    }
    assert_true(last > 4);
}

static void the_score_tells_what_must_be_spent_to_raise(void **state)
{
    (void)state;
    double value = rich_score(BUDGET).value, smallest = fmin(pow(10, -value) / model->spent_least, pow(10, -value) + model->reserve);
    assert_true(value > 4);
    assert_true(rich_score(smallest * 1.0001).raised);
    assert_false(rich_score(smallest * 0.9999).raised);
}

static void of_a_budget_under_the_reserve_a_part_is_spent(void **state)
{
    (void)state;
    struct score s = rich_score(model->reserve / 2);
    for (size_t i = 0; i < s.n; i++)
        assert_near(s.part[i].threshold / (s.part[i].share * model->spent_least * model->reserve / 2 / strata_open(s.part[i].test)), 1);
}

static void parts_come_raised_first_and_strongest_first(void **state)
{
    (void)state;
    unsigned mixed = 0;
    for (double budget = 1e-9; budget < 10; budget *= 1.5) {
        struct score s = rich_score(budget);
        mixed += s.part[0].raised && !s.part[s.n - 1].raised;
        for (size_t i = 1; i < s.n; i++) {
            const struct score_part *a = &s.part[i - 1], *b = &s.part[i];
            assert_true(a->raised > b->raised || (a->raised == b->raised && a->rate / a->threshold <= b->rate / b->threshold));
        }
    }
    assert_true(mixed > 3);
}

static void of_too_many_parts_the_strongest_stay(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    for (unsigned i = 0; i < 200; i++)
        day_send(&x, SERVED(i), 3, GB + (i * 37 % 200) * 10 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_int_equal(s.n, SCORE_PARTS_MAX);
    unsigned of_served = 0, strongest = 0;
    for (size_t i = 0; i < s.n; i++)
        of_served += s.part[i].test == SCORE_SERVED_VOLUME;
    for (unsigned i = 0; i < 200; i++)
        strongest += i * 37 % 200 >= 200 - of_served && find(&s, SCORE_SERVED_VOLUME, SERVED(i));
    assert_int_equal(strongest, of_served);
}

/* ---- silence ---- */

static void a_test_that_is_left_out_raises_nothing_and_changes_no_other(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    send_today(&x, WEB(1), 9, 40 * GB);
    struct score all = score(&x, &b, BUDGET), less = score_in(&x, &b, &(struct around){.fleet_days = GROWN, .budget = BUDGET, .left_out = 1u << SCORE_NEW_DESTINATION});
    assert_non_null(find(&all, SCORE_NEW_DESTINATION, all.part[0].group));
    assert_int_equal(less.n, all.n - 1);
    for (size_t i = 0, k = 0; i < all.n; i++) {
        if (all.part[i].test == SCORE_NEW_DESTINATION)
            continue;
        assert_int_equal(less.part[k].test, all.part[i].test);
        assert_true(less.part[k].threshold == all.part[i].threshold && less.part[k].raised == all.part[i].raised);
        k++;
    }
}

static void a_forwarder_scores_nothing(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    send_today(&x, WEB(1), 9, 40 * GB);
    x.d.forwarder = true;
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 0);
    assert_false(s.raised);
}

static void a_silent_day_scores_nothing(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 0);
    assert_near(s.value, 0);
}

static void what_sampling_folded_counts_in_the_sums_of_the_host_only(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    send_today(&x, REST, 9, 40 * GB);
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 2); /* and the day as a whole: creep */
    assert_int_equal(part(&s, SCORE_HOUR_VOLUME, 0)->observed_bytes, 40 * GB);
    assert_int_equal(part(&s, SCORE_CREEP, 0)->observed_bytes, 40 * GB);
}

static void nothing_under_its_reference_raises_whatever_the_budget(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    know(&b, WEB(7), 100 * GB, 28);
    send_today(&x, WEB(7), 3, 40 * GB);
    struct score s = score(&x, &b, 1e9);
    const struct score_part *p = part(&s, SCORE_GROUP_VOLUME, WEB(7));
    assert_true(p->excess < 0 && p->rate == 1 && !p->raised && p->since_hour == 24);
}

static void the_floor_of_the_model_is_the_smallest_in_bytes(void **state)
{
    (void)state;
    double least = INFINITY;
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        least = score_test_counts((enum score_test)t) ? least : fmin(least, model->floor[t]);
    assert_int_equal(score_min_bytes(model), (uint64_t)least);
}

/* ---- cold start ---- */

static void the_first_day_of_a_young_fleet_raises_nothing(void **state)
{
    (void)state;
    struct class_state *c = class_new(CLASS_ONE);
    struct baseline b = fresh_baseline();
    struct day x;
    send_today(&x, WEB(1), 9, 40 * GB);
    for (unsigned fleet_days = 0; fleet_days < (unsigned)model->learning_days; fleet_days++) {
        struct score s = score_in(&x, &b, &(struct around){.class = c, .fleet_days = fleet_days, .budget = 1.0});
        assert_int_equal(s.n, 0);
        assert_true(!s.raised && s.learning);
    }
    class_free(c);
}

static void the_first_day_of_a_host_is_compared_with_its_class(void **state)
{
    (void)state;
    struct class_state *c = class_of(CLASS_ONE, 10, 0, 0, 0);
    struct baseline b = fresh_baseline();
    struct day x;
    send_today(&x, WEB(1), 9, 40 * GB);
    struct score s = score_in(&x, &b, &(struct around){.class = c, .fleet_days = GROWN, .budget = BUDGET});
    assert_true(s.raised && s.learning);
    class_free(c);
}

static void a_first_day_without_a_class_raises_nothing(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    send_today(&x, WEB(1), 9, 40 * GB);
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 0);
}

static void a_host_learns_for_a_week(void **state)
{
    (void)state;
    struct day x;
    day_begin(&x, TODAY);
    struct baseline before = knowing((unsigned)model->learning_days - 1), after = knowing((unsigned)model->learning_days);
    assert_true(score(&x, &before, BUDGET).learning);
    assert_false(score(&x, &after, BUDGET).learning);
    assert_int_equal(score(&x, &after, BUDGET).host_days, (unsigned)model->learning_days);
}

/* One host, one day of history, a thousand times that on the second. */
static void alone_a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    learn_one(&b, TODAY - 1, WEB(1), 5 * MB);
    send_today(&x, WEB(2), 9, 5 * GB);
    struct score s = score_in(&x, &b, &(struct around){.fleet_days = 1, .budget = BUDGET});
    assert_true(s.raised && s.learning);
    assert_true(part(&s, SCORE_NEW_DESTINATION, 0)->raised);
}

static void in_a_fleet_of_300_a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day(void **state)
{
    (void)state;
    enum { hosts = 300 };
    struct day *x = calloc(hosts, sizeof *x);
    struct baseline *b = calloc(hosts, sizeof *b);
    struct class_state *c = class_new(CLASS_ONE), *fleet = class_new(CLASS_FLEET);
    uint64_t seed = 41;
    for (unsigned i = 0; i < hosts; i++) {
        struct baseline_changes changes;
        baseline_init(&b[i], i + 1, ip_from_v4(0x0a000000 + i));
        changes = learn_one(&b[i], TODAY - 1, WEB(i % 7), 5 * MB);
        for (size_t k = 0; k < changes.added_n; k++)
            assert_int_equal(class_change(c, changes.added[k], 1) + class_change(fleet, changes.added[k], 1), WEIR_OK);
        class_note_host(c, NULL);
        class_note_host(fleet, NULL);
        day_begin(&x[i], TODAY);
        day_send(&x[i], WEB(i % 7), 9, random_below(&seed, 10 * MB));
    }
    assert_int_equal(class_close(c, TODAY - 1) + class_close(fleet, TODAY - 1), WEIR_OK);
    day_send(&x[17], WEB(99), 9, 5 * GB);
    struct around a = {c, fleet, 1, BUDGET, 0};
    struct score attacked = score_among(x, b, hosts, 17, &a), other = score_among(x, b, hosts, 18, &a);
    assert_true(attacked.raised);
    assert_false(other.raised);
    class_free(c);
    class_free(fleet);
    free(x);
    free(b);
}

/* ---- extremes ---- */

static void sums_near_the_end_of_64_bits_stay_large(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    day_send(&x, WEB(7), 3, UINT64_MAX);
    day_send(&x, WEB(8), 4, UINT64_MAX);
    day_send(&x, DNS(8), 4, UINT64_MAX);
    struct score s = score(&x, &b, BUDGET);
    assert_true(s.raised && isfinite(s.value));
    assert_true(part(&s, SCORE_NEW_DESTINATION, 0)->observed_bytes == UINT64_MAX);
    assert_true(part(&s, SCORE_ODD_PROTOCOL, 0)->excess > 40);
}

static void the_model_and_its_tests_have_names(void **state)
{
    (void)state;
    assert_string_equal(score_model_version(model), "egress-3");
    assert_string_equal(score_test_word(SCORE_NEW_DESTINATION), "new-destination");
    assert_string_equal(score_test_text(SCORE_HOUR_VOLUME), "external bytes sent in one hour");
    assert_string_equal(score_test_word(SCORE_TEST_COUNT), "?");
    assert_string_equal(score_test_text(SCORE_TEST_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shares_of_the_tests_sum_to_one),
        cmocka_unit_test(a_threshold_is_a_share_of_the_budget_by_strata),
        cmocka_unit_test(a_part_raises_when_its_rate_is_within_its_threshold),
        cmocka_unit_test(a_larger_budget_raises_the_same_and_more),
        cmocka_unit_test(the_score_tells_what_must_be_spent_to_raise),
        cmocka_unit_test(of_a_budget_under_the_reserve_a_part_is_spent),
        cmocka_unit_test(parts_come_raised_first_and_strongest_first),
        cmocka_unit_test(of_too_many_parts_the_strongest_stay),
        cmocka_unit_test(a_test_that_is_left_out_raises_nothing_and_changes_no_other),
        cmocka_unit_test(a_forwarder_scores_nothing),
        cmocka_unit_test(a_silent_day_scores_nothing),
        cmocka_unit_test(what_sampling_folded_counts_in_the_sums_of_the_host_only),
        cmocka_unit_test(nothing_under_its_reference_raises_whatever_the_budget),
        cmocka_unit_test(the_floor_of_the_model_is_the_smallest_in_bytes),
        cmocka_unit_test(the_first_day_of_a_young_fleet_raises_nothing),
        cmocka_unit_test(the_first_day_of_a_host_is_compared_with_its_class),
        cmocka_unit_test(a_first_day_without_a_class_raises_nothing),
        cmocka_unit_test(a_host_learns_for_a_week),
        cmocka_unit_test(alone_a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day),
        cmocka_unit_test(in_a_fleet_of_300_a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day),
        cmocka_unit_test(sums_near_the_end_of_64_bits_stay_large),
        cmocka_unit_test(the_model_and_its_tests_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
