/* score: each formula by its worked example, and what must hold for any host-day (random ones from a fixed seed). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/score.h>

#define TODAY 20100
#define MB 1000000ULL
#define GB 1000000000ULL
#define BUDGET 0.001
#define INITIATED(n) ((uint64_t)GROUP_INITIATED << 60 | 4ULL << 52 | (uint64_t)(n) << 16)
#define SERVED(n) ((uint64_t)GROUP_SERVED << 60 | 4ULL << 52 | (uint64_t)(n) << 8)
#define UNKNOWN(n) ((uint64_t)GROUP_UNKNOWN << 60 | 4ULL << 52 | (uint64_t)(n) << 16)
#define INTERNAL(n) ((uint64_t)GROUP_INTERNAL_INITIATED << 60 | 4ULL << 52 | (uint64_t)(n))
#define REST ((uint64_t)GROUP_REST << 60)
#define model (&score_model_default)

static uint64_t random_next(uint64_t *seed) { return stable_mix(*seed += 0x9e3779b97f4a7c15ULL); }
static uint64_t random_below(uint64_t *seed, uint64_t n) { return random_next(seed) % n; }

/* ---- a host-day and a baseline to make ---- */

struct day {
    struct host_day d;
    struct host_group group[300];
};

static void day_init(struct day *x)
{
    memset(x, 0, sizeof *x);
    x->d.day_s = (int64_t)TODAY * DAY_S;
    x->d.group = x->group;
}

static bool outside(uint64_t group) { return group_external(group) || group == REST; }

static void day_add(struct day *x, size_t i, unsigned hour, uint64_t bytes)
{
    x->group[i].hour[hour] += bytes;
    x->group[i].bytes_out += bytes;
    if (!outside(x->group[i].group)) {
        x->d.internal_out += bytes;
        return;
    }
    x->d.hour_out[hour] += bytes;
    x->d.external_out += bytes;
}

/* Groups in ascending order. */
static size_t day_send(struct day *x, uint64_t group, unsigned hour, uint64_t bytes)
{
    size_t i = x->d.groups++;
    assert_true(i < WEIR_COUNT(x->group) && (i == 0 || x->group[i - 1].group < group));
    x->group[i].group = group;
    day_add(x, i, hour, bytes);
    return i;
}

static struct baseline knowing(unsigned days)
{
    struct baseline b;
    baseline_init(&b, 42, ip_from_v4(0x0a000105));
    b.days = (uint16_t)days;
    b.first_day = (uint16_t)(TODAY - days);
    b.last_day = TODAY - 1;
    return b;
}

static void fill(struct ring *r, uint64_t bytes, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        ring_push(r, lg_round(bytes));
}

/* A familiar group: seen on `times` days from the host's first day on. Ascending. */
static void know(struct baseline *b, uint64_t group, uint64_t bytes, unsigned times)
{
    struct baseline_group *g = &b->group[b->groups++];
    *g = (struct baseline_group){.group = group, .first_day = b->first_day, .last_day = TODAY - 1, .days = (uint16_t)times};
    fill(&g->ring, bytes, times);
}

static struct score score(const struct day *x, const struct baseline *b, double budget)
{
    struct score s;
    score_day(model, budget, &x->d, b, &s);
    return s;
}

static const struct score_part *find(const struct score *s, enum score_test test, uint64_t group)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->part[i].test == test && s->part[i].group == group)
            return &s->part[i];
    return NULL;
}

static void assert_near(double got, double want)
{
    if (!(fabs(got - want) < 0.0005))
        fail_msg("%.6f is not %.3f", got, want);
}

static void assert_rate(double got, double want)
{
    if (!(fabs(got / want - 1) < 0.0005))
        fail_msg("%.6e is not %.3e", got, want);
}

/* ---- worked examples: the same as beside the formulas ---- */

static void new_destination_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(9);
    static const uint64_t mb[] = {3, 1, 2, 0, 2, 1, 3, 2, 1};
    for (size_t i = 0; i < WEIR_COUNT(mb); i++)
        fill(&b.feature[FEATURE_NEW_DESTINATION], mb[i] * MB, 1);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 9, 40 * GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_NEW_DESTINATION, 0);
    assert_non_null(p);
    assert_near(p->observed, 19.219);
    assert_near(p->reference, 5.881);
    assert_near(p->spread, 0.671);
    assert_near(p->excess, 19.865);
    assert_rate(p->rate, 4.6186e-10);
    assert_near(-log10(p->rate / p->share), 8.771);
    assert_int_equal(p->largest_bytes, lg_to_bytes(5.5));
    assert_true(p->raised);
    assert_int_equal(p->since_hour, 9);
    assert_int_equal(p->history_days, 9);
}

static void hour_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    fill(&b.feature[FEATURE_HOUR_MAX], 20 * MB, 13);
    fill(&b.feature[FEATURE_HOUR_MAX], 60 * MB, 1);
    fill(&b.feature[FEATURE_HOUR_MAX], 20 * MB, 13);
    fill(&b.feature[FEATURE_HOUR_MAX], 50 * MB, 1);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 17, GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_HOUR_VOLUME, 0);
    assert_non_null(p);
    assert_near(p->reference, 9.625);
    assert_near(p->spread, 0.813);
    assert_near(p->excess, 5.254);
    assert_rate(p->rate, 3.5129e-05);
    assert_near(-log10(p->rate / p->share), 3.890);
    assert_int_equal(p->from_hour, 17);
    assert_int_equal(p->to_hour, 17);
}

static void group_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(14);
    know(&b, INITIATED(7), 100 * MB, 14);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_GROUP_VOLUME, INITIATED(7));
    assert_non_null(p);
    assert_near(p->reference, 10.868);
    assert_near(p->spread, 0.7);
    assert_near(p->excess, 4.328);
    assert_rate(p->rate, 7.1622e-05);
    assert_near(-log10(p->rate / p->share), 3.581);
}

static void served_volume_has_its_worked_example(void **state)
{
    (void)state;
    struct baseline b = knowing(1);
    fill(&b.feature[FEATURE_SERVED_MAX], 0, 1);
    struct day x;
    day_init(&x);
    day_send(&x, SERVED(7), 3, 2 * GB);
    struct score s = score(&x, &b, BUDGET);
    const struct score_part *p = find(&s, SCORE_SERVED_VOLUME, SERVED(7));
    assert_non_null(p);
    assert_near(p->reference, 9.424);
    assert_near(p->excess, 7.818);
    assert_rate(p->rate, 4.8877e-06);
    assert_near(-log10(p->rate / p->share), 4.571);
}

static void the_score_is_that_of_the_strongest_part(void **state)
{
    (void)state;
    struct baseline b = knowing(14);
    know(&b, INITIATED(7), 100 * MB, 14);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(7), 3, GB);
    struct score s = score(&x, &b, BUDGET);
    double best = 0;
    for (size_t i = 0; i < s.n; i++)
        best = fmax(best, -log10(s.part[i].rate / s.part[i].share));
    assert_near(s.value, best);
}

/* ---- when to be silent ---- */

static void the_first_day_is_silent(void **state)
{
    (void)state;
    struct baseline b;
    baseline_init(&b, 1, ip_from_v4(1));
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 9, 40 * GB);
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 0);
    assert_false(s.raised);
    assert_true(s.learning);
    assert_near(s.value, 0);
}

static void a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day(void **state)
{
    (void)state;
    struct baseline b;
    baseline_init(&b, 1, ip_from_v4(1));
    struct day first, x;
    day_init(&first);
    first.d.day_s -= DAY_S;
    day_send(&first, INITIATED(1), 9, 5 * MB);
    baseline_learn(&b, &first.d, NULL, 0, false);
    day_init(&x);
    day_send(&x, INITIATED(2), 9, 5 * GB);
    struct score s = score(&x, &b, BUDGET);
    assert_true(s.raised);
    assert_true(s.learning);
}

static void a_host_learns_for_a_week(void **state)
{
    (void)state;
    struct day x;
    day_init(&x);
    struct baseline six = knowing(6), seven = knowing(7);
    assert_true(score(&x, &six, BUDGET).learning);
    assert_false(score(&x, &seven, BUDGET).learning);
    assert_int_equal(score(&x, &seven, BUDGET).host_days, 7);
}

static void a_forwarder_scores_nothing(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    struct day x;
    day_init(&x);
    day_send(&x, INITIATED(1), 9, 40 * GB);
    x.d.forwarder = true;
    struct score s = score(&x, &b, 1.0);
    assert_int_equal(s.n, 0);
    assert_false(s.raised);
}

static void internal_bytes_raise_nothing(void **state)
{
    (void)state;
    struct baseline b = knowing(28);
    struct day x;
    day_init(&x);
    day_send(&x, INTERNAL(5), 9, 900 * GB);
    assert_false(score(&x, &b, 1.0).raised);
}

struct floor_row { enum score_test test; uint64_t group, bytes; bool known; };
static const struct floor_row floors[] = {
    {SCORE_HOUR_VOLUME, UNKNOWN(1), 20 * MB, false}, {SCORE_GROUP_VOLUME, INITIATED(1), 30 * MB, true},
    {SCORE_NEW_DESTINATION, INITIATED(1), 2 * MB, false}, {SCORE_SERVED_VOLUME, SERVED(1), 20 * MB, false},
    {SCORE_SERVED_VOLUME, UNKNOWN(1), 20 * MB, false}, {SCORE_SERVED_VOLUME, SERVED(1), 20 * MB, true},
};

static bool raises_at(const struct floor_row *f, uint64_t bytes, double budget)
{
    struct baseline b = knowing(28);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        fill(&b.feature[i], 0, 28);
    if (f->known)
        know(&b, f->group, 0, 28);
    struct day x;
    day_init(&x);
    day_send(&x, f->group, 9, bytes);
    struct score s = score(&x, &b, budget);
    const struct score_part *p = find(&s, f->test, f->test == SCORE_GROUP_VOLUME || f->test == SCORE_SERVED_VOLUME ? f->group : 0);
    return p && p->raised;
}

static void each_test_is_silent_up_to_its_floor(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++) {
        assert_false(raises_at(&floors[i], floors[i].bytes - 1, 0.02));
        assert_false(raises_at(&floors[i], floors[i].bytes, 0.02));
        assert_true(raises_at(&floors[i], floors[i].bytes + 1000, 0.02));
    }
}

static void no_budget_breaks_a_floor(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++)
        assert_false(raises_at(&floors[i], floors[i].bytes, 1e9));
}

static void the_floor_of_the_model_is_the_smallest(void **state)
{
    (void)state;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < WEIR_COUNT(floors); i++)
        least = floors[i].bytes < least ? floors[i].bytes : least;
    assert_int_equal(score_min_bytes(model), least);
}

/* ---- any host-day ---- */

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
    assert_string_equal(score_model_version(model), "egress-1");
    assert_string_equal(score_test_word(SCORE_NEW_DESTINATION), "new-destination");
    assert_string_equal(score_test_text(SCORE_HOUR_VOLUME), "external bytes sent in one hour");
    assert_string_equal(score_test_word(SCORE_TEST_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_destination_has_its_worked_example),
        cmocka_unit_test(hour_volume_has_its_worked_example),
        cmocka_unit_test(group_volume_has_its_worked_example),
        cmocka_unit_test(served_volume_has_its_worked_example),
        cmocka_unit_test(the_score_is_that_of_the_strongest_part),
        cmocka_unit_test(the_first_day_is_silent),
        cmocka_unit_test(a_transfer_a_thousand_times_anything_seen_is_found_on_the_second_day),
        cmocka_unit_test(a_host_learns_for_a_week),
        cmocka_unit_test(a_forwarder_scores_nothing),
        cmocka_unit_test(internal_bytes_raise_nothing),
        cmocka_unit_test(each_test_is_silent_up_to_its_floor),
        cmocka_unit_test(no_budget_breaks_a_floor),
        cmocka_unit_test(the_floor_of_the_model_is_the_smallest),
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
