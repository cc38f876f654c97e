/* baseline: what a closed day teaches and what it does not: quarantine, familiarity, room for groups, and what a class is told, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline_make.h"

#define FLAG(group, day, value) ((struct baseline_flag){group, (uint16_t)(day), value})

static bool has(const uint64_t *key, size_t n, uint64_t k)
{
    while (n-- > 0)
        if (key[n] == k)
            return true;
    return false;
}

/* ---- days ---- */

static void a_day_teaches_the_features_that_are_to_be_learned(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_begin(&x, DAY_ONE);
    struct baseline_lesson lesson = {.day = &x.d, .class_id = CLASS_ONE, .features = 1u << FEATURE_NEW | 1u << FEATURE_SERVED};
    memset(lesson.feature, 50, sizeof lesson.feature);
    learn(&b, &lesson);
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        assert_int_equal(ring_rank(&b.feature[f], 0), f == FEATURE_NEW || f == FEATURE_SERVED ? 50 : 0);
}

static void an_older_day_changes_nothing(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline(), before;
    learn_one(&b, DAY_ONE + 5, WEB(1), MB);
    before = b;
    learn_one(&b, DAY_ONE + 5, WEB(1), 900 * MB);
    struct baseline_changes changes = learn_one(&b, DAY_ONE, WEB(2), 900 * MB);
    assert_memory_equal(&b, &before, sizeof b);
    assert_int_equal(changes.added_n + changes.removed_n, 0);
}

static void small_talk_with_those_who_call_is_not_kept(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_begin(&x, DAY_ONE);
    day_send(&x, WEB(1), 3, 1);
    day_send(&x, SERVED(2), 3, 65535);
    day_send(&x, SERVED(3), 3, 65536);
    learn_day(&b, &x);
    assert_non_null(baseline_find(&b, WEB(1)));
    assert_null(baseline_find(&b, SERVED(2)));
    assert_non_null(baseline_find(&b, SERVED(3)));
}

static void the_rest_and_the_incoming_are_no_groups_to_know(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_one(&b, DAY_ONE, REST, 900 * MB);
    learn_one(&b, DAY_ONE + 1, (uint64_t)GROUP_IN << 60, 900 * MB);
    learn_one(&b, DAY_ONE + 2, group_policy(7), 900 * MB);
    assert_int_equal(b.groups, 0);
}

static void a_network_in_several_countries_is_one_group(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_begin(&x, DAY_ONE);
    day_send(&x, WEB_IN(1, 7), 3, 10 * MB);
    day_send(&x, WEB_IN(2, 7), 5, 30 * MB);
    learn_day(&b, &x);
    assert_int_equal(b.groups, 1);
    const struct baseline_group *g = baseline_find(&b, WEB(7));
    assert_int_equal(g->total, 40 * MB);
    assert_int_equal(g->hours, 1u << 3 | 1u << 5);
    assert_int_equal(ring_rank(&g->ring, 0), lg_round(40 * MB));
    assert_true(baseline_knows_country(&b, 1) && baseline_knows_country(&b, 2) && !baseline_knows_country(&b, 3));
}

static void a_day_with_holes_teaches_no_low_values(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    for (unsigned i = 0; i < 6; i++)
        learn_one(&b, DAY_ONE + i, WEB(1), 50 * MB);
    day_begin(&x, DAY_ONE + 6);
    x.d.gap_hours = 1;
    day_send(&x, WEB(1), 3, MB);
    learn_day(&b, &x);
    assert_int_equal(b.days, 7);
    assert_int_equal(b.feature[FEATURE_DAY_EXTERNAL].n, 6);
    assert_int_equal(baseline_find(&b, WEB(1))->ring.n, 6);
    assert_int_equal(baseline_find(&b, WEB(1))->days, 7);
}

static void a_day_with_holes_teaches_high_values(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    for (unsigned i = 0; i < 6; i++)
        learn_one(&b, DAY_ONE + i, WEB(1), 50 * MB);
    day_begin(&x, DAY_ONE + 6);
    x.d.gap_hours = 1;
    day_send(&x, WEB(1), 3, 70 * MB);
    learn_day(&b, &x);
    assert_int_equal(ring_rank(&b.feature[FEATURE_DAY_EXTERNAL], 0), lg_round(70 * MB));
    assert_int_equal(ring_rank(&baseline_find(&b, WEB(1))->ring, 0), lg_round(70 * MB));
}

static void the_number_of_days_never_wraps(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_one(&b, DAY_ONE, WEB(1), MB);
    b.days = b.group[0].days = UINT16_MAX;
    learn_one(&b, DAY_ONE + 1, WEB(1), MB);
    assert_int_equal(b.days, UINT16_MAX);
    assert_int_equal(b.group[0].days, UINT16_MAX);
}

/* ---- familiarity: days on which the group is met (counted from the host's first), and whether it is familiar on `today` ---- */

#define LATE (BASELINE_INITIAL_DAYS + 5)
struct meeting { unsigned first, days, every, today; bool familiar; };
static const struct meeting meetings[] = {
    {0, 1, 1, 1, true},                                                              /* met in the first days */
    {BASELINE_INITIAL_DAYS - 1, 1, 1, BASELINE_INITIAL_DAYS, true},                  /* on the last of them */
    {BASELINE_INITIAL_DAYS, 1, 1, BASELINE_INITIAL_DAYS + 1, false},                 /* no longer */
    {LATE, 4, 1, LATE + 4, false},                                                   /* four days */
    {LATE, 5, 1, LATE + 5, true},                                                    /* five days */
    {LATE, 1, 1, LATE + 20, false},                                                  /* one day, however old */
    {LATE, 2, 1, LATE + 9, false},                                                   /* two days, nine days old */
    {LATE, 2, 1, LATE + 10, true},                                                   /* two days, ten days old */
    {LATE, 4, 3, LATE + 10, true},
};

static void familiarity_follows_its_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(meetings); i++) {
        const struct meeting *m = &meetings[i];
        struct baseline b = fresh_baseline();
        for (unsigned day = 0; day < m->today; day++) {
            bool met = day >= m->first && (day - m->first) % m->every == 0 && (day - m->first) / m->every < m->days;
            learn_one(&b, DAY_ONE + day, WEB(7), met ? MB : 0);
        }
        if (baseline_familiar(&b, WEB(7), (uint16_t)(DAY_ONE + m->today)) != m->familiar)
            fail_msg("row %zu", i);
    }
}

static void a_group_never_met_is_not_familiar(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    assert_false(baseline_familiar(&b, WEB(1), DAY_ONE));
    learn_one(&b, DAY_ONE, WEB(1), MB);
    assert_false(baseline_familiar(&b, WEB(2), DAY_ONE + 1));
}

/* ---- quarantine ---- */

static void what_was_raised_is_not_learned(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_begin(&x, DAY_ONE);
    for (unsigned i = 1; i <= 5; i++)
        day_send(&x, WEB(i), 3, MB);
    const struct baseline_flag flagged[] = {FLAG(WEB(2), DAY_ONE, 9), FLAG(WEB(4), DAY_ONE, 9)};
    learn_flagged(&b, &x, flagged, 2);
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(baseline_find(&b, WEB(i)) != NULL, i % 2);
}

static void a_known_group_that_was_raised_keeps_its_history(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_one(&b, DAY_ONE, WEB(1), MB);
    struct baseline_group before = *baseline_find(&b, WEB(1));
    raise_one(&b, DAY_ONE + 1, WEB(1), 5 * GB, 80);
    const struct baseline_group *now = baseline_find(&b, WEB(1));
    assert_memory_equal(&now->ring, &before.ring, sizeof before.ring);
    assert_true(now->days == before.days && now->total == before.total);
    assert_int_equal(now->last_day, DAY_ONE + 1); /* that it was called is no amount */
}

static void that_a_raised_group_was_called_is_known(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    learn_one(&b, DAY_ONE, WEB(1), MB);
    raise_one(&b, DAY_ONE + 1, WEB(1), MB, 8);
    for (unsigned day = DAY_ONE + 2; day < DAY_ONE + 1 + QUARANTINE_DAYS; day++) {
        day_begin(&x, day);
        day_send(&x, WEB(1), 20, MB);
        learn_day(&b, &x);
    }
    release(&b, DAY_ONE + 1 + QUARANTINE_DAYS);
    assert_int_equal(baseline_find(&b, WEB(1))->hours, 1u << 20);
    assert_int_equal(baseline_find(&b, WEB(1))->last_day, DAY_ONE + QUARANTINE_DAYS);
}

static void all_that_goes_to_a_raised_group_is_kept_out_for_a_week(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    raise_one(&b, DAY_ONE, WEB(1), GB, 60);
    for (unsigned day = DAY_ONE + 1; day < DAY_ONE + QUARANTINE_DAYS; day++) {
        release(&b, day);
        assert_true(baseline_quarantined(&b, WEB(1), (uint16_t)day));
        learn_one(&b, day, WEB(1), GB);
        assert_null(baseline_find(&b, WEB(1)));
    }
    assert_false(baseline_quarantined(&b, WEB(1), DAY_ONE + QUARANTINE_DAYS));
}

static void countries_of_raised_groups_are_not_learned(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    raise_one(&b, DAY_ONE, WEB_IN(77, 1), GB, 60);
    learn_one(&b, DAY_ONE + 1, WEB_IN(77, 1), GB);
    assert_false(baseline_knows_country(&b, 77));
}

static void after_a_quiet_quarantine_it_is_learned_as_just_too_little_to_raise(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    raise_one(&b, DAY_ONE, WEB(1), 40 * GB, 60);
    release(&b, DAY_ONE + QUARANTINE_DAYS);
    const struct baseline_group *g = baseline_find(&b, WEB(1));
    assert_non_null(g);
    assert_int_equal(g->days, 1);
    assert_int_equal(g->first_day, DAY_ONE);
    assert_int_equal(ring_rank(&g->ring, 0), 60);
    assert_int_equal(g->total, lg_to_bytes(lg_unround(60)));
    assert_int_equal(b.flags, 0);
}

static void a_release_tells_the_class(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct baseline_changes changes = raise_one(&b, DAY_ONE, WEB(1), 40 * GB, 60);
    assert_int_equal(changes.added_n, 0);
    changes = release(&b, DAY_ONE + QUARANTINE_DAYS);
    assert_int_equal(changes.added_n, 1);
    assert_int_equal(changes.removed_n, 0);
    assert_int_equal(changes.added[0], WEB(1));
    changes = release(&b, DAY_ONE + QUARANTINE_DAYS);
    assert_int_equal(changes.added_n, 0);
}

static void a_transfer_repeated_daily_for_three_weeks_is_not_learned(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = DAY_ONE; day < DAY_ONE + 10; day++)
        learn_one(&b, day, WEB(2), MB);
    for (unsigned day = DAY_ONE + 10; day < DAY_ONE + 31; day++) {
        release(&b, day);
        assert_null(baseline_find(&b, WEB(1)));
        raise_one(&b, day, WEB(1), 40 * GB, 60);
    }
    assert_false(baseline_familiar(&b, WEB(1), DAY_ONE + 31));
}

static void a_weekly_job_is_familiar_after_it_came_twice_more(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    bool familiar[4];
    for (unsigned day = DAY_ONE; day < DAY_ONE + 10; day++)
        learn_one(&b, day, WEB(2), MB);
    for (unsigned week = 0; week < 4; week++) {
        unsigned day = DAY_ONE + 10 + 7 * week;
        release(&b, day);
        familiar[week] = baseline_familiar(&b, WEB(1), (uint16_t)day);
        if (familiar[week])
            learn_one(&b, day, WEB(1), 40 * GB);
        else
            raise_one(&b, day, WEB(1), 40 * GB, 60);
    }
    assert_false(familiar[0] || familiar[1]);
    assert_true(familiar[2] && familiar[3]);
}

static void raised_again_a_quarantine_begins_anew(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    raise_one(&b, DAY_ONE, WEB(1), GB, 60);
    raise_one(&b, DAY_ONE + 5, WEB(1), GB, 70);
    release(&b, DAY_ONE + QUARANTINE_DAYS);
    assert_null(baseline_find(&b, WEB(1)));
    release(&b, DAY_ONE + 5 + QUARANTINE_DAYS);
    assert_int_equal(ring_rank(&baseline_find(&b, WEB(1))->ring, 0), 70);
}

static void of_too_many_quarantines_the_oldest_ends(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned i = 0; i <= BASELINE_FLAGS; i++)
        raise_one(&b, DAY_ONE + i / 4, WEB(100 - i), GB, 60), b.last_day = 0, b.days = 0;
    assert_int_equal(b.flags, BASELINE_FLAGS);
    unsigned of_first_day = 0;
    for (unsigned i = 0; i < b.flags; i++) {
        assert_true(i == 0 || b.flag[i - 1].group < b.flag[i].group);
        of_first_day += b.flag[i].day == DAY_ONE;
    }
    assert_int_equal(of_first_day, 3);
}

static void however_many_groups_a_day_raises_none_is_learned(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    struct baseline_flag flagged[3 * BASELINE_FLAGS];
    day_begin(&x, DAY_ONE);
    for (unsigned i = 0; i < WEIR_COUNT(flagged); i++) {
        day_send(&x, WEB_IN(5, i), 3, GB);
        flagged[i] = FLAG(WEB(i), DAY_ONE, 60);
    }
    learn_flagged(&b, &x, flagged, WEIR_COUNT(flagged));
    assert_int_equal(b.groups, 0);
    assert_false(baseline_knows_country(&b, 5));
}

/* ---- room for groups ---- */

static void learn_range(struct baseline *b, unsigned day, unsigned first, unsigned n, uint64_t bytes)
{
    struct day x;
    day_begin(&x, day);
    for (unsigned i = first; i < first + n; i++)
        day_send(&x, WEB(i), 3, bytes + i * 100000);
    learn_day(b, &x);
}

static void assert_ascending(const struct baseline *b)
{
    for (unsigned i = 1; i < b->groups; i++)
        assert_true(b->group[i - 1].group < b->group[i].group);
}

static void the_group_unseen_longest_makes_room_and_is_counted(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_range(&b, DAY_ONE, 1, BASELINE_GROUPS, MB);
    learn_range(&b, DAY_ONE + 1, 11, BASELINE_GROUPS - 10, MB);
    learn_range(&b, DAY_ONE + 2, 101, 10, MB);
    assert_int_equal(b.groups, BASELINE_GROUPS);
    assert_int_equal(b.evicted, 10);
    for (unsigned i = 1; i <= 10; i++)
        assert_null(baseline_find(&b, WEB(i)));
    for (unsigned i = 101; i <= 110; i++)
        assert_non_null(baseline_find(&b, WEB(i)));
    assert_ascending(&b);
}

static void among_groups_of_one_day_the_largest_stay(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_range(&b, DAY_ONE, 1, 200, MB);
    assert_int_equal(b.groups, BASELINE_GROUPS);
    assert_int_equal(b.evicted, 200 - BASELINE_GROUPS);
    for (unsigned i = 1; i <= 200; i++)
        assert_int_equal(baseline_find(&b, WEB(i)) != NULL, i > 200 - BASELINE_GROUPS);
}

/* The new group has the smallest key: learned first, it must not push out a group that comes later on the same day. */
static void a_new_group_does_not_push_out_one_that_was_seen_on_the_same_day(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 6; day++)
        learn_range(&b, DAY_ONE + day, 2, BASELINE_GROUPS, MB);
    learn_range(&b, DAY_ONE + 6, 1, BASELINE_GROUPS + 1, MB);
    assert_int_equal(b.evicted, 1);
    for (unsigned i = 2; i < 2 + BASELINE_GROUPS; i++)
        assert_int_equal(baseline_find(&b, WEB(i))->days, 7);
}

static void clients_have_a_share_of_the_table_and_no_more(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_begin(&x, DAY_ONE);
    for (unsigned i = 0; i < BASELINE_GROUPS - BASELINE_CLIENTS; i++)
        day_send(&x, WEB(i), 3, 1);
    for (unsigned i = 0; i < 200; i++)
        day_send(&x, SERVED(i), 3, GB);
    learn_day(&b, &x);
    assert_int_equal(b.groups, BASELINE_GROUPS);
    for (unsigned i = 0; i < BASELINE_GROUPS - BASELINE_CLIENTS; i++)
        assert_non_null(baseline_find(&b, WEB(i)));
    assert_int_equal(b.evicted, 200 - BASELINE_CLIENTS);
}

static void clients_of_many_days_never_grow_over_their_share(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 40; day++) {
        struct day x;
        day_begin(&x, DAY_ONE + day);
        for (unsigned i = 0; i < 10; i++)
            day_send(&x, SERVED(day * 10 + i), 3, GB);
        learn_day(&b, &x);
        assert_true(b.groups <= BASELINE_CLIENTS);
    }
}

static void of_too_many_countries_the_one_unseen_longest_goes(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    for (unsigned i = 1; i <= BASELINE_COUNTRIES + 1; i++)
        learn_one(&b, DAY_ONE + i, WEB_IN((i * 37) % 600 + 1, 7), MB);
    assert_int_equal(b.countries, BASELINE_COUNTRIES);
    assert_false(baseline_knows_country(&b, 38));
    for (unsigned i = 2; i <= BASELINE_COUNTRIES + 1; i++)
        assert_true(baseline_knows_country(&b, (uint16_t)((i * 37) % 600 + 1)));
    for (unsigned i = 1; i < b.countries; i++)
        assert_true(b.country[i - 1].country < b.country[i].country);
}

/* ---- what the class is told ---- */

static void a_class_is_told_of_networks_subnets_and_countries_that_are_new(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    day_begin(&x, DAY_ONE);
    day_send(&x, WEB_IN(9, 1), 3, MB);
    day_send(&x, SERVED(3), 3, MB);
    day_send(&x, INTERNAL(0x0a000204), 3, MB);
    day_send(&x, INTERNAL(0x0a000205), 3, MB);
    struct baseline_changes changes = learn_day(&b, &x);
    assert_int_equal(changes.added_n, 3);
    assert_true(has(changes.added, 3, WEB(1)) && has(changes.added, 3, country_key(9)) && has(changes.added, 3, group_subnet(INTERNAL(0x0a000299))));
    assert_true(baseline_knows_subnet(&b, group_subnet(INTERNAL(0x0a000299))));
    assert_int_equal(learn_one(&b, DAY_ONE + 1, WEB_IN(9, 1), MB).added_n, 0);
}

static void a_class_is_told_of_what_was_forgotten(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    learn_range(&b, DAY_ONE, 1, BASELINE_GROUPS, MB);
    struct baseline_changes changes = learn_one(&b, DAY_ONE + 1, WEB(900), MB);
    assert_int_equal(changes.added_n, 1);
    assert_int_equal(changes.removed_n, 1);
    assert_int_equal(changes.removed[0], WEB(1));
}

static void a_change_of_class_moves_all_that_is_counted(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline();
    struct day x;
    learn_range(&b, DAY_ONE, 1, 5, MB);
    day_begin(&x, DAY_ONE + 1);
    day_send(&x, WEB(77), 3, MB);
    struct baseline_lesson lesson = {.day = &x.d, .class_id = CLASS_ONE + 1};
    struct baseline_changes changes = learn(&b, &lesson);
    assert_int_equal(changes.removed_n, 5);
    assert_int_equal(changes.added_n, 6);
    assert_false(has(changes.removed, 5, WEB(77)));
    assert_int_equal(b.class_id, CLASS_ONE + 1);
}

/* Whatever happens, what a class was told sums to what the host knows: each key once. */
static void what_a_class_was_told_is_what_the_host_knows(void **state)
{
    (void)state;
    uint64_t seed = 7, told[4096];
    size_t n = 0;
    struct baseline b = fresh_baseline();
    for (unsigned day = 0; day < 200; day++) {
        struct baseline_changes changes[2];
        struct day x;
        struct baseline_flag flag = {0};
        changes[0] = release(&b, DAY_ONE + day);
        day_begin(&x, DAY_ONE + day);
        x.d.gap_hours = random_below(&seed, 5) == 0;
        for (unsigned i = 0; i < 150; i++)
            if (random_below(&seed, 3) == 0) {
                day_send(&x, WEB_IN(i / 3 + 1, i), 3, random_next(&seed) >> (random_below(&seed, 50) + 14));
                flag = random_below(&seed, 4) ? flag : FLAG(WEB(i), DAY_ONE + day, 40);
            }
        changes[1] = learn_flagged(&b, &x, &flag, flag.group != 0);
        for (unsigned c = 0; c < 2; c++) {
            for (size_t i = 0; i < changes[c].removed_n; i++) {
                size_t at = 0;
                while (at < n && told[at] != changes[c].removed[i])
                    at++;
                assert_true(at < n);
                told[at] = told[--n];
            }
            for (size_t i = 0; i < changes[c].added_n; i++) {
                assert_false(has(told, n, changes[c].added[i]));
                told[n++] = changes[c].added[i];
            }
        }
        assert_ascending(&b);
        assert_int_equal(n, b.groups + b.countries);
        for (unsigned i = 0; i < b.groups; i++)
            assert_true(has(told, n, b.group[i].group));
    }
    assert_true(b.evicted > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_teaches_the_features_that_are_to_be_learned),
        cmocka_unit_test(an_older_day_changes_nothing),
        cmocka_unit_test(small_talk_with_those_who_call_is_not_kept),
        cmocka_unit_test(the_rest_and_the_incoming_are_no_groups_to_know),
        cmocka_unit_test(a_network_in_several_countries_is_one_group),
        cmocka_unit_test(a_day_with_holes_teaches_no_low_values),
        cmocka_unit_test(a_day_with_holes_teaches_high_values),
        cmocka_unit_test(the_number_of_days_never_wraps),
        cmocka_unit_test(familiarity_follows_its_table),
        cmocka_unit_test(a_group_never_met_is_not_familiar),
        cmocka_unit_test(what_was_raised_is_not_learned),
        cmocka_unit_test(a_known_group_that_was_raised_keeps_its_history),
        cmocka_unit_test(that_a_raised_group_was_called_is_known),
        cmocka_unit_test(all_that_goes_to_a_raised_group_is_kept_out_for_a_week),
        cmocka_unit_test(countries_of_raised_groups_are_not_learned),
        cmocka_unit_test(after_a_quiet_quarantine_it_is_learned_as_just_too_little_to_raise),
        cmocka_unit_test(a_release_tells_the_class),
        cmocka_unit_test(a_transfer_repeated_daily_for_three_weeks_is_not_learned),
        cmocka_unit_test(a_weekly_job_is_familiar_after_it_came_twice_more),
        cmocka_unit_test(raised_again_a_quarantine_begins_anew),
        cmocka_unit_test(of_too_many_quarantines_the_oldest_ends),
        cmocka_unit_test(however_many_groups_a_day_raises_none_is_learned),
        cmocka_unit_test(the_group_unseen_longest_makes_room_and_is_counted),
        cmocka_unit_test(among_groups_of_one_day_the_largest_stay),
        cmocka_unit_test(a_new_group_does_not_push_out_one_that_was_seen_on_the_same_day),
        cmocka_unit_test(clients_have_a_share_of_the_table_and_no_more),
        cmocka_unit_test(clients_of_many_days_never_grow_over_their_share),
        cmocka_unit_test(of_too_many_countries_the_one_unseen_longest_goes),
        cmocka_unit_test(a_class_is_told_of_networks_subnets_and_countries_that_are_new),
        cmocka_unit_test(a_class_is_told_of_what_was_forgotten),
        cmocka_unit_test(a_change_of_class_moves_all_that_is_counted),
        cmocka_unit_test(what_a_class_was_told_is_what_the_host_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
