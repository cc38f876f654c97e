/* score: what must hold for any host-day, on random ones from fixed seeds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

static struct baseline random_baseline(uint64_t *seed)
{
    struct baseline b = knowing(1 + (unsigned)random_below(seed, 40));
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        for (uint64_t n = random_below(seed, BASELINE_RING + 1); n > 0; n--)
            fill(&b.feature[i], random_next(seed) >> (20 + random_below(seed, 44)), 1);
    for (unsigned i = 0; i < 20; i++)
        if (random_below(seed, 2))
            know(&b, INITIATED(i), random_next(seed) >> (24 + random_below(seed, 30)), 1 + (unsigned)random_below(seed, BASELINE_RING));
    for (unsigned i = 0; i < 5; i++)
        if (random_below(seed, 2))
            know(&b, SERVED(i), random_next(seed) >> (24 + random_below(seed, 30)), 1 + (unsigned)random_below(seed, BASELINE_RING));
    return b;
}

static void random_day(uint64_t *seed, struct day *x, unsigned shift)
{
    static const uint64_t kinds[] = {INITIATED(0), SERVED(0), UNKNOWN(0), INTERNAL(0)};
    static const unsigned step[] = {16, 8, 16, 0};
    day_init(x);
    for (size_t kind = 0; kind < WEIR_COUNT(kinds); kind++)
        for (uint64_t i = 0; i < 25; i++)
            if (random_below(seed, 5) == 0) {
                size_t at = day_send(x, kinds[kind] | i << step[kind], (unsigned)random_below(seed, 24), 1);
                for (uint64_t n = random_below(seed, 4); n > 0; n--)
                    day_add(x, at, (unsigned)random_below(seed, 24), random_next(seed) >> (shift + random_below(seed, 20)));
            }
    if (random_below(seed, 2))
        day_send(x, REST, (unsigned)random_below(seed, 24), random_next(seed) >> (shift + random_below(seed, 20)));
}

static void the_shares_of_the_tests_sum_to_one(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    know(&b, INITIATED(7), MB, 28);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(7), 3, GB);
    day_send(&x, INITIATED(8), 3, GB);
    day_send(&x, SERVED(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    double sum = 0;
    assert_int_equal(s.n, SCORE_TEST_COUNT);
    for (size_t i = 0; i < s.n; i++) {
        sum += s.part[i].share;
        assert_true(s.part[i].threshold == s.part[i].share * BUDGET);
    }
    assert_near(sum, 1);
}

static bool follows(const struct score_part *a, const struct score_part *b)
{
    if (a->raised != b->raised)
        return a->raised;
    return a->rate / a->share <= b->rate / b->share;
}

static void parts_come_raised_first_and_strongest_first(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (unsigned round = 0; round < 3000; round++) {
        struct baseline b = random_baseline(&seed);
        struct day x;
        random_day(&seed, &x, 28);
        struct score s = score(&x, &b, 0.01);
        for (size_t i = 1; i < s.n; i++)
            assert_true(follows(&s.part[i - 1], &s.part[i]));
        assert_int_equal(s.raised, s.n > 0 && s.part[0].raised);
    }
}

static void of_too_many_parts_the_strongest_stay(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    fill(&b.feature[FEATURE_SERVED_MAX], 0, 28);
    struct day x;
    day_init(&x);
    for (unsigned i = 0; i < 200; i++)
        day_send(&x, SERVED(i), 3, GB + (i * 37 % 200) * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_int_equal(s.n, SCORE_PARTS_MAX);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(find(&s, SCORE_SERVED_VOLUME, SERVED(i)) != NULL, i * 37 % 200 > 200 - SCORE_PARTS_MAX);
}

static unsigned since(const struct score *s, enum score_test test, uint64_t group)
{
    const struct score_part *p = find(s, test, group);
    return p ? p->since_hour : 24;
}

static void more_bytes_never_lower_the_score_or_raise_later(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (unsigned round = 0; round < 3000; round++) {
        struct baseline b = random_baseline(&seed);
        struct day x;
        random_day(&seed, &x, 30);
        if (!x.d.groups)
            continue;
        struct score before = score(&x, &b, 0.01);
        for (unsigned i = 0; i < 3; i++)
            day_add(&x, random_below(&seed, x.d.groups), (unsigned)random_below(&seed, 24), random_next(&seed) >> (28 + random_below(&seed, 20)));
        struct score after = score(&x, &b, 0.01);
        assert_true(after.value >= before.value && after.raised >= before.raised);
        for (size_t i = 0; i < before.n; i++)
            assert_true(since(&after, before.part[i].test, before.part[i].group) <= before.part[i].since_hour);
    }
}

static struct day until(const struct day *x, unsigned hour)
{
    struct day cut = *x;
    cut.d.group = cut.group;
    cut.d.external_out = 0;
    for (unsigned h = 0; h < 24; h++) {
        cut.d.hour_out[h] = h <= hour ? x->d.hour_out[h] : 0;
        cut.d.external_out += cut.d.hour_out[h];
    }
    for (size_t i = 0; i < cut.d.groups; i++) {
        cut.group[i].bytes_out = 0;
        for (unsigned h = 0; h < 24; h++) {
            cut.group[i].hour[h] = h <= hour ? x->group[i].hour[h] : 0;
            cut.group[i].bytes_out += cut.group[i].hour[h];
        }
    }
    return cut;
}

/* The day as it stood after each hour raises from since_hour on, and never before: early findings are never taken back. */
static void a_part_raises_from_its_since_hour_on(void **state)
{
    (void)state;
    uint64_t seed = 8;
    unsigned raised = 0;
    for (unsigned round = 0; round < 150; round++) {
        struct baseline b = random_baseline(&seed);
        struct day x;
        random_day(&seed, &x, 28);
        struct score whole = score(&x, &b, 0.01);
        for (unsigned h = 0; h < 24; h++) {
            struct day cut = until(&x, h);
            cut.d.group = cut.group;
            struct score s = score(&cut, &b, 0.01);
            for (size_t i = 0; i < whole.n; i++) {
                const struct score_part *p = find(&s, whole.part[i].test, whole.part[i].group);
                assert_int_equal(p && p->raised, h >= whole.part[i].since_hour);
                raised += p && p->raised;
            }
        }
    }
    assert_true(raised > 1000);
}

static void a_larger_budget_never_raises_less(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (unsigned round = 0; round < 1000; round++) {
        struct baseline b = random_baseline(&seed);
        struct day x;
        random_day(&seed, &x, 28);
        struct score narrow = score(&x, &b, 0.0003), wide = score(&x, &b, 0.01);
        assert_true(wide.raised >= narrow.raised);
        assert_true(wide.value == narrow.value);
    }
}

static void no_day_under_the_least_floor_ever_raises(void **state)
{
    (void)state;
    uint64_t seed = 10;
    unsigned tried = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct baseline b = random_baseline(&seed);
        struct day x;
        random_day(&seed, &x, 42);
        if (x.d.external_out >= score_min_bytes(model))
            continue;
        tried++;
        assert_false(score(&x, &b, 1e6).raised);
    }
    assert_true(tried > 1000);
}

static void a_part_covers_the_bytes_that_it_observed(void **state)
{
    (void)state;
    uint64_t seed = 12;
    unsigned parts = 0;
    for (unsigned round = 0; round < 3000; round++) {
        struct baseline b = random_baseline(&seed);
        struct day x;
        random_day(&seed, &x, 28);
        struct score s = score(&x, &b, 0.01);
        for (size_t p = 0; p < s.n; p++, parts++) {
            uint64_t sum = 0;
            for (size_t i = 0; i < x.d.groups; i++)
                for (unsigned h = 0; h < 24; h++)
                    if (score_covers(&s.part[p], &b, TODAY, x.group[i].group, h))
                        sum += x.group[i].hour[h];
            assert_int_equal(sum, s.part[p].observed_bytes);
        }
    }
    assert_true(parts > 1000);
}

static void a_familiar_client_is_compared_with_its_own_past(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    fill(&b.feature[FEATURE_SERVED_MAX], 0, 28);
    know(&b, SERVED(7), GB, 28);
    struct day x;
    day_init(&x);
    day_send(&x, SERVED(7), 3, GB);
    day_send(&x, SERVED(8), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    assert_false(find(&s, SCORE_SERVED_VOLUME, SERVED(7))->raised);
    assert_true(find(&s, SCORE_SERVED_VOLUME, SERVED(8))->raised);
}

static void a_familiar_destination_is_not_new(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    know(&b, INITIATED(7), GB, 28);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(7), 3, GB);
    day_send(&x, INITIATED(8), 3, 5 * MB);
    struct score s = score(&x, &b, BUDGET);
    assert_int_equal(find(&s, SCORE_NEW_DESTINATION, 0)->observed_bytes, 5 * MB);
}

static void sums_near_the_end_of_64_bits_stay_large(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(7), 3, UINT64_MAX);
    size_t i = day_send(&x, INITIATED(8), 4, 0);
    x.group[i].hour[4] = UINT64_MAX;
    struct score s = score(&x, &b, BUDGET);
    assert_true(s.raised);
    assert_true(find(&s, SCORE_NEW_DESTINATION, 0)->observed_bytes == UINT64_MAX);
}

static void the_model_and_its_tests_have_names(void **state)
{
    (void)state;
    assert_string_equal(score_model_version(model), "egress-2");
    assert_string_equal(score_test_word(SCORE_NEW_DESTINATION), "new-destination");
    assert_string_equal(score_test_text(SCORE_HOUR_VOLUME), "external bytes sent in one hour");
    assert_string_equal(score_test_word(SCORE_TEST_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shares_of_the_tests_sum_to_one),
        cmocka_unit_test(parts_come_raised_first_and_strongest_first),
        cmocka_unit_test(of_too_many_parts_the_strongest_stay),
        cmocka_unit_test(more_bytes_never_lower_the_score_or_raise_later),
        cmocka_unit_test(a_part_raises_from_its_since_hour_on),
        cmocka_unit_test(a_larger_budget_never_raises_less),
        cmocka_unit_test(no_day_under_the_least_floor_ever_raises),
        cmocka_unit_test(a_part_covers_the_bytes_that_it_observed),
        cmocka_unit_test(a_familiar_client_is_compared_with_its_own_past),
        cmocka_unit_test(a_familiar_destination_is_not_new),
        cmocka_unit_test(sums_near_the_end_of_64_bits_stay_large),
        cmocka_unit_test(the_model_and_its_tests_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
