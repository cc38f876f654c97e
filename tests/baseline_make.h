/* Host-days, lessons and baselines to order, for the tests of baseline and score.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_BASELINE_MAKE_H
#define WEIR_TESTS_BASELINE_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/baseline.h>

#define DAY_ONE 20003 /* days since 1970: a Monday */
#define MB 1000000ULL
#define GB 1000000000ULL
#define WEB(n) ((uint64_t)GROUP_INITIATED << 60 | 4ULL << 52 | (uint64_t)(n) << 16)
#define DNS(n) (WEB(n) | (uint64_t)SERVICE_DNS << 56)
#define WEB_IN(country, n) (WEB(n) | (uint64_t)(country) << 32)
#define SERVED(n) ((uint64_t)GROUP_SERVED << 60 | 4ULL << 52 | (uint64_t)(n) << 8)
#define UNKNOWN(n) ((uint64_t)GROUP_UNKNOWN << 60 | 4ULL << 52 | (uint64_t)(n) << 16)
#define INTERNAL(n) ((uint64_t)GROUP_INTERNAL_INITIATED << 60 | 4ULL << 52 | (uint64_t)(n))
#define REST ((uint64_t)GROUP_REST << 60)
#define CLASS_ONE 100
#define ALL_FEATURES UINT32_MAX

static inline uint64_t random_next(uint64_t *seed) { return stable_mix(*seed += 0x9e3779b97f4a7c15ULL); }
static inline uint64_t random_below(uint64_t *seed, uint64_t n) { return random_next(seed) % n; }

/* ---- a host-day ---- */

struct day {
    struct host_day d;
    struct host_group group[300];
};

static inline void day_begin(struct day *x, unsigned day)
{
    memset(x, 0, sizeof *x);
    x->d.day_s = (int64_t)day * DAY_S;
    x->d.group = x->group;
}

static inline bool outside(uint64_t group) { return group_external(group) || group == REST; }

static inline void day_add(struct day *x, size_t i, unsigned hour, uint64_t bytes)
{
    x->group[i].hour[hour] = sat_add(x->group[i].hour[hour], bytes);
    x->group[i].bytes_out = sat_add(x->group[i].bytes_out, bytes);
    if (!outside(x->group[i].group)) {
        x->d.internal_out = sat_add(x->d.internal_out, bytes);
        return;
    }
    x->d.hour_out[hour] = sat_add(x->d.hour_out[hour], bytes);
    x->d.external_out = sat_add(x->d.external_out, bytes);
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

/* ---- lessons ---- */

static inline struct baseline fresh_baseline(void)
{
    struct baseline b;
    baseline_init(&b, 42, ip_from_v4(0x0a000105));
    return b;
}

static inline struct baseline_changes learn(struct baseline *b, const struct baseline_lesson *lesson)
{
    struct baseline_changes changes;
    assert_int_equal(baseline_learn(b, lesson, &changes), WEIR_OK);
    return changes;
}

static inline struct baseline_changes learn_day(struct baseline *b, const struct day *x)
{
    struct baseline_lesson lesson = {.day = &x->d, .class_id = CLASS_ONE, .features = ALL_FEATURES, .hours = true};
    lesson.feature[FEATURE_DAY_EXTERNAL] = lg_round(x->d.external_out);
    return learn(b, &lesson);
}

/* One group, or a quiet day. */
static inline struct baseline_changes learn_one(struct baseline *b, unsigned day, uint64_t group, uint64_t bytes)
{
    struct day x;
    day_begin(&x, day);
    if (bytes)
        day_send(&x, group, 3, bytes);
    return learn_day(b, &x);
}

static inline struct baseline_changes learn_flagged(struct baseline *b, const struct day *x, const struct baseline_flag *flag, size_t n)
{
    struct baseline_lesson lesson = {.day = &x->d, .class_id = CLASS_ONE, .flagged = flag, .flagged_n = n};
    return learn(b, &lesson);
}

/* The day with one group, raised. */
static inline struct baseline_changes raise_one(struct baseline *b, unsigned day, uint64_t group, uint64_t bytes, uint8_t value)
{
    struct day x;
    struct baseline_flag flag = {group_network(group), (uint16_t)day, value};
    day_begin(&x, day);
    day_send(&x, group, 3, bytes);
    return learn_flagged(b, &x, &flag, 1);
}

static inline struct baseline_changes release(struct baseline *b, unsigned today)
{
    struct baseline_changes changes;
    baseline_release(b, (uint16_t)today, &changes);
    return changes;
}

static inline void fill(struct ring *r, uint64_t bytes, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        ring_push(r, lg_round(bytes));
}

/* ---- stored forms ---- */

/* In memory of exactly that size, so that reading beyond it is seen. */
static inline struct slice exact(const char *bytes, size_t n)
{
    char *p = malloc(n ? n : 1);
    assert_non_null(p);
    memcpy(p, bytes, n);
    return (struct slice){p, n};
}

#endif
