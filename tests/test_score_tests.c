/* score: each test by its worked example (the same as in the head of its file), and when it is silent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

/* ---- worked examples ---- */

/* 100 MB at nine on 28 days, and nothing at other hours. */
static struct baseline backup_at_nine(void)
{
    struct baseline b = fresh_baseline();
    for (unsigned day = TODAY - 28; day < TODAY; day++) {
        struct day x;
        day_begin(&x, day);
        day_send(&x, WEB(1), 9, 100 * MB);
        learn_day(&b, &x);
    }
    return b;
}

static void hour_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = backup_at_nine();
    struct day x;
    send_today(&x, WEB(1), 9, 2 * GB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_HOUR_VOLUME, 0, WANT(14.897, 10.5625, 1.2, 3.612));
    assert_int_equal(part(&s, SCORE_HOUR_VOLUME, 0)->from_hour, 9);
    send_today(&x, WEB(1), 8, 2 * GB);
    s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_HOUR_VOLUME, 0, WANT(14.897, 10.0625, 1.683, 2.873));
}

static void group_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(14);
    struct day x;
    know(&b, WEB(7), 100 * MB, 14);
    send_today(&x, WEB(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_GROUP_VOLUME, WEB(7), WANT(13.897, 10.868, 0.7, 4.328));
}

static void new_destination_has_its_worked_example(void **state)
{
    (void)state;
    static const uint64_t mb[] = {3, 1, 2, 0, 2, 1, 3, 2, 1};
    struct baseline b = knowing(9);
    struct day x;
    for (size_t i = 0; i < WEIR_COUNT(mb); i++)
        fill(&b.feature[FEATURE_NEW], mb[i] * MB, 1);
    send_today(&x, WEB(1), 9, 40 * GB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_NEW_DESTINATION, 0, WANT(19.219, 5.881, 0.671, 19.865));
    assert_int_equal(part(&s, SCORE_NEW_DESTINATION, 0)->largest_bytes, lg_to_bytes(5.5));
    assert_int_equal(part(&s, SCORE_NEW_DESTINATION, 0)->history_days, 9);
}

static void new_far_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    day_send(&x, WEB_IN(9, 1), 9, 20 * MB);
    day_send(&x, WEB_IN(10, 2), 9, 30 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_NEW_FAR, 0, WANT(9.577, 4.978, 0.7, 6.570));
    assert_int_equal(part(&s, SCORE_NEW_FAR, 0)->observed_count, 2);
}

static void class_destination_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct class_state *c = class_of(CLASS_ONE, 10, WEB(7), 3, 88);
    struct day x;
    send_today(&x, WEB(7), 3, GB);
    struct score s = score_in(&x, &b, &(struct around){.class = c, .fleet_days = GROWN, .budget = BUDGET});
    assert_part(&s, SCORE_CLASS_DESTINATION, WEB(7), WANT(13.897, 11, 0.7, 4.139));
    class_free(c);
}

static void odd_protocol_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(20);
    struct day x;
    send_today(&x, DNS(7), 3, 5 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_ODD_PROTOCOL, 0, WANT(10.255, 7.061, 0.7, 4.562));
    assert_int_equal(part(&s, SCORE_ODD_PROTOCOL, 0)->observed_bytes, 5 * MB);
}

static void slow_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    met(&b, WEB(7), 8 * MB, 8, 3);
    send_today(&x, WEB(7), 3, 8 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_SLOW, WEB(7), WANT(8.478, 7.381, 0.7, 1.568));
    assert_int_equal(part(&s, SCORE_SLOW, WEB(7))->history_days, 20);
    assert_null(find(&s, SCORE_SLOW_FAR, WEB(7)));
}

static void slow_far_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    met(&b, WEB(7), 8 * MB, 8, 3);
    send_today(&x, WEB_IN(9, 7), 3, 8 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_SLOW_FAR, WEB(7), WANT(8.478, 7.381, 0.7, 1.568));
}

static void split_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    for (unsigned i = 0; i < 5; i++)
        day_send(&x, WEB(i), 3 + i, 5 * MB);
    day_send(&x, WEB(5), 3, 4 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_SPLIT, 0, WANT(5.170, 4, 0.7, 1.671));
    assert_int_equal(part(&s, SCORE_SPLIT, 0)->observed_count, 5);
    assert_int_equal(part(&s, SCORE_SPLIT, 0)->observed_bytes, 25 * MB);
    assert_near(score_test_count(SCORE_SPLIT, part(&s, SCORE_SPLIT, 0)->observed), 5);
}

static void served_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(1);
    struct day x;
    send_today(&x, SERVED(7), 3, 2 * GB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_SERVED_VOLUME, SERVED(7), WANT(14.897, 9.424, 0.7, 7.818));
}

static void served_new_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    day_send(&x, SERVED(7), 3, 200 * MB);
    day_send(&x, SERVED(8), 3, 100 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_SERVED_NEW, SERVED(7), WANT(11.576, 8.258, 0.7, 4.740));
    assert_null(find(&s, SCORE_SERVED_NEW, SERVED(8)));
}

static void internal_pair_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(20);
    struct day x;
    know(&b, INTERNAL(7), GB, 20);
    send_today(&x, INTERNAL(7), 3, 20 * GB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_INTERNAL_PAIR, INTERNAL(7), WANT(18.219, 13.993, 0.7, 6.038));
}

static void internal_subnet_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    fill(&b.feature[FEATURE_SUBNET], 40 * MB, 2);
    day_begin(&x, TODAY);
    day_send(&x, INTERNAL(0x0a000907), 3, 400 * MB);
    day_send(&x, INTERNAL(0x0a000908), 5, 600 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_INTERNAL_SUBNET, group_subnet(INTERNAL(0x0a000900)), WANT(13.897, 9.25, 0.742, 6.266));
}

static void beacon_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    met(&b, WEB(7), 1000, 1, 1)->hours = 0xfff000;
    day_begin(&x, TODAY);
    day_send(&x, WEB(7), 0, 100);
    for (unsigned h = 2; h < 24; h += 2)
        day_add(&x, 0, h, 100);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_BEACON, WEB(7), WANT(6, 4.513, 0.7, 2.125));
    assert_int_equal(part(&s, SCORE_BEACON, WEB(7))->observed_count, 24);
    assert_near(score_test_count(SCORE_BEACON, part(&s, SCORE_BEACON, WEB(7))->observed), 24);
    assert_null(find(&s, SCORE_BEACON_FAR, WEB(7)));
}

static void beacon_far_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    met(&b, WEB(7), 1000, 1, 1)->hours = 0xfff000;
    day_begin(&x, TODAY);
    day_send(&x, WEB_IN(9, 7), 0, 100);
    for (unsigned h = 2; h < 24; h += 2)
        day_add(&x, 0, h, 100);
    struct score s = score(&x, &b, BUDGET);
    assert_part(&s, SCORE_BEACON_FAR, WEB(7), WANT(6, 4.513, 0.7, 2.125));
}

/* ---- floors ---- */

struct floor_row { enum score_test test; uint64_t group; bool known; };
static const struct floor_row floors[] = {
    {SCORE_HOUR_VOLUME, WEB(1), false},          {SCORE_CREEP, WEB(1), false},
            {SCORE_GROUP_VOLUME, WEB(1), true},        {SCORE_NEW_DESTINATION, WEB(1), false},
    {SCORE_NEW_FAR, WEB_IN(9, 1), false},        {SCORE_ODD_PROTOCOL, DNS(1), false},       {SCORE_SERVED_VOLUME, SERVED(1), false},
    {SCORE_SERVED_VOLUME, UNKNOWN(1), false},    {SCORE_SERVED_VOLUME, SERVED(1), true},    {SCORE_SERVED_NEW, SERVED(1), false},
    {SCORE_INTERNAL_PAIR, INTERNAL(0x0a000101), true}, {SCORE_INTERNAL_SUBNET, INTERNAL(0x0a000101), false},
};

static bool raises_at(const struct floor_row *f, uint64_t bytes, double budget)
{
    struct baseline b = quiet(28);
    struct day x;
    if (f->known)
        know(&b, f->group, 0, 28);
    send_today(&x, f->group, 9, bytes);
    struct score s = score(&x, &b, budget);
    for (size_t i = 0; i < s.n; i++)
        if (s.part[i].test == f->test && s.part[i].raised)
            return true;
    return false;
}

static void no_budget_breaks_a_floor(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++) {
        uint64_t floor = (uint64_t)model->floor[floors[i].test];
        assert_false(raises_at(&floors[i], floor - 1, 1e9));
        assert_false(raises_at(&floors[i], floor, 1e9));
    }
}

static void each_test_can_raise_just_over_its_floor(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++)
        if (!raises_at(&floors[i], (uint64_t)model->floor[floors[i].test] + 1000, 1e9))
            fail_msg("%s does not", score_test_word(floors[i].test));
}

static void fewer_places_or_hours_than_the_floor_never_raise(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    met(&b, WEB(70), 1000, 1, 1)->hours = 0xff;
    day_begin(&x, TODAY);
    for (unsigned i = 0; i < 3; i++)
        day_send(&x, WEB(i), 3 + i, 5 * MB);
    size_t at = day_send(&x, WEB(70), 0, 100);
    for (unsigned h = 1; h < 10; h++)
        day_add(&x, at, h, 100);
    struct score s = score(&x, &b, 1e9);
    const struct score_part *split = find(&s, SCORE_SPLIT, 0), *beacon = find(&s, SCORE_BEACON, WEB(70));
    assert_false((split && split->raised) || (beacon && beacon->raised));
}

/* ---- which destinations a test speaks of ---- */

static void a_familiar_destination_is_not_new(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    know(&b, WEB(7), GB, 28);
    day_begin(&x, TODAY);
    day_send(&x, WEB(7), 3, GB);
    day_send(&x, WEB(8), 3, 5 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_int_equal(part(&s, SCORE_NEW_DESTINATION, 0)->observed_bytes, 5 * MB);
    assert_int_equal(part(&s, SCORE_NEW_DESTINATION, 0)->observed_count, 1);
}

static void what_the_class_shares_is_not_new(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct class_state *c = class_of(CLASS_ONE, 10, WEB(7), 3, 60);
    struct day x;
    send_today(&x, WEB(7), 3, GB);
    struct around a = {.class = c, .fleet_days = GROWN, .budget = BUDGET};
    struct score s = score_in(&x, &b, &a);
    assert_null(find(&s, SCORE_NEW_DESTINATION, 0));
    assert_non_null(find(&s, SCORE_CLASS_DESTINATION, WEB(7)));
    class_free(c);
}

static void an_odd_protocol_is_no_new_destination(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    send_today(&x, DNS(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    assert_null(find(&s, SCORE_NEW_DESTINATION, 0));
    assert_non_null(find(&s, SCORE_ODD_PROTOCOL, 0));
}

static void clients_are_no_new_destinations(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    send_today(&x, SERVED(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    assert_null(find(&s, SCORE_NEW_DESTINATION, 0));
}

static void a_country_that_the_host_or_its_class_knows_is_not_far(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct class_state *c = class_of(CLASS_ONE, 10, country_key(10), 3, 0);
    struct day x;
    b.country[b.countries++] = (struct baseline_country){9, TODAY - 1};
    day_begin(&x, TODAY);
    day_send(&x, WEB_IN(9, 1), 3, GB);
    day_send(&x, WEB_IN(10, 2), 3, GB);
    day_send(&x, WEB_IN(11, 3), 3, 7 * MB);
    struct score s = score_in(&x, &b, &(struct around){.class = c, .fleet_days = GROWN, .budget = BUDGET});
    assert_int_equal(part(&s, SCORE_NEW_FAR, 0)->observed_bytes, 7 * MB);
    assert_int_equal(part(&s, SCORE_NEW_DESTINATION, 0)->observed_bytes, 2 * GB + 7 * MB);
    class_free(c);
}

static void without_countries_nothing_is_far(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    send_today(&x, WEB(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    assert_null(find(&s, SCORE_NEW_FAR, 0));
}

static void a_familiar_client_is_compared_with_its_own_past(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    know(&b, SERVED(7), GB, 28);
    day_begin(&x, TODAY);
    day_send(&x, SERVED(7), 3, GB);
    day_send(&x, SERVED(8), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    assert_true(part(&s, SCORE_SERVED_VOLUME, SERVED(7))->excess < 0.5);
    assert_true(part(&s, SCORE_SERVED_VOLUME, SERVED(8))->excess > 5);
}

/* Whatever the ring has rounded it to. */
static void slow_leaves_out_the_largest_day(void **state)
{
    (void)state;
    for (uint64_t largest = GB; largest < 90 * GB; largest += largest / 30) {
        struct baseline b = quiet(28);
        struct day x;
        met(&b, WEB(7), largest, 8, 1);
        send_today(&x, WEB(7), 3, MB);
        struct score s = score(&x, &b, BUDGET);
        assert_null(find(&s, SCORE_SLOW, WEB(7)));
    }
}

static void slow_is_compared_with_what_was_before_the_destination(void **state)
{
    (void)state;
    struct baseline b = quiet(20);
    struct day x;
    fill(&b.feature[FEATURE_SLOW], 40 * GB, 8);
    b.days = 28;
    b.first_day = TODAY - 28;
    met(&b, WEB(7), GB, 8, 8);
    send_today(&x, WEB(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    assert_true(part(&s, SCORE_SLOW, WEB(7))->excess > 5);
    assert_int_equal(part(&s, SCORE_SLOW, WEB(7))->largest_bytes, 0);
}

static void slow_looks_at_young_unshared_destinations_only(void **state)
{
    (void)state;
    struct class_state *c = class_of(CLASS_ONE, 10, WEB(9), 3, 0);
    struct around a = {.class = c, .fleet_days = GROWN, .budget = BUDGET};
    struct baseline b = quiet(60);
    struct day x;
    met(&b, WEB(7), GB, 30, 5);
    met(&b, WEB(8), GB, 31, 5);
    met(&b, WEB(9), GB, 10, 5);
    met(&b, WEB(10), GB, 53, 5)->first_day = (uint16_t)(b.first_day + BASELINE_INITIAL_DAYS - 1);
    day_begin(&x, TODAY);
    for (unsigned i = 7; i <= 11; i++)
        day_send(&x, WEB(i), 3, GB);
    struct score s = score_in(&x, &b, &a);
    for (unsigned i = 7; i <= 11; i++)
        assert_int_equal(find(&s, SCORE_SLOW, WEB(i)) != NULL, i == 7);
    class_free(c);
}

static void a_beacon_that_paused_yesterday_counts_today_only(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    struct baseline_group *g = met(&b, WEB(7), 1000, 3, 1);
    g->hours = 0xffffff;
    g->last_day = TODAY - 2;
    day_begin(&x, TODAY);
    day_send(&x, WEB(7), 0, 100);
    for (unsigned h = 1; h < 20; h++)
        day_add(&x, 0, h, 100);
    struct score s = score(&x, &b, BUDGET);
    assert_int_equal(part(&s, SCORE_BEACON, WEB(7))->observed_count, 20);
}

static void a_beacon_is_not_raised_before_it_calls(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    met(&b, WEB(7), 1000, 1, 1)->hours = 0xffffff;
    send_today(&x, WEB(7), 15, 100);
    struct score s = score(&x, &b, 1e9);
    assert_int_equal(part(&s, SCORE_BEACON, WEB(7))->since_hour, 15);
}

static void of_several_new_subnets_the_largest_counts(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    for (unsigned i = 1; i <= 3; i++)
        day_send(&x, INTERNAL(0x0a000005 + i * 256), 3, i == 2 ? 3 * GB : GB);
    struct score s = score(&x, &b, BUDGET);
    assert_int_equal(part(&s, SCORE_INTERNAL_SUBNET, group_subnet(INTERNAL(0x0a000200)))->observed_bytes, 3 * GB);
}

static void a_scan_of_subnets_hides_no_transfer(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct day x;
    day_begin(&x, TODAY);
    for (unsigned i = 0; i < 250; i++)
        day_send(&x, INTERNAL(0x0a000005 + i * 256), 3, i == 200 ? 3 * GB : MB);
    struct score s = score(&x, &b, BUDGET);
    assert_int_equal(part(&s, SCORE_INTERNAL_SUBNET, group_subnet(INTERNAL(0x0a00c800)))->observed_bytes, 3 * GB);
}

static void a_subnet_that_the_host_or_its_class_knows_is_not_new(void **state)
{
    (void)state;
    struct baseline b = quiet(28);
    struct class_state *c = class_of(CLASS_ONE, 10, group_subnet(INTERNAL(0x0a000200)), 3, 0);
    struct day x;
    know(&b, INTERNAL(0x0a000101), 1, 28);
    day_begin(&x, TODAY);
    day_send(&x, INTERNAL(0x0a000105), 3, 9 * GB);
    day_send(&x, INTERNAL(0x0a000205), 3, 9 * GB);
    day_send(&x, INTERNAL(0x0a000305), 3, GB);
    struct score s = score_in(&x, &b, &(struct around){.class = c, .fleet_days = GROWN, .budget = BUDGET});
    assert_int_equal(part(&s, SCORE_INTERNAL_SUBNET, group_subnet(INTERNAL(0x0a000300)))->observed_bytes, GB);
    class_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hour_volume_has_its_worked_example),
        cmocka_unit_test(group_volume_has_its_worked_example),
        cmocka_unit_test(new_destination_has_its_worked_example),
        cmocka_unit_test(new_far_has_its_worked_example),
        cmocka_unit_test(class_destination_has_its_worked_example),
        cmocka_unit_test(odd_protocol_has_its_worked_example),
        cmocka_unit_test(slow_has_its_worked_example),
        cmocka_unit_test(slow_far_has_its_worked_example),
        cmocka_unit_test(split_has_its_worked_example),
        cmocka_unit_test(served_volume_has_its_worked_example),
        cmocka_unit_test(served_new_has_its_worked_example),
        cmocka_unit_test(internal_pair_has_its_worked_example),
        cmocka_unit_test(internal_subnet_has_its_worked_example),
        cmocka_unit_test(beacon_has_its_worked_example),
        cmocka_unit_test(beacon_far_has_its_worked_example),
        cmocka_unit_test(no_budget_breaks_a_floor),
        cmocka_unit_test(each_test_can_raise_just_over_its_floor),
        cmocka_unit_test(fewer_places_or_hours_than_the_floor_never_raise),
        cmocka_unit_test(a_familiar_destination_is_not_new),
        cmocka_unit_test(what_the_class_shares_is_not_new),
        cmocka_unit_test(an_odd_protocol_is_no_new_destination),
        cmocka_unit_test(clients_are_no_new_destinations),
        cmocka_unit_test(a_country_that_the_host_or_its_class_knows_is_not_far),
        cmocka_unit_test(without_countries_nothing_is_far),
        cmocka_unit_test(a_familiar_client_is_compared_with_its_own_past),
        cmocka_unit_test(slow_leaves_out_the_largest_day),
        cmocka_unit_test(slow_is_compared_with_what_was_before_the_destination),
        cmocka_unit_test(slow_looks_at_young_unshared_destinations_only),
        cmocka_unit_test(a_beacon_that_paused_yesterday_counts_today_only),
        cmocka_unit_test(a_beacon_is_not_raised_before_it_calls),
        cmocka_unit_test(of_several_new_subnets_the_largest_counts),
        cmocka_unit_test(a_scan_of_subnets_hides_no_transfer),
        cmocka_unit_test(a_subnet_that_the_host_or_its_class_knows_is_not_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
