/* SPDX-License-Identifier: Apache-2.0 */
/* From excess to rate: how often does a benign host-day of this class reach it? From the last 28 days of the class and of the
 * fleet, mixed by how much each has seen, and a prior.
 *
 *   lambda_fleet = (above + prior * 1000) / (host-days + 1000)
 *   lambda_class = (above + lambda_fleet * 200) / (host-days + 200)
 *   S(u) of a history with k above: the share of them at or above u, down to the one m from the top, m = min(10, k/10, at
 *          least 1); beyond it (m/k) exp(-(u - x_m) / scale)
 *   scale = (k * median / ln 2 + 60 * prior) / (k + 60), the median of the k, not under their mean when k >= 50
 *   S = S_class^a_c * (S_fleet^a_f * exp(-u / scale)^(1 - a_f))^(1 - a_c),  a = k / (k + 40)
 *   rate(u) = lambda S(u)
 *
 * Source: docs/detection.md, "From excess to rate"; the empirical-then-exponential tail is that of Siffer et al., KDD 2017. */
#include <math.h>
#include <stdlib.h>

#include "score_private.h"

#define EIGHTHS 8.0
#define PLENTIFUL 50

struct tail { struct class_history h; double scale; size_t m; };
struct score_calibration {
    const struct score_model *m;
    bool learned;
    const double *lambda, *scale; /* priors */
    struct { double lambda, gain; struct tail class, fleet; } history[SCORE_HISTORIES];
};

static double value(const struct tail *t, size_t i) { return (double)t->h.excess[i] / EIGHTHS; }

static void fit(const struct score_model *m, struct tail *t, double prior)
{
    size_t k = t->h.n;
    t->scale = prior;
    t->m = 0;
    if (!k)
        return;
    double median = k % 2 ? value(t, k / 2) : (value(t, k / 2) + value(t, k / 2 - 1)) / 2, sum = 0, scale = median / log(2);
    for (size_t i = 0; i < k; i++)
        sum += value(t, i);
    if (k >= PLENTIFUL)
        scale = fmax(scale, sum / (double)k);
    t->scale = ((double)k * scale + m->scale_weight * prior) / ((double)k + m->scale_weight);
    t->m = k / 10 ? k / 10 : 1;
    t->m = (double)t->m > m->tail_top ? (size_t)m->tail_top : t->m;
}

/* Only the largest excesses of a day are kept: those that are not lie below, nobody knows where. */
static double survival(const struct tail *t, double u)
{
    size_t low = 0, high = t->h.n;
    double k = (double)(t->h.above > t->h.n ? t->h.above : t->h.n), last = value(t, t->m - 1);
    if (u > last)
        return (double)t->m / k * exp(-(u - last) / t->scale);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (value(t, mid) >= u)
            low = mid + 1;
        else
            high = mid;
    }
    return low < t->h.n ? (double)low / k : 1;
}

/* A geometric mean: an arithmetic one would have the heavier tail of the two, however little it weighs. */
static double mix(const struct score_model *m, const struct tail *t, double u, double other)
{
    if (!t->m)
        return other;
    double k = (double)t->h.n, a = k / (k + m->tail_mix);
    return exp(a * log(survival(t, u)) + (1 - a) * log(other));
}

double score_rate(const struct score_calibration *c, enum score_test test, unsigned stratum, double u)
{
    if (!(u > 0))
        return 1;
    double prior = exp(-u / c->scale[test]);
    if (!c->learned)
        return c->lambda[test] * prior;
    unsigned i = SCORE_STRATA * test + stratum;
    double s = mix(c->m, &c->history[i].class, u, mix(c->m, &c->history[i].fleet, u, prior));
    return c->history[i].lambda * s;
}

double calibration_gain(const struct score_calibration *c, enum score_test test, unsigned stratum)
{
    return c->learned ? c->history[SCORE_STRATA * test + stratum].gain : 1;
}

uint8_t score_alarm(const struct score_calibration *c, enum score_test test, unsigned stratum, double threshold)
{
    unsigned v = 1;
    while (v < UINT8_MAX && score_rate(c, test, stratum, v / EIGHTHS) > threshold)
        v++;
    return (uint8_t)v;
}

static enum weir_err learn(struct score_calibration *c, unsigned i, const struct class_state *class, const struct class_state *fleet, uint16_t day)
{
    const struct score_model *m = c->m;
    struct tail *of_class = &c->history[i].class, *of_fleet = &c->history[i].fleet;
    unsigned test = i / SCORE_STRATA;
    enum weir_err err = class_history(fleet, i, day, &of_fleet->h);
    if (!err && class)
        err = class_history(class, i, day, &of_class->h);
    fit(m, of_fleet, c->scale[test]);
    fit(m, of_class, c->scale[test]);
    double lambda = ((double)of_fleet->h.above + c->lambda[test] * m->lambda_fleet) / ((double)of_fleet->h.host_days + m->lambda_fleet);
    c->history[i].gain = 1 + (m->gain - 1) * (double)of_fleet->h.host_days / ((double)of_fleet->h.host_days + m->lambda_fleet);
    c->history[i].lambda = ((double)of_class->h.above + lambda * m->lambda_class) / ((double)of_class->h.host_days + m->lambda_class);
    return err;
}

struct score_calibration *score_calibration_new(const struct score_model *m, const struct class_state *class, const struct class_state *fleet, uint16_t day)
{
    struct score_calibration *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->m = m;
    bool young = class && class_id(class) == CLASS_YOUNG;
    c->learned = fleet && class_days(fleet) >= m->learning_days;
    young |= !c->learned;
    c->lambda = young ? m->young_lambda : m->lambda;
    c->scale = young ? m->young_scale : m->scale;
    enum weir_err err = WEIR_OK;
    for (unsigned i = 0; i < SCORE_HISTORIES && c->learned && !err; i++)
        err = learn(c, i, class, fleet, day);
    if (!err)
        return c;
    score_calibration_free(c);
    return NULL;
}

void score_calibration_free(struct score_calibration *c)
{
    for (unsigned i = 0; c && i < SCORE_HISTORIES; i++) {
        free(c->history[i].class.h.excess);
        free(c->history[i].fleet.h.excess);
    }
    free(c);
}
