/* SPDX-License-Identifier: Apache-2.0 */
/* window: what breaks a rule is summed for its host and day, as claims by example. */
#include "window_make.h"

#include <stdio.h>

#define HOST "10.0.1.5"
#define FAR "203.0.113.5"
#define RULE group_policy(0xabcdef)

static void breaks(struct window *w, uint32_t k, struct flow f, enum flow_verdict v)
{
    assert_int_equal(window_add(w, k, &f, v), WEIR_OK);
    assert_int_equal(window_add_broken(w, k, &f, v, RULE), WEIR_OK);
}

static void broken_rules_are_summed_both_ways_beside_the_groups(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    breaks(w, k, flow(HOST, FAR, 1000), FLOW_CHARGED);
    breaks(w, k, incoming(HOST, FAR, 30), FLOW_CHARGED);
    breaks(w, k, later(flow(HOST, FAR, 200), HOUR_S), FLOW_CHARGED);
    const struct looked_up *l = look_up(w, HOST);
    assert_int_equal(l->d.groups, 1);
    assert_int_equal(l->d.external_out, 1200);
    assert_int_equal(l->d.internal_out, 0);
    assert_int_equal(l->d.external_in, 30);
    assert_int_equal(l->d.rules_broken, 1);
    window_free(w);
}

struct sum { uint64_t both, in, hour[24]; unsigned hosts; };

static enum weir_err add_rule(void *ctx, const struct host_day *d)
{
    struct sum *s = ctx;
    s->hosts++;
    for (size_t i = 0; i < d->rules_broken; i++) {
        assert_true(d->broken[i].group == RULE);
        s->both += d->broken[i].bytes_out;
        s->in += d->broken[i].bytes_in;
        for (unsigned h = 0; h < 24; h++)
            s->hour[h] += d->broken[i].hour[h];
    }
    return WEIR_OK;
}

/* Over the hosts that sent so much, or broke a rule. */
static struct sum rules_of(struct window *w, uint64_t at_least)
{
    struct sum s = {0};
    assert_int_equal(window_each_host(w, DAY0, at_least, add_rule, &s), WEIR_OK);
    return s;
}

static void a_rule_tells_bytes_by_hour_and_those_that_came_in(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    breaks(w, k, flow(HOST, FAR, 1000), FLOW_CHARGED);
    breaks(w, k, incoming(HOST, FAR, 30), FLOW_CHARGED);
    breaks(w, k, later(flow(HOST, FAR, 200), HOUR_S), FLOW_CHARGED);
    struct sum s = rules_of(w, 0);
    assert_int_equal(s.both, 1230);
    assert_int_equal(s.in, 30);
    assert_int_equal(s.hour[3], 1030);
    assert_int_equal(s.hour[4], 200);
    window_free(w);
}

static void a_host_that_broke_a_rule_is_read_however_little_it_sent(void **state)
{
    (void)state;
    struct window *w = window_usual();
    breaks(w, interface(w, "eni-1", "fl-1"), incoming(HOST, FAR, 40), FLOW_CHARGED);
    charge(w, interface(w, "eni-2", "fl-1"), flow("10.0.1.6", FAR, 5000));
    assert_int_equal(rules_of(w, UINT64_MAX).hosts, 1);
    assert_int_equal(rules_of(w, UINT64_MAX).both, 40);
    window_free(w);
}

static void what_only_may_be_a_host_breaks_rules_where_its_day_proves_it(void **state)
{
    (void)state;
    struct window *w = window_usual();
    uint32_t k = interface(w, "eni-1", "fl-1");
    struct flow f = flow(HOST, "10.0.2.7", 500), mirrored = flow_mirror(&f);
    breaks(w, k, f, FLOW_PENDING);
    assert_int_equal(window_add_broken(w, k, &mirrored, FLOW_PENDING, RULE), WEIR_OK);
    assert_int_equal(rules_of(w, 0).both, 0);
    charge(w, k, flow(HOST, FAR, 1));
    assert_int_equal(rules_of(w, 0).both, 500);
    window_free(w);
}

static void a_double_subscription_breaks_a_rule_once(void **state)
{
    (void)state;
    struct window *w = window_usual();
    breaks(w, interface(w, "eni-1", "fl-1"), flow(HOST, FAR, 1000), FLOW_CHARGED);
    breaks(w, interface(w, "eni-1", "fl-2"), flow(HOST, FAR, 1000), FLOW_CHARGED);
    assert_int_equal(rules_of(w, 0).both, 1000);
    window_free(w);
}

static void a_flood_of_groups_never_folds_a_rule(void **state)
{
    (void)state;
    struct window *w = window_with(16, 16, false);
    uint32_t k = interface(w, "eni-1", "fl-1");
    breaks(w, k, flow(HOST, FAR, 7), FLOW_CHARGED);
    for (unsigned i = 0; i < 2000; i++) {
        char peer[32];
        snprintf(peer, sizeof peer, "%u.%u.0.1", 20 + i / 200, i % 200);
        charge(w, k, flow(HOST, peer, 10));
    }
    assert_int_equal(rules_of(w, 0).both, 7);
    window_free(w);
}

static void rules_survive_merging_and_storing_in_any_order(void **state)
{
    (void)state;
    struct window *a = window_usual(), *b = window_usual(), *one = window_usual(), *stored = window_usual();
    struct buffer want;
    struct flow first = flow(HOST, FAR, 1000), second = incoming(HOST, "203.0.113.77", 20);
    buffer_init(&want, BLOB_MAX);
    breaks(one, interface(one, "eni-1", "fl-1"), first, FLOW_CHARGED);
    breaks(one, interface(one, "eni-1", "fl-1"), second, FLOW_CHARGED);
    breaks(a, interface(a, "eni-1", "fl-1"), second, FLOW_CHARGED);
    breaks(b, interface(b, "eni-1", "fl-1"), first, FLOW_CHARGED);
    assert_int_equal(window_merge(a, b), WEIR_OK);
    fingerprint(one, &want);
    assert_same(a, &want);
    carry_over(a, stored);
    assert_same(stored, &want);
    assert_int_equal(rules_of(stored, 0).both, 1020);
    buffer_fini(&want);
    window_free(a);
    window_free(b);
    window_free(one);
    window_free(stored);
}

static void a_dropped_day_takes_its_broken_rules_along(void **state)
{
    (void)state;
    struct window *w = window_usual();
    breaks(w, interface(w, "eni-1", "fl-1"), flow(HOST, FAR, 1000), FLOW_CHARGED);
    assert_int_equal(window_drop_day(w, DAY0), WEIR_OK);
    assert_int_equal(rules_of(w, 0).hosts, 0);
    window_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_rules_are_summed_both_ways_beside_the_groups),
        cmocka_unit_test(a_rule_tells_bytes_by_hour_and_those_that_came_in),
        cmocka_unit_test(a_host_that_broke_a_rule_is_read_however_little_it_sent),
        cmocka_unit_test(what_only_may_be_a_host_breaks_rules_where_its_day_proves_it),
        cmocka_unit_test(a_double_subscription_breaks_a_rule_once),
        cmocka_unit_test(a_flood_of_groups_never_folds_a_rule),
        cmocka_unit_test(rules_survive_merging_and_storing_in_any_order),
        cmocka_unit_test(a_dropped_day_takes_its_broken_rules_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
