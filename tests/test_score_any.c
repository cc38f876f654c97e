/* score: what must hold for any host-day, on random ones from fixed seeds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "score_make.h"

static struct baseline random_baseline(uint64_t *seed)
{
    struct baseline b = knowing(1 + (unsigned)random_below(seed, 60));
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        for (uint64_t n = random_below(seed, 2) * random_below(seed, BASELINE_RING + 1); n > 0; n--)
            ring_push(&b.feature[f], (uint8_t)random_below(seed, random_below(seed, 120) + 1));
    for (unsigned i = 0; i < 40; i++)
        if (random_below(seed, 2)) {
            unsigned age = (unsigned)random_below(seed, b.days), times = 1 + (unsigned)random_below(seed, 6);
            struct baseline_group *g = met(&b, i < 25 ? WEB(i) : i < 35 ? SERVED(i - 25) : INTERNAL(0x0a000101 + (i - 35) * 256),
                                           random_next(seed) >> (24 + random_below(seed, 30)), age, times < age ? times : age ? age : 1);
            g->hours = (uint32_t)random_below(seed, 1 << 24);
        }
    for (unsigned day = 0; day < 20 && random_below(seed, 2); day++) {
        b.profile.days[day % 2]++;
        for (unsigned h = 0; h < 24; h++)
            b.profile.mean[day % 2][h] = (uint16_t)random_below(seed, 600);
    }
    return b;
}

/* Most groups got bytes in many hours, or, of a quiet day, few at all. */
static void random_day(uint64_t *seed, struct day *x, unsigned shift)
{
    uint64_t rare = random_below(seed, 4) ? 4 : 60;
    static const struct { uint64_t first; unsigned step, n; } kinds[] = {
        {WEB(0), 16, 30}, {DNS(0), 16, 8}, {SERVED(0), 8, 25}, {UNKNOWN(0), 16, 10}, {INTERNAL(0x0a000101), 8, 12}};
    day_begin(x, TODAY);
    for (size_t kind = 0; kind < WEIR_COUNT(kinds); kind++)
        for (uint64_t i = 0; i < kinds[kind].n; i++)
            if (random_below(seed, rare) == 0) {
                uint64_t group = kinds[kind].first + (i << kinds[kind].step);
                size_t at = day_send(x, kind ? group : group | i / 10 << 32, (unsigned)random_below(seed, 24), 1);
                for (uint64_t n = random_below(seed, 20); n > 0; n--)
                    day_add(x, at, (unsigned)random_below(seed, 24), random_next(seed) >> (shift + random_below(seed, 20)));
            }
    if (random_below(seed, rare) == 0)
        day_send(x, REST, (unsigned)random_below(seed, 24), random_next(seed) >> (shift + random_below(seed, 20)));
}

static struct class_state *random_class(uint64_t *seed)
{
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned i = 0; i < 30; i++)
        if (random_below(seed, 4) == 0)
            assert_int_equal(class_change(c, WEB(i), 1 + (int)random_below(seed, 5)), WEIR_OK);
    for (unsigned i = 0; i < 10; i++)
        class_note_host(c, NULL);
    assert_int_equal(class_close(c, TODAY - 2), WEIR_OK);
    for (unsigned i = 0; i < 60; i++)
        class_note_amount(c, WEB(i % 30), (uint8_t)random_below(seed, 120));
    for (unsigned i = 0; i < 10; i++)
        class_note_host(c, NULL);
    assert_int_equal(class_close(c, TODAY - 1), WEIR_OK);
    return c;
}

/* A host, its class and a day: the same for the same seed. */
struct scene {
    struct baseline b;
    struct class_state *class;
    struct day x;
    struct around a;
};

static void scene_make(struct scene *v, uint64_t *seed, unsigned shift)
{
    v->b = random_baseline(seed);
    v->class = random_class(seed);
    random_day(seed, &v->x, shift);
    v->a = (struct around){.class = random_below(seed, 3) ? v->class : NULL, .fleet_days = (unsigned)random_below(seed, 30), .budget = 0.01};
}

static struct score scene_score(const struct scene *v, const struct day *x) { return score_in(x, &v->b, &v->a); }

static bool raised(const struct score *s, enum score_test test)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->part[i].test == test && s->part[i].raised)
            return true;
    return false;
}

/* Of several candidates they speak of the largest only, so their group may change as the day goes on. */
static bool speaks_of_the_largest(enum score_test t) { return t == SCORE_CLASS_DESTINATION || t == SCORE_SERVED_NEW || t == SCORE_INTERNAL_SUBNET; }

static void more_bytes_never_lower_an_excess_or_raise_later(void **state)
{
    (void)state;
    uint64_t seed = 6;
    unsigned parts = 0;
    for (unsigned round = 0; round < 2000; round++) {
        struct scene v;
        scene_make(&v, &seed, 30);
        struct score before = scene_score(&v, &v.x);
        for (unsigned i = 0; i < 3 && v.x.d.groups; i++)
            day_add(&v.x, random_below(&seed, v.x.d.groups), (unsigned)random_below(&seed, 24), random_next(&seed) >> (28 + random_below(&seed, 20)));
        struct score after = scene_score(&v, &v.x);
        assert_true(before.n == SCORE_PARTS_MAX || (after.value >= before.value && after.raised >= before.raised));
        for (size_t i = 0; i < before.n; i++, parts++) {
            const struct score_part *p = &before.part[i], *q = find(&after, p->test, p->group);
            if (!q && speaks_of_the_largest(p->test))
                assert_true(raised(&after, p->test) >= p->raised);
            else
                assert_true(q && q->excess >= p->excess && q->since_hour <= p->since_hour && q->raised >= p->raised);
        }
        class_free(v.class);
    }
    assert_true(parts > 1000);
}

static struct day until(const struct day *x, unsigned hour)
{
    struct day cut = *x;
    cut.d.external_out = cut.d.internal_out = 0;
    memset(cut.d.hour_out, 0, sizeof cut.d.hour_out);
    memset(cut.group, 0, sizeof cut.group);
    for (size_t i = 0; i < cut.d.groups; i++) {
        cut.group[i].group = x->group[i].group;
        for (unsigned h = 0; h <= hour; h++)
            day_add(&cut, i, h, x->group[i].hour[h]);
    }
    return cut;
}

/* The day as it stood after each hour raises from since_hour on, and never before: early findings are never taken back. */
static void a_part_raises_from_its_since_hour_on(void **state)
{
    (void)state;
    uint64_t seed = 8;
    unsigned seen[SCORE_STATISTICAL_COUNT] = {0};
    for (unsigned round = 0; round < 300; round++) {
        struct scene v;
        scene_make(&v, &seed, 28);
        struct score whole = scene_score(&v, &v.x);
        bool before[SCORE_STATISTICAL_COUNT] = {false};
        for (unsigned h = 0; h < 24; h++) {
            struct day cut = until(&v.x, h);
            cut.d.group = cut.group;
            struct score s = scene_score(&v, &cut);
            for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++) {
                assert_true(raised(&s, (enum score_test)t) >= before[t]);
                before[t] = raised(&s, (enum score_test)t);
            }
            for (size_t i = 0; i < whole.n; i++) {
                const struct score_part *w = &whole.part[i], *p = find(&s, w->test, w->group);
                if (p || !speaks_of_the_largest(w->test))
                    assert_int_equal(p && p->raised, h >= w->since_hour);
                seen[w->test] += p && p->raised;
            }
        }
        class_free(v.class);
    }
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        if (!seen[t])
            fail_msg("%s never raised", score_test_word((enum score_test)t));
}

static bool needs_bytes_of_the_day(enum score_test t) { return t != SCORE_BEACON && t != SCORE_BEACON_FAR && t != SCORE_SLOW && t != SCORE_SLOW_FAR; }

static void no_day_under_the_least_floor_raises_by_its_bytes(void **state)
{
    (void)state;
    uint64_t seed = 10;
    unsigned tried = 0;
    for (unsigned round = 0; round < 6000; round++) {
        struct scene v;
        scene_make(&v, &seed, 44);
        v.a.budget = 1e6;
        if (v.x.d.external_out + v.x.d.internal_out < score_min_bytes(model)) {
            tried++;
            struct score s = scene_score(&v, &v.x);
            for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
                assert_false(raised(&s, (enum score_test)t) && needs_bytes_of_the_day((enum score_test)t));
        }
        class_free(v.class);
    }
    assert_true(tried > 300);
}

/* But for slow, which counts earlier days as well, and beacon, which counts hours. */
static void a_part_covers_the_bytes_that_it_observed(void **state)
{
    (void)state;
    uint64_t seed = 12;
    unsigned parts = 0;
    for (unsigned round = 0; round < 1500; round++) {
        struct scene v;
        scene_make(&v, &seed, 30);
        struct score out;
        struct score_calibration *c = score_calibration_new(model, v.a.class, NULL, TODAY);
        struct score_survey *survey = survey_of(&v.x, &v.b, 1, &v.a, c);
        struct scorer *s = scorer_new(model);
        uint64_t sum[SCORE_PARTS_MAX] = {0};
        assert_int_equal(scorer_take(s, &v.x.d, &v.b, v.a.class, v.a.fleet_days, survey), WEIR_OK);
        scorer_judge(s, c, 0.01, &out);
        for (size_t g = 0; g < v.x.d.groups; g++)
            for (unsigned h = 0; h < 24; h++) {
                uint64_t bits = scorer_covers(s, &out, g, h);
                for (size_t p = 0; p < out.n; p++)
                    sum[p] = sat_add(sum[p], bits >> p & 1 ? v.x.group[g].hour[h] : 0);
            }
        for (size_t p = 0; p < out.n; p++, parts++) {
            enum score_test t = out.part[p].test;
            if (t != SCORE_SLOW && t != SCORE_SLOW_FAR)
                assert_true(sum[p] == out.part[p].observed_bytes);
        }
        scorer_free(s);
        score_survey_free(survey);
        score_calibration_free(c);
        class_free(v.class);
    }
    assert_true(parts > 1000);
}

static void a_used_scorer_judges_as_a_new_one(void **state)
{
    (void)state;
    uint64_t seed = 13;
    struct scorer *used = scorer_new(model);
    for (unsigned round = 0; round < 500; round++) {
        struct scene v;
        struct score again;
        scene_make(&v, &seed, 28);
        struct score fresh = scene_score(&v, &v.x);
        struct score_calibration *c = score_calibration_new(model, v.a.class, NULL, TODAY);
        struct score_survey *survey = survey_of(&v.x, &v.b, 1, &v.a, c);
        assert_int_equal(scorer_take(used, &v.x.d, &v.b, v.a.class, v.a.fleet_days, survey), WEIR_OK);
        scorer_judge(used, c, v.a.budget, &again);
        assert_same_score(&fresh, &again);
        score_survey_free(survey);
        score_calibration_free(c);
        class_free(v.class);
    }
    scorer_free(used);
}

/* Who is not above in the survey need not be judged. */
static void a_host_that_the_survey_passes_over_would_not_be_raised(void **state)
{
    (void)state;
    uint64_t seed = 14;
    unsigned below = 0;
    for (unsigned round = 0; round < 3000; round++) {
        struct scene v;
        bool above;
        scene_make(&v, &seed, 36);
        v.a.budget = 1e6;
        struct score_survey *survey = score_survey_new(model);
        struct scorer *s = scorer_new(model);
        assert_int_equal(scorer_take(s, &v.x.d, &v.b, v.a.class, v.a.fleet_days, NULL), WEIR_OK);
        assert_int_equal(scorer_survey(s, survey, &above), WEIR_OK);
        if (!above) {
            below++;
            assert_false(scene_score(&v, &v.x).raised);
        }
        scorer_free(s);
        score_survey_free(survey);
        class_free(v.class);
    }
    assert_true(below > 100 && below < 2900);
}

static void all_numbers_are_finite(void **state)
{
    (void)state;
    uint64_t seed = 15;
    for (unsigned round = 0; round < 1500; round++) {
        struct scene v;
        scene_make(&v, &seed, (unsigned)random_below(&seed, 44));
        struct score s = scene_score(&v, &v.x);
        assert_true(isfinite(s.value) && s.value >= 0);
        for (size_t i = 0; i < s.n; i++) {
            const struct score_part *p = &s.part[i];
            assert_true(isfinite(p->excess) && isfinite(p->reference) && p->spread > 0 && p->rate >= 0 && p->rate <= 1 && p->common >= 0);
            assert_true(p->from_hour <= p->to_hour && p->to_hour < 24 && p->since_hour <= 24);
        }
        class_free(v.class);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_bytes_never_lower_an_excess_or_raise_later),
        cmocka_unit_test(a_part_raises_from_its_since_hour_on),
        cmocka_unit_test(no_day_under_the_least_floor_raises_by_its_bytes),
        cmocka_unit_test(a_part_covers_the_bytes_that_it_observed),
        cmocka_unit_test(a_used_scorer_judges_as_a_new_one),
        cmocka_unit_test(a_host_that_the_survey_passes_over_would_not_be_raised),
        cmocka_unit_test(all_numbers_are_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
