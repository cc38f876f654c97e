/* score: from excess to rate, against a plain reading of the formulas, and what must hold for any history. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

#define TEST SCORE_NEW_DESTINATION
#define HISTORY (SCORE_STRATA * TEST)
static const struct baseline_run no_run = {0, 0, 0};

/* A class of the last 28 days: `quiet` host-days without, and one with each of the excesses. */
static struct class_state *class_with(uint64_t id, unsigned history, unsigned quiet_days, const uint8_t *excess, size_t n)
{
    struct class_state *c = class_of(id, 10, 0, 0, 0);
    for (unsigned i = 0; i < quiet_days; i++)
        assert_int_equal(class_note_excess(c, history, (uint16_t)(TODAY - 1 - i % 28), 0, no_run), WEIR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(class_note_excess(c, history, (uint16_t)(TODAY - 1 - i % 28), excess[i], no_run), WEIR_OK);
    return c;
}

static double rate(const struct class_state *class, const struct class_state *fleet, unsigned stratum, double u)
{
    struct score_calibration *c = score_calibration_new(model, class, fleet, TODAY);
    double r = score_rate(c, TEST, stratum, u);
    score_calibration_free(c);
    return r;
}

/* ---- worked examples ---- */

static void without_a_fleet_the_priors_of_the_young_speak_alone(void **state)
{
    (void)state;
    assert_near(rate(NULL, NULL, 0, 2) / (model->young_lambda[TEST] * exp(-2 / model->young_scale[TEST])), 1);
}

static void a_fleet_younger_than_a_week_says_nothing(void **state)
{
    (void)state;
    struct class_state *fleet = class_new(CLASS_FLEET);
    for (unsigned day = 0; day + 1 < (unsigned)model->learning_days; day++) {
        class_note_host(fleet, NULL);
        assert_int_equal(class_note_excess(fleet, HISTORY, (uint16_t)(TODAY - 7 + day), 80, no_run), WEIR_OK);
        assert_int_equal(class_close(fleet, (uint16_t)(TODAY - 7 + day)), WEIR_OK);
    }
    assert_true(rate(NULL, fleet, 0, 2) == rate(NULL, NULL, 0, 2));
    class_free(fleet);
}

/* 30 excesses of 1, 2, 3 ... 30 eighths in 2,000 host-days of the fleet, none of a class:
 * lambda = (30 + 1000 lambda0) / (2000 + 1000); m = 3, x_m = 28/8; median 15.5/8, scale = (30 * 1.9375 / ln 2 + 60 s0) / 90;
 * S_fleet(5) = 3/30 exp(-(5 - 3.5) / scale), a = 30/70: S = S_fleet^a exp(-5/s0)^(1-a). */
static void the_fleet_has_its_worked_example(void **state)
{
    (void)state;
    uint8_t e[30];
    for (uint8_t i = 0; i < 30; i++)
        e[i] = (uint8_t)(i + 1);
    struct class_state *fleet = class_with(CLASS_FLEET, HISTORY, 1970, e, 30);
    double s0 = model->scale[TEST], lambda = (30 + model->lambda_fleet * model->lambda[TEST]) / (2000 + model->lambda_fleet);
    double scale = (30 * 1.9375 / log(2) + model->scale_weight * s0) / (30 + model->scale_weight);
    double tail = 3 / 30.0 * exp(-1.5 / scale), a = 30 / (30 + model->tail_mix);
    assert_near(rate(NULL, fleet, 0, 5) / (lambda * pow(tail, a) * pow(exp(-5 / s0), 1 - a)), 1);
    assert_near(rate(NULL, fleet, 0, 2) / (lambda * pow(15 / 30.0, a) * pow(exp(-2 / s0), 1 - a)), 1);
    class_free(fleet);
}

static void a_class_is_mixed_with_the_fleet_by_what_it_has_seen(void **state)
{
    (void)state;
    const uint8_t e[] = {8, 16, 24, 32};
    struct class_state *fleet = class_with(CLASS_FLEET, HISTORY, 2000, e, 0), *class = class_with(CLASS_ONE, HISTORY, 96, e, 4);
    double s0 = model->scale[TEST], fleet_lambda = model->lambda_fleet * model->lambda[TEST] / (2000 + model->lambda_fleet);
    double lambda = (4 + fleet_lambda * model->lambda_class) / (100 + model->lambda_class), a = 4 / (4 + model->tail_mix);
    double scale = (4 * 2.5 / log(2) + model->scale_weight * s0) / (4 + model->scale_weight), tail = 0.25 * exp(-(6 - 4) / scale);
    assert_near(rate(class, fleet, 0, 6) / (lambda * pow(tail, a) * pow(exp(-6 / s0), 1 - a)), 1);
    class_free(fleet);
    class_free(class);
}

/* 60 excesses, 50 of an eighth and 10 of 20: the median knows nothing of the tail, the mean does. */
static void of_plenty_the_scale_is_not_under_the_mean(void **state)
{
    (void)state;
    uint8_t e[60];
    memset(e, 1, sizeof e);
    memset(e, 160, 10);
    struct class_state *fleet = class_with(CLASS_FLEET, HISTORY, 1940, e, 60);
    double s0 = model->scale[TEST], mean = (50 * 0.125 + 10 * 20) / 60, a = 60 / (60 + model->tail_mix);
    double scale = (60 * mean + model->scale_weight * s0) / (60 + model->scale_weight), lambda = (60 + model->lambda_fleet * model->lambda[TEST]) / (2000 + model->lambda_fleet);
    assert_near(rate(NULL, fleet, 0, 25) / (lambda * pow(0.1 * exp(-5 / scale), a) * pow(exp(-25 / s0), 1 - a)), 1);
    class_free(fleet);
}

static void strata_are_calibrated_apart(void **state)
{
    (void)state;
    uint8_t e[200];
    memset(e, 100, sizeof e);
    struct class_state *fleet = class_with(CLASS_FLEET, HISTORY + 1, 800, e, sizeof e);
    assert_true(rate(NULL, fleet, 1, 10) > 100 * rate(NULL, fleet, 0, 10));
    class_free(fleet);
}

static void the_young_have_priors_of_their_own(void **state)
{
    (void)state;
    struct class_state *fleet = class_of(CLASS_FLEET, 10, 0, 0, 0), *young = class_of(CLASS_YOUNG, 10, 0, 0, 0), *class = class_of(CLASS_ONE, 10, 0, 0, 0);
    assert_near(rate(young, fleet, 0, 2) / (model->young_lambda[TEST] * exp(-2 / model->young_scale[TEST])), 1);
    assert_near(rate(class, fleet, 0, 2) / (model->lambda[TEST] * exp(-2 / model->scale[TEST])), 1);
    class_free(fleet);
    class_free(young);
    class_free(class);
}

/* ---- what must hold ---- */

static void nothing_above_is_certain(void **state)
{
    (void)state;
    assert_true(rate(NULL, NULL, 0, 0) == 1 && rate(NULL, NULL, 0, -3) == 1 && rate(NULL, NULL, 0, (double)NAN) == 1);
}

static struct class_state *random_class(uint64_t *seed, uint64_t id)
{
    uint8_t e[900];
    size_t n = random_below(seed, 10) ? random_below(seed, sizeof e) : 0;
    for (size_t i = 0; i < n; i++)
        e[i] = (uint8_t)(1 + random_below(seed, random_below(seed, 255) + 1));
    return class_with(id, HISTORY, (unsigned)random_below(seed, 3000), e, n);
}

static void a_larger_excess_is_never_more_frequent(void **state)
{
    (void)state;
    uint64_t seed = 21;
    for (unsigned round = 0; round < 40; round++) {
        struct class_state *fleet = random_class(&seed, CLASS_FLEET), *class = random_class(&seed, CLASS_ONE);
        struct score_calibration *c = score_calibration_new(model, round % 3 ? class : NULL, fleet, TODAY);
        double last = 1;
        for (double u = 0.01; u < 60; u += 0.03) {
            double r = score_rate(c, TEST, 0, u);
            assert_true(r > 0 && r <= last);
            last = r;
        }
        score_calibration_free(c);
        class_free(fleet);
        class_free(class);
    }
}

static void the_alarm_is_the_least_excess_that_raises(void **state)
{
    (void)state;
    uint64_t seed = 22;
    for (unsigned round = 0; round < 40; round++) {
        struct class_state *fleet = random_class(&seed, CLASS_FLEET);
        struct score_calibration *c = score_calibration_new(model, NULL, fleet, TODAY);
        double threshold = pow(10, -1 - (double)random_below(&seed, 5));
        uint8_t v = score_alarm(c, TEST, 0, threshold);
        assert_true(v >= 1 && (v == UINT8_MAX || score_rate(c, TEST, 0, v / 8.0) <= threshold));
        assert_true(v == 1 || score_rate(c, TEST, 0, (v - 1) / 8.0) > threshold);
        score_calibration_free(c);
        class_free(fleet);
    }
}

static void as_far_as_a_history_speaks_a_test_may_raise_more_than_its_share(void **state)
{
    (void)state;
    struct score_calibration *none = score_calibration_new(model, NULL, NULL, TODAY);
    assert_near(calibration_gain(none, TEST, 0), 1);
    score_calibration_free(none);
    for (unsigned days = 0; days <= 8000; days += 1000) {
        struct class_state *fleet = class_with(CLASS_FLEET, HISTORY, days, NULL, 0);
        struct score_calibration *c = score_calibration_new(model, NULL, fleet, TODAY);
        assert_near(calibration_gain(c, TEST, 0), 1 + (model->gain - 1) * days / (days + model->lambda_fleet));
        score_calibration_free(c);
        class_free(fleet);
    }
}

static void a_fleet_that_exceeds_more_often_is_believed_less(void **state)
{
    (void)state;
    uint8_t e[400];
    memset(e, 40, sizeof e);
    double last = 0;
    for (size_t n = 0; n <= sizeof e; n += 100) {
        struct class_state *fleet = class_with(CLASS_FLEET, HISTORY, 4000, e, n);
        assert_true(rate(NULL, fleet, 0, 8) > last);
        last = rate(NULL, fleet, 0, 8);
        class_free(fleet);
    }
}

static void more_excesses_than_are_kept_still_count(void **state)
{
    (void)state;
    struct class_state *fleet = class_of(CLASS_FLEET, 10, 0, 0, 0);
    for (unsigned i = 0; i < 3 * CALIBRATION_KEPT; i++)
        assert_int_equal(class_note_excess(fleet, HISTORY, TODAY - 1, (uint8_t)(i % 4 ? 2 : 80), no_run), WEIR_OK);
    double quarter = rate(NULL, fleet, 0, 8), all = rate(NULL, fleet, 0, 1e-9);
    assert_true(quarter / all > 0.15 && quarter / all < 0.35);
    assert_true(all > 0.7);
    class_free(fleet);
}

static void days_to_come_do_not_count(void **state)
{
    (void)state;
    struct class_state *fleet = class_of(CLASS_FLEET, 10, 0, 0, 0);
    double before = rate(NULL, fleet, 0, 3);
    assert_int_equal(class_note_excess(fleet, HISTORY, TODAY, 200, no_run), WEIR_OK);
    assert_true(rate(NULL, fleet, 0, 3) == before);
    class_free(fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fleet_the_priors_of_the_young_speak_alone),
        cmocka_unit_test(a_fleet_younger_than_a_week_says_nothing),
        cmocka_unit_test(the_fleet_has_its_worked_example),
        cmocka_unit_test(a_class_is_mixed_with_the_fleet_by_what_it_has_seen),
        cmocka_unit_test(of_plenty_the_scale_is_not_under_the_mean),
        cmocka_unit_test(strata_are_calibrated_apart),
        cmocka_unit_test(the_young_have_priors_of_their_own),
        cmocka_unit_test(nothing_above_is_certain),
        cmocka_unit_test(a_larger_excess_is_never_more_frequent),
        cmocka_unit_test(the_alarm_is_the_least_excess_that_raises),
        cmocka_unit_test(as_far_as_a_history_speaks_a_test_may_raise_more_than_its_share),
        cmocka_unit_test(a_fleet_that_exceeds_more_often_is_believed_less),
        cmocka_unit_test(more_excesses_than_are_kept_still_count),
        cmocka_unit_test(days_to_come_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
