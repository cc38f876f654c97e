/* Host-days judged against baselines, classes and surveys to order, for the tests of score.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_SCORE_MAKE_H
#define WEIR_TESTS_SCORE_MAKE_H

#include <math.h>

#include "baseline_make.h"

#include <weir/score.h>

#include "score/score_private.h"

#define TODAY 20101
#define BUDGET 0.001
#define GROWN 28 /* days of a host that is no longer young, with full rings */
#define model (&score_model_default)

static inline struct baseline knowing(unsigned days)
{
    struct baseline b = fresh_baseline();
    b.days = (uint16_t)days;
    b.first_day = (uint16_t)(TODAY - days);
    b.last_day = TODAY - 1;
    return b;
}

/* As above, and on no day was anything above a floor. */
static inline struct baseline quiet(unsigned days)
{
    struct baseline b = knowing(days);
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        fill(&b.feature[f], 0, days < BASELINE_RING ? days : BASELINE_RING);
    return b;
}

/* A familiar group: seen on `times` days from the host's first day on. Ascending. */
static inline struct baseline_group *know(struct baseline *b, uint64_t group, uint64_t bytes, unsigned times)
{
    struct baseline_group *g = &b->group[b->groups++];
    assert_true(b->groups <= BASELINE_GROUPS && (b->groups == 1 || g[-1].group < group));
    *g = (struct baseline_group){.group = group, .first_day = b->first_day, .last_day = TODAY - 1, .days = (uint16_t)times, .total = bytes * times};
    fill(&g->ring, bytes, times);
    return g;
}

/* A group that was met `age` days ago, seen on `times` days since: young, and not familiar when 4 or fewer. */
static inline struct baseline_group *met(struct baseline *b, uint64_t group, uint64_t bytes, unsigned age, unsigned times)
{
    struct baseline_group *g = know(b, group, bytes, times);
    g->first_day = (uint16_t)(TODAY - age);
    g->born = (uint16_t)(b->days - age);
    return g;
}

/* What a day is judged in. */
struct around {
    const struct class_state *class, *fleet; /* may be NULL */
    unsigned fleet_days;
    double budget;
    uint32_t left_out; /* tests */
};

static inline struct score_survey *survey_of(const struct day *x, const struct baseline *b, size_t n, const struct around *a, const struct score_calibration *c)
{
    struct score_survey *v = score_survey_new(model);
    struct scorer *s = scorer_new(model);
    bool above;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(scorer_take(s, &x[i].d, &b[i], a->class, a->fleet_days, NULL), WEIR_OK);
        assert_int_equal(scorer_survey(s, v, &above), WEIR_OK);
    }
    assert_int_equal(score_survey_end(v, a->fleet, c), WEIR_OK);
    scorer_free(s);
    return v;
}

/* One host judged among n hosts. */
static inline struct score score_among(const struct day *x, const struct baseline *b, size_t n, size_t which, const struct around *a)
{
    struct score out;
    struct score_calibration *c = score_calibration_new(model, a->class, a->fleet, TODAY);
    struct score_survey *v = survey_of(x, b, n, a, c);
    struct scorer *s = scorer_new(model);
    assert_int_equal(scorer_take(s, &x[which].d, &b[which], a->class, a->fleet_days, v), WEIR_OK);
    scorer_leave_out(s, a->left_out);
    scorer_judge(s, c, a->budget, &out);
    scorer_free(s);
    score_survey_free(v);
    score_calibration_free(c);
    return out;
}

static inline struct score score_in(const struct day *x, const struct baseline *b, const struct around *a) { return score_among(x, b, 1, 0, a); }

/* A host alone in the world, that has been watched for long. */
static inline struct score score(const struct day *x, const struct baseline *b, double budget)
{
    return score_in(x, b, &(struct around){.fleet_days = GROWN, .budget = budget});
}

static inline const struct score_part *find(const struct score *s, enum score_test test, uint64_t group)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->part[i].test == test && s->part[i].group == group)
            return &s->part[i];
    return NULL;
}

/* The part, or a failure that names the test. */
static inline const struct score_part *part(const struct score *s, enum score_test test, uint64_t group)
{
    const struct score_part *p = find(s, test, group);
    if (!p)
        fail_msg("no part of %s", score_test_word(test));
    return p;
}

static inline void assert_same_score(const struct score *a, const struct score *b)
{
    assert_true(a->value == b->value && a->raised == b->raised && a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct score_part *p = &a->part[i], *q = &b->part[i];
        assert_true(p->test == q->test && p->group == q->group && p->raised == q->raised && p->excess == q->excess && p->rate == q->rate &&
                    p->common == q->common && p->since_hour == q->since_hour && p->observed_bytes == q->observed_bytes);
    }
}

#define assert_near(got, want) near_(got, want, __FILE__, __LINE__)
static inline void near_(double got, double want, const char *file, int line)
{
    if (fabs(got - want) < 1e-3)
        return;
    print_error("%.6f is not %.3f\n", got, want);
    _fail(file, line);
}

/* A class of hosts that has been watched for long, in which `hosts` know the group, with that reference. */
static inline struct class_state *class_of(uint64_t id, unsigned hosts_all, uint64_t group, int hosts, uint8_t reference)
{
    struct class_state *c = class_new(id);
    for (unsigned day = GROWN; day > 0; day--) {
        if (day == GROWN && group)
            assert_int_equal(class_change(c, group, hosts), WEIR_OK);
        if (group && reference && day < GROWN)
            for (unsigned i = 0; i < 2; i++)
                class_note_amount(c, group, reference);
        for (unsigned i = 0; i < hosts_all; i++)
            class_note_host(c, NULL);
        assert_int_equal(class_close(c, (uint16_t)(TODAY - day)), WEIR_OK);
    }
    return c;
}

static inline void send_today(struct day *x, uint64_t group, unsigned hour, uint64_t bytes)
{
    day_begin(x, TODAY);
    day_send(x, group, hour, bytes);
}

static inline void assert_part(const struct score *s, enum score_test test, uint64_t group, const double want[4])
{
    const struct score_part *p = part(s, test, group);
    assert_near(p->observed, want[0]);
    assert_near(p->reference, want[1]);
    assert_near(p->spread, want[2]);
    assert_near(p->excess, want[3]);
}
#define WANT(...) ((const double[]){__VA_ARGS__})

#endif
