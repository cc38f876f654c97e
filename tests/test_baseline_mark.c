/* What a person says of raised days: benign is learned in full and at once, true never, and forgetting tells the class.
 * SPDX-License-Identifier: Apache-2.0 */
#include "weir/baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define DAY 20000
#define GROUP(n) ((uint64_t)GROUP_INITIATED << 60 | (uint64_t)GROUP_FORM_V4 << 52 | (uint64_t)(n) << 16)
#define GB 1000000000ULL

static struct baseline b;

/* A host that sent a megabyte to GROUP(1) on each of so many days. */
static void learned(uint16_t days)
{
    baseline_init(&b, 1, ip_from_v4(0x0a000001));
    for (uint16_t d = 0; d < days; d++) {
        struct baseline_changes changes;
        struct host_group g = {.group = GROUP(1), .bytes_out = 1000000};
        struct host_day day = {.host_id = 1, .day_s = (int64_t)(DAY + d) * DAY_S, .group = &g, .groups = 1};
        struct baseline_lesson l = {.day = &day, .class_id = 77, .features = 1};
        assert_int_equal(baseline_learn(&b, &l, &changes), WEIR_OK);
    }
}

/* A raised day with 2 GB to that group. */
static struct baseline_held held(uint16_t day, uint64_t group)
{
    struct baseline_held h = {.day = day, .groups = 1};
    h.group[0].group = group;
    h.group[0].value = lg_round(2 * GB);
    h.hour_out[2] = 2 * GB;
    return h;
}

static void quarantine(uint64_t group, uint16_t day)
{
    b.flag[b.flags++] = (struct baseline_flag){group, day, 10};
}

static void benign_leaves_quarantine_at_once_and_is_familiar(void **state)
{
    (void)state;
    learned(20);
    quarantine(GROUP(2), DAY + 20);
    struct baseline_held h = held(DAY + 20, GROUP(2));
    assert_true(baseline_quarantined(&b, GROUP(2), DAY + 21));
    baseline_confirm(&b, &h, DAY + 21);
    assert_false(baseline_quarantined(&b, GROUP(2), DAY + 21));
    assert_true(baseline_familiar(&b, GROUP(2), DAY + 21));
}

static void benign_is_learned_with_all_that_it_got(void **state)
{
    (void)state;
    learned(20);
    struct baseline_held fresh = held(DAY + 20, GROUP(2)), known = held(DAY + 20, GROUP(1));
    baseline_confirm(&b, &fresh, DAY + 21);
    baseline_confirm(&b, &known, DAY + 21);
    assert_int_equal(ring_rank(&baseline_find(&b, GROUP(2))->ring, 1), lg_round(2 * GB));
    assert_int_equal(ring_rank(&baseline_find(&b, GROUP(1))->ring, 1), lg_round(2 * GB)); /* the second largest is the reference */
}

static void benign_hours_are_expected_if_they_were_what_raised(void **state)
{
    (void)state;
    double before, after;
    learned(20);
    struct baseline_held h = held(DAY + 20, GROUP(2));
    (void)profile_expect(&b.profile, DAY + 27, 2, &before);
    baseline_confirm(&b, &h, DAY + 21);
    (void)profile_expect(&b.profile, DAY + 27, 2, &after);
    assert_true(after - before < 0.001);
    h.hours = true;
    baseline_confirm(&b, &h, DAY + 21);
    assert_true(profile_expect(&b.profile, DAY + 27, 2, &after));
    assert_true(after > before + 1);
}

static void true_is_in_quarantine_for_ever(void **state)
{
    (void)state;
    struct baseline_changes out;
    learned(20);
    struct baseline_held h = held(DAY + 20, GROUP(2));
    baseline_refuse(&b, &h, DAY + 20);
    baseline_release(&b, UINT16_MAX - 1, &out);
    assert_true(baseline_quarantined(&b, GROUP(2), DAY + 4000));
    assert_null(baseline_find(&b, GROUP(2)));
}

static void true_unlearns_what_was_met_with_it_and_nothing_older(void **state)
{
    (void)state;
    learned(20);
    struct baseline_held fresh = held(DAY + 20, GROUP(2)), known = held(DAY + 20, GROUP(1));
    baseline_confirm(&b, &fresh, DAY + 21);
    b.group[1].first_day = DAY + 20; /* released, not confirmed */
    baseline_refuse(&b, &fresh, DAY + 20);
    baseline_refuse(&b, &known, DAY + 20);
    assert_null(baseline_find(&b, GROUP(2)));
    assert_non_null(baseline_find(&b, GROUP(1)));
}

static void true_spares_what_the_host_used_before_and_that_got_little(void **state)
{
    (void)state;
    learned(20);
    struct baseline_held h = held(DAY + 20, GROUP(2));
    h.groups = 2;
    h.group[1].group = GROUP(1);
    h.group[1].value = lg_round(1000000);
    baseline_refuse(&b, &h, DAY + 20);
    assert_true(baseline_quarantined(&b, GROUP(2), DAY + 21));
    assert_false(baseline_quarantined(&b, GROUP(1), DAY + 21));
}

static void a_reprieve_begins_quarantine_anew_for_what_nobody_calls_true_any_more(void **state)
{
    (void)state;
    const uint64_t kept[] = {GROUP(3)};
    learned(20);
    struct baseline_held two = held(DAY + 20, GROUP(2)), three = held(DAY + 20, GROUP(3));
    baseline_refuse(&b, &two, DAY + 20);
    baseline_refuse(&b, &three, DAY + 20);
    baseline_reprieve(&b, kept, 1, DAY + 30);
    assert_true(baseline_quarantined(&b, GROUP(2), DAY + 36));
    assert_false(baseline_quarantined(&b, GROUP(2), DAY + 37));
    assert_true(baseline_quarantined(&b, GROUP(3), DAY + 37));
}

static void the_class_is_told_the_difference(void **state)
{
    (void)state;
    struct baseline_changes out;
    learned(20);
    struct baseline before = b;
    struct baseline_held h = held(DAY + 20, GROUP(2));
    baseline_confirm(&b, &h, DAY + 21);
    baseline_compare(&before, &b, &out);
    assert_int_equal(out.added_n, 1);
    assert_int_equal(out.added[0], GROUP(2));
    assert_int_equal(out.removed_n, 0);
}

static void forgetting_leaves_nothing_and_tells_what_the_class_counted(void **state)
{
    (void)state;
    struct baseline_changes out;
    learned(20);
    baseline_forget(&b, &out);
    assert_int_equal(out.removed_n, 1);
    assert_int_equal(out.removed[0], GROUP(1));
    assert_int_equal(b.days + b.groups + b.flags, 0);
    assert_int_equal(b.host_id, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(benign_leaves_quarantine_at_once_and_is_familiar),
        cmocka_unit_test(benign_is_learned_with_all_that_it_got),
        cmocka_unit_test(benign_hours_are_expected_if_they_were_what_raised),
        cmocka_unit_test(true_is_in_quarantine_for_ever),
        cmocka_unit_test(true_unlearns_what_was_met_with_it_and_nothing_older),
        cmocka_unit_test(true_spares_what_the_host_used_before_and_that_got_little),
        cmocka_unit_test(a_reprieve_begins_quarantine_anew_for_what_nobody_calls_true_any_more),
        cmocka_unit_test(the_class_is_told_the_difference),
        cmocka_unit_test(forgetting_leaves_nothing_and_tells_what_the_class_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
