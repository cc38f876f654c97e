/* baseline: what is usual at an hour of the day and of the week, and how far hours lie from it, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "baseline_make.h"

#define MONDAY DAY_ONE
#define SATURDAY (DAY_ONE + 5)

static void send_at(struct baseline *b, unsigned day, unsigned hour, uint64_t bytes, uint32_t gap_hours)
{
    struct day x;
    day_begin(&x, day);
    x.d.gap_hours = gap_hours;
    if (bytes)
        day_send(&x, WEB(1), hour, bytes);
    learn_day(b, &x);
}

static double expect(const struct baseline *b, unsigned day, unsigned hour)
{
    double octaves;
    assert_true(profile_expect(&b->profile, (uint16_t)day, hour, &octaves));
    return octaves;
}

static void assert_octaves(double got, double want)
{
    if (fabs(got - want) > 1.0 / 16)
        fail_msg("%.3f octaves are not %.3f", got, want);
}

static void without_a_day_nothing_is_expected(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    double octaves;
    assert_false(profile_expect(&b.profile, MONDAY, 9, &octaves));
}

static void an_hour_is_expected_as_it_was_on_every_day(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 14; day++)
        send_at(&b, MONDAY + day, 9, GB, 0);
    for (unsigned day = 14; day < 21; day++)
        assert_octaves(expect(&b, MONDAY + day, 9), lg_bytes(GB));
}

static void the_hours_beside_may_send_nearly_as_much(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 14; day++)
        send_at(&b, MONDAY + day, 9, GB, 0);
    assert_octaves(expect(&b, MONDAY + 14, 8), lg_bytes(GB) - 0.5);
    assert_octaves(expect(&b, MONDAY + 14, 10), lg_bytes(GB) - 0.5);
    assert_true(expect(&b, MONDAY + 14, 7) < lg_bytes(GB) / 2 + 3);
}

static void what_takes_longer_runs_on_for_four_hours(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 14; day++)
        send_at(&b, MONDAY + day, 9, GB, 0);
    assert_octaves(expect(&b, MONDAY + 14, 11), lg_bytes(GB) - 1.5);
    assert_octaves(expect(&b, MONDAY + 14, 12), lg_bytes(GB) - 2.5);
    assert_octaves(expect(&b, MONDAY + 14, 13), lg_bytes(GB) - 3.5);
    assert_true(expect(&b, MONDAY + 14, 14) < lg_bytes(GB) / 2 + 3);
}

static void the_day_ends_where_it_begins(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 14; day++)
        send_at(&b, MONDAY + day, 23, GB, 0);
    assert_octaves(expect(&b, MONDAY + 14, 0), lg_bytes(GB) - 0.5);
}

static void weekends_are_of_another_kind(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 28; day++)
        send_at(&b, MONDAY + day, 9, day % 7 < 5 ? 10 * GB : 0, 0);
    assert_octaves(expect(&b, MONDAY + 28, 9), lg_bytes(10 * GB));
    assert_true(expect(&b, SATURDAY + 28, 9) < lg_bytes(10 * GB) - 4);
}

static void a_kind_of_day_that_was_never_seen_borrows_the_other(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 5; day++)
        send_at(&b, MONDAY + day, 9, GB, 0);
    assert_octaves(expect(&b, SATURDAY, 9), lg_bytes(GB));
}

static void what_comes_every_week_is_expected_after_one(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 21; day++)
        send_at(&b, MONDAY + day, 2, day % 7 == 2 ? 40 * GB : 0, 0);
    assert_octaves(expect(&b, MONDAY + 23, 2), lg_bytes(40 * GB));
    assert_true(expect(&b, MONDAY + 24, 2) < lg_bytes(40 * GB) - 3);
}

static void the_hour_of_the_week_goes_half_of_the_way_at_once(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 28; day++)
        send_at(&b, MONDAY + day, 2, day == 23 ? 40 * GB : 0, 0);
    assert_octaves(expect(&b, MONDAY + 30, 2), (lg_bytes(40 * GB) + lg_bytes(20 * MB)) / 2);
}

static void an_hour_with_holes_teaches_no_low_value(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 5; day++)
        send_at(&b, MONDAY + day, 9, GB, 0);
    struct baseline_profile before = b.profile;
    send_at(&b, MONDAY + 7, 9, 0, 1u << 9);
    assert_int_equal(b.profile.mean[0][9], before.mean[0][9]);
    assert_int_equal(b.profile.count[9], before.count[9]);
    assert_int_equal(b.profile.count[15], before.count[15] + 1);
}

static void an_hour_with_holes_teaches_a_high_value(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 5; day++)
        send_at(&b, MONDAY + day, 9, GB, 0);
    struct baseline_profile before = b.profile;
    send_at(&b, MONDAY + 7, 9, 40 * GB, 1u << 9);
    assert_true(b.profile.mean[0][9] > before.mean[0][9]);
}

static void hours_under_the_floor_are_all_alike(void **state)
{
    (void)state;
    struct baseline quiet = fresh_baseline(), noisy = fresh_baseline();
    uint64_t seed = 4;
    for (unsigned day = 0; day < 14; day++) {
        send_at(&quiet, MONDAY + day, 9, 0, 0);
        send_at(&noisy, MONDAY + day, 9, random_below(&seed, 20 * MB), 0);
    }
    assert_memory_equal(&quiet.profile, &noisy.profile, sizeof quiet.profile);
}

static double spread(const struct baseline *b, unsigned hour) { return profile_spread(&b->profile, hour, 1.5, 40, 5); }

static void without_residuals_the_spread_is_the_prior(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    assert_true(fabs(spread(&b, 9) - 1.5) < 1e-9);
}

static void a_steady_host_is_trusted_more_from_week_to_week(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    double last = spread(&b, 9);
    for (unsigned day = 0; day < 28; day++) {
        send_at(&b, MONDAY + day, 9, 0, 0);
        assert_true(spread(&b, 9) <= last);
        last = spread(&b, 9);
    }
    assert_true(last < 0.5);
}

static void a_backup_that_varies_does_not_hide_the_quiet_hours(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 28; day++)
        send_at(&b, MONDAY + day, 2, day % 3 ? 20 * MB : 40 * GB, 0);
    assert_true(spread(&b, 2) > 2 * spread(&b, 14));
}

static void what_was_learned_long_ago_counts_less(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 28; day++)
        send_at(&b, MONDAY + day, 2, day % 3 ? 20 * MB : 40 * GB, 0);
    double wild = spread(&b, 2);
    for (unsigned day = 28; day < 400; day++)
        send_at(&b, MONDAY + day, 2, 20 * MB, 0);
    assert_true(spread(&b, 2) < wild / 3);
}

static void nothing_overflows_in_years_of_the_wildest_days(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 2000; day++)
        send_at(&b, MONDAY + day, 2, day % 2 ? 0 : UINT64_MAX, 0);
    assert_true(spread(&b, 2) > 5 && spread(&b, 2) < 48);
    assert_true(expect(&b, MONDAY + 2000, 2) <= 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_day_nothing_is_expected),
        cmocka_unit_test(an_hour_is_expected_as_it_was_on_every_day),
        cmocka_unit_test(the_hours_beside_may_send_nearly_as_much),
        cmocka_unit_test(what_takes_longer_runs_on_for_four_hours),
        cmocka_unit_test(the_day_ends_where_it_begins),
        cmocka_unit_test(weekends_are_of_another_kind),
        cmocka_unit_test(a_kind_of_day_that_was_never_seen_borrows_the_other),
        cmocka_unit_test(what_comes_every_week_is_expected_after_one),
        cmocka_unit_test(the_hour_of_the_week_goes_half_of_the_way_at_once),
        cmocka_unit_test(an_hour_with_holes_teaches_no_low_value),
        cmocka_unit_test(an_hour_with_holes_teaches_a_high_value),
        cmocka_unit_test(hours_under_the_floor_are_all_alike),
        cmocka_unit_test(without_residuals_the_spread_is_the_prior),
        cmocka_unit_test(a_steady_host_is_trusted_more_from_week_to_week),
        cmocka_unit_test(a_backup_that_varies_does_not_hide_the_quiet_hours),
        cmocka_unit_test(what_was_learned_long_ago_counts_less),
        cmocka_unit_test(nothing_overflows_in_years_of_the_wildest_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
