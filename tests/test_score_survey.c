/* score: what many hosts did at once is not held against each of them, and the order of hosts does not matter, as claims. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

#define HOSTS 60
struct world {
    struct day x[HOSTS];
    struct baseline b[HOSTS];
    struct class_state *class, *fleet;
    struct around a;
};

/* Grown hosts of one class that never sent anything. */
static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (unsigned i = 0; i < HOSTS; i++) {
        w->b[i] = quiet(28);
        w->b[i].host_id = i + 1;
    }
    w->class = class_of(CLASS_ONE, HOSTS, 0, 0, 0);
    w->fleet = class_of(CLASS_FLEET, HOSTS, 0, 0, 0);
    w->a = (struct around){w->class, w->fleet, GROWN, BUDGET, 0};
    for (unsigned i = 0; i < HOSTS; i++)
        day_begin(&w->x[i], TODAY);
    return w;
}

static void world_free(struct world *w)
{
    class_free(w->class);
    class_free(w->fleet);
    free(w);
}

/* Its parts move with the array. */
static void settle(struct world *w)
{
    for (unsigned i = 0; i < HOSTS; i++)
        w->x[i].d.group = w->x[i].group;
}

static struct score judged(const struct world *w, size_t hosts, size_t which) { return score_among(w->x, w->b, hosts, which, &w->a); }

/* ---- roll-outs ---- */

static void what_five_hosts_meet_on_a_day_is_a_roll_out(void **state)
{
    (void)state;
    for (unsigned meeting = 1; meeting <= 6; meeting++) {
        struct world *w = world_new();
        for (unsigned i = 0; i < meeting; i++)
            day_send(&w->x[i], WEB(7), 3, 50 * MB);
        struct score s = judged(w, HOSTS, 0);
        assert_int_equal(find(&s, SCORE_NEW_DESTINATION, 0) == NULL, meeting >= 5);
        world_free(w);
    }
}

static void eight_times_the_median_is_no_part_of_a_roll_out(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (unsigned i = 0; i < 10; i++)
        day_send(&w->x[i], WEB(7), 3, i == 0 ? 500 * MB : i == 1 ? 300 * MB : 50 * MB);
    struct score much = judged(w, HOSTS, 0), some = judged(w, HOSTS, 1);
    assert_int_equal(part(&much, SCORE_NEW_DESTINATION, 0)->observed_bytes, 500 * MB);
    assert_null(find(&some, SCORE_NEW_DESTINATION, 0));
    world_free(w);
}

static void a_glance_is_no_meeting(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (unsigned i = 0; i < HOSTS; i++)
        day_send(&w->x[i], WEB(7), 3, i ? 65535 : 50 * MB);
    struct score s = judged(w, HOSTS, 0);
    assert_non_null(find(&s, SCORE_NEW_DESTINATION, 0));
    world_free(w);
}

static void who_knows_a_network_does_not_meet_it(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (unsigned i = 0; i < HOSTS; i++) {
        day_send(&w->x[i], WEB(7), 3, 50 * MB);
        if (i)
            know(&w->b[i], WEB(7), 50 * MB, 28);
    }
    struct score s = judged(w, HOSTS, 0);
    assert_non_null(find(&s, SCORE_NEW_DESTINATION, 0));
    world_free(w);
}

/* ---- common mode ---- */

static struct world *patch_day(unsigned users, uint64_t usual, uint64_t today)
{
    struct world *w = world_new();
    for (unsigned i = 0; i < users; i++) {
        know(&w->b[i], WEB(7), usual, 28);
        day_send(&w->x[i], WEB(7), 3, today);
        assert_int_equal(class_change(w->fleet, WEB(7), 1), WEIR_OK);
    }
    class_note_host(w->fleet, NULL);
    assert_int_equal(class_close(w->fleet, TODAY), WEIR_OK);
    return w;
}

static void what_half_of_all_users_exceed_is_taken_off(void **state)
{
    (void)state;
    struct world *w = patch_day(20, 40 * MB, GB);
    struct score s = judged(w, HOSTS, 3);
    const struct score_part *p = part(&s, SCORE_GROUP_VOLUME, WEB(7));
    assert_true(p->common > 3);
    assert_near(p->excess, 0);
    assert_false(p->raised);
    world_free(w);
}

static void who_exceeds_much_more_than_the_others_is_seen(void **state)
{
    (void)state;
    struct world *w = patch_day(20, 40 * MB, 100 * MB);
    day_add(&w->x[3], 0, 4, 100 * GB);
    struct score s = judged(w, HOSTS, 3);
    assert_true(part(&s, SCORE_GROUP_VOLUME, WEB(7))->excess > 8);
    world_free(w);
}

static void fewer_than_eight_users_have_nothing_in_common(void **state)
{
    (void)state;
    for (unsigned users = 6; users <= 9; users++) {
        struct world *w = patch_day(users, 40 * MB, GB);
        struct score s = judged(w, HOSTS, 3);
        assert_int_equal(part(&s, SCORE_GROUP_VOLUME, WEB(7))->common > 0, users >= 8);
        world_free(w);
    }
}

static void users_that_stayed_away_count_as_far_below(void **state)
{
    (void)state;
    struct world *w = patch_day(20, 40 * MB, GB);
    assert_int_equal(class_change(w->fleet, WEB(7), 30), WEIR_OK);
    class_note_host(w->fleet, NULL);
    assert_int_equal(class_close(w->fleet, TODAY + 1), WEIR_OK);
    struct score s = judged(w, HOSTS, 3);
    assert_near(part(&s, SCORE_GROUP_VOLUME, WEB(7))->common, 0);
    world_free(w);
}

static void an_hour_in_which_half_of_the_class_sends_is_common(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (unsigned i = 0; i < 40; i++)
        day_send(&w->x[i], WEB(i), 3, i == 3 ? 40 * GB : GB);
    struct score one = judged(w, HOSTS, 0), much = judged(w, HOSTS, 3);
    assert_near(part(&one, SCORE_HOUR_VOLUME, 0)->excess, 0);
    assert_true(part(&one, SCORE_HOUR_VOLUME, 0)->common > 2);
    assert_true(part(&much, SCORE_HOUR_VOLUME, 0)->excess > 2);
    world_free(w);
}

static void an_hour_in_which_few_of_the_class_send_is_their_own(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (unsigned i = 0; i < 20; i++)
        day_send(&w->x[i], WEB(i), 3, GB);
    struct score s = judged(w, HOSTS, 0);
    assert_near(part(&s, SCORE_HOUR_VOLUME, 0)->common, 0);
    world_free(w);
}

static void hours_of_a_class_of_four_have_nothing_in_common(void **state)
{
    (void)state;
    struct world *w = world_new();
    class_free(w->class);
    w->a.class = w->class = class_of(CLASS_ONE, 4, 0, 0, 0);
    for (unsigned i = 0; i < 4; i++)
        day_send(&w->x[i], WEB(i), 3, GB);
    struct score s = judged(w, 4, 0);
    assert_near(part(&s, SCORE_HOUR_VOLUME, 0)->common, 0);
    world_free(w);
}

/* ---- shock ---- */

static double rate_when(unsigned above)
{
    struct world *w = world_new();
    for (unsigned i = 0; i < above; i++)
        day_send(&w->x[i], WEB(100 + i), 3, 5 * MB);
    struct score s = judged(w, HOSTS, 0);
    double rate = part(&s, SCORE_NEW_DESTINATION, 0)->rate;
    world_free(w);
    return rate;
}

static void when_more_hosts_are_above_than_chance_allows_rates_grow(void **state)
{
    (void)state;
    double alone = rate_when(1), many = rate_when(50), expected = HOSTS * 2 * model->lambda[SCORE_NEW_DESTINATION];
    double allowed = expected + 3 * sqrt(expected) + 3;
    assert_near(many / alone / pow(50 / allowed, model->shock_power), 1);
}

static void as_many_as_chance_allows_change_nothing(void **state)
{
    (void)state;
    assert_true(rate_when(1) == rate_when(3));
}

/* ---- order ---- */

static void the_order_of_hosts_does_not_matter(void **state)
{
    (void)state;
    uint64_t seed = 31;
    for (unsigned round = 0; round < 10; round++) {
        struct world *w = world_new();
        for (unsigned i = 0; i < HOSTS; i++)
            for (unsigned g = 0; g < 20; g++)
                if (random_below(&seed, 2)) {
                    if (random_below(&seed, 2))
                        know(&w->b[i], WEB(g), random_next(&seed) >> (35 + random_below(&seed, 10)), 28);
                    day_send(&w->x[i], WEB(g), (unsigned)random_below(&seed, 3), random_next(&seed) >> (30 + random_below(&seed, 15)));
                }
        struct score before = judged(w, HOSTS, 0), after;
        for (size_t i = HOSTS - 1; i > 1; i--) { /* the first stays where it is */
            size_t k = 1 + random_below(&seed, i);
            struct day x = w->x[i];
            struct baseline b = w->b[i];
            w->x[i] = w->x[k], w->x[k] = x;
            w->b[i] = w->b[k], w->b[k] = b;
        }
        settle(w);
        after = judged(w, HOSTS, 0);
        assert_same_score(&before, &after);
        world_free(w);
    }
}

static void an_empty_day_has_no_survey_to_fail(void **state)
{
    (void)state;
    struct score_survey *v = score_survey_new(model);
    struct score_calibration *c = score_calibration_new(model, NULL, NULL, TODAY);
    assert_int_equal(score_survey_end(v, NULL, c), WEIR_OK);
    assert_true(survey_shock(v, SCORE_SLOW) == 1 && !survey_rollout(v, WEB(1), GB) && survey_common_group(v, WEB(1)) == 0);
    score_survey_free(v);
    score_calibration_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_five_hosts_meet_on_a_day_is_a_roll_out),
        cmocka_unit_test(eight_times_the_median_is_no_part_of_a_roll_out),
        cmocka_unit_test(a_glance_is_no_meeting),
        cmocka_unit_test(who_knows_a_network_does_not_meet_it),
        cmocka_unit_test(what_half_of_all_users_exceed_is_taken_off),
        cmocka_unit_test(who_exceeds_much_more_than_the_others_is_seen),
        cmocka_unit_test(fewer_than_eight_users_have_nothing_in_common),
        cmocka_unit_test(users_that_stayed_away_count_as_far_below),
        cmocka_unit_test(an_hour_in_which_half_of_the_class_sends_is_common),
        cmocka_unit_test(an_hour_in_which_few_of_the_class_send_is_their_own),
        cmocka_unit_test(hours_of_a_class_of_four_have_nothing_in_common),
        cmocka_unit_test(when_more_hosts_are_above_than_chance_allows_rates_grow),
        cmocka_unit_test(as_many_as_chance_allows_change_nothing),
        cmocka_unit_test(the_order_of_hosts_does_not_matter),
        cmocka_unit_test(an_empty_day_has_no_survey_to_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
