/* Host-days and baselines to order, for the tests of score.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_SCORE_MAKE_H
#define WEIR_TESTS_SCORE_MAKE_H

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

static inline uint64_t random_next(uint64_t *seed) { return stable_mix(*seed += 0x9e3779b97f4a7c15ULL); }
static inline uint64_t random_below(uint64_t *seed, uint64_t n) { return random_next(seed) % n; }

/* ---- a host-day and a baseline to make ---- */

struct day {
    struct host_day d;
    struct host_group group[300];
};

static inline void day_init(struct day *x)
{
    memset(x, 0, sizeof *x);
    x->d.day_s = (int64_t)TODAY * DAY_S;
    x->d.group = x->group;
}

static inline bool outside(uint64_t group) { return group_external(group) || group == REST; }

static inline void day_add(struct day *x, size_t i, unsigned hour, uint64_t bytes)
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
static inline size_t day_send(struct day *x, uint64_t group, unsigned hour, uint64_t bytes)
{
    size_t i = x->d.groups++;
    assert_true(i < WEIR_COUNT(x->group) && (i == 0 || x->group[i - 1].group < group));
    x->group[i].group = group;
    day_add(x, i, hour, bytes);
    return i;
}

static inline struct baseline knowing(unsigned days)
{
    struct baseline b;
    baseline_init(&b, 42, ip_from_v4(0x0a000105));
    b.days = (uint16_t)days;
    b.first_day = (uint16_t)(TODAY - days);
    b.last_day = TODAY - 1;
    return b;
}

static inline void fill(struct ring *r, uint64_t bytes, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        ring_push(r, lg_round(bytes));
}

/* A familiar group: seen on `times` days from the host's first day on. Ascending. */
static inline void know(struct baseline *b, uint64_t group, uint64_t bytes, unsigned times)
{
    struct baseline_group *g = &b->group[b->groups++];
    *g = (struct baseline_group){.group = group, .first_day = b->first_day, .last_day = TODAY - 1, .days = (uint16_t)times};
    fill(&g->ring, bytes, times);
}

static inline struct score score(const struct day *x, const struct baseline *b, double budget)
{
    struct score s;
    score_day(model, budget, &x->d, b, &s);
    return s;
}

static inline const struct score_part *find(const struct score *s, enum score_test test, uint64_t group)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->part[i].test == test && s->part[i].group == group)
            return &s->part[i];
    return NULL;
}

static inline void assert_near(double got, double want)
{
    if (!(fabs(got - want) < 0.0005))
        fail_msg("%.6f is not %.3f", got, want);
}

static inline void assert_rate(double got, double want)
{
    if (!(fabs(got / want - 1) < 0.0005))
        fail_msg("%.6e is not %.3e", got, want);
}

#endif
