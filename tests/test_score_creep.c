/* score: creep, by its worked example, and the ramp that it is for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

/* Days of one amount, then 5 % more each day; the next day is today. */
static struct baseline ramp(unsigned level_days, unsigned ramp_days, uint64_t *next)
{
    struct baseline b = fresh_baseline();
    double bytes = (double)GB;
    for (unsigned day = TODAY - level_days - ramp_days; day < TODAY; day++) {
        struct day x;
        day_begin(&x, day);
        bytes *= day >= TODAY - ramp_days ? 1.05 : 1;
        day_send(&x, WEB(1), 9, (uint64_t)bytes);
        learn_day(&b, &x);
    }
    *next = (uint64_t)(bytes * 1.05);
    return b;
}

static void creep_has_its_worked_example(void **state)
{
    (void)state;
    uint64_t next;
    struct baseline b = ramp(56, 39, &next);
    struct day x;
    send_today(&x, WEB(1), 9, next);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_CREEP, 0, WANT(16.713, 14.125, 0.592, 4.369));
}

static void assert_ramp_is_found(const struct around *a)
{
    for (unsigned days = 1;; days++) {
        uint64_t next;
        struct baseline b = ramp(56, days, &next);
        struct day x;
        send_today(&x, WEB(1), 9, next);
        struct score s = score_in(&x, &b, a);
        assert_true(next < 10 * GB);
        if (s.raised)
            break;
    }
}

static void alone_at_one_finding_a_week_a_ramp_of_5_percent_a_day_is_found_before_it_has_multiplied_by_ten(void **state)
{
    (void)state;
    assert_ramp_is_found(&(struct around){.fleet_days = GROWN, .budget = 1.0 / 7});
}

/* A hundred hosts of which one in two hundred is a little above what it sent long ago, as in the fitting worlds. */
static void in_a_fleet_a_ramp_of_5_percent_a_day_creeps_out_before_it_has_multiplied_by_ten(void **state)
{
    (void)state;
    const struct baseline_run no_run = {0, 0, 0};
    struct class_state *fleet = class_of(CLASS_FLEET, 10, 0, 0, 0);
    for (unsigned i = 0; i < 2800; i++)
        assert_int_equal(class_note_excess(fleet, SCORE_STRATA * SCORE_CREEP, (uint16_t)(TODAY - 1 - i % 28), i % 200 ? 0 : 6, no_run), WEIR_OK);
    assert_ramp_is_found(&(struct around){.fleet = fleet, .fleet_days = GROWN, .budget = BUDGET});
    class_free(fleet);
}

static void a_host_of_less_than_four_weeks_does_not_creep(void **state)
{
    (void)state;
    for (unsigned days = 26; days <= 28; days++) {
        uint64_t next;
        struct baseline b = ramp(days, 0, &next);
        struct day x;
        send_today(&x, WEB(1), 9, GB);
        struct score s = score(&x, &b, BUDGET);
        assert_int_equal(find(&s, SCORE_CREEP, 0) != NULL, days >= BASELINE_RING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creep_has_its_worked_example),
        cmocka_unit_test(alone_at_one_finding_a_week_a_ramp_of_5_percent_a_day_is_found_before_it_has_multiplied_by_ten),
        cmocka_unit_test(in_a_fleet_a_ramp_of_5_percent_a_day_creeps_out_before_it_has_multiplied_by_ten),
        cmocka_unit_test(a_host_of_less_than_four_weeks_does_not_creep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
