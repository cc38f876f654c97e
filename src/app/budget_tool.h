/* SPDX-License-Identifier: Apache-2.0 */
/* What `weir budget` counts: findings and marks against the host-days that were judged. */
#ifndef WEIR_APP_BUDGET_TOOL_H
#define WEIR_APP_BUDGET_TOOL_H

#include "weir/app.h"
#include "weir/score.h"
#include "weir/store.h"

struct budget_counts { uint64_t recent, open, ever, benign, confirmed; }; /* open: begun on a day not learned yet; benign, confirmed: of the recent ones, as marked */
struct budget_class {
    uint64_t id;
    char name[96];
    uint64_t host_days; /* of grown hosts */
    struct budget_counts found; /* led by a test */
};
struct budget_report {
    uint16_t last_day;      /* learned; recent is 28 days up to it. 0: none */
    unsigned days;          /* of these that were learned */
    uint64_t host_days;     /* in them */
    struct budget_counts found, rules; /* led by a test, led by a rule */
    struct budget_counts test[SCORE_TEST_COUNT];
    struct budget_class *class; size_t classes, classes_cap; /* by id, then by name */
};
/* *out is filled whatever comes back: free with budget_report_fini. */
WEIR_MUST_USE enum weir_err budget_count(struct store *s, struct budget_report *out, struct fault *fault);
void budget_report_fini(struct budget_report *r);

/* The true mean of what was counted as k lies between these in 95 of 100 cases: exact (Garwood, 1936). */
void poisson_interval(uint64_t k, double *low, double *high);

#endif
