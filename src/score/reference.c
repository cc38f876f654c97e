/* SPDX-License-Identifier: Apache-2.0 */
/* What a ring of daily values is compared with.
 *
 *   ref  = max(second largest (the largest while n < 14), floor) + 0.5 tau ln(28/n)
 *   tau  = (sum over the upper half of (v - max(median, floor)) + 12 * 0.7) / (count + 12), at least 0.35, where only
 *          values above the floor count: silence teaches no spread
 *
 * The past maximum, not the mean: egress is heavy-tailed. A host younger than five days is compared with the upper quartile of
 * its class where that is higher. Source: docs/detection.md, "Reference". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "score_private.h"

static int descending(const void *a, const void *b) { return (int)*(const uint8_t *)b - (int)*(const uint8_t *)a; }

static double spread_of(const struct score_model *m, const uint8_t *v, unsigned n, double floor)
{
    double median = n % 2 ? lg_unround(v[n / 2]) : (lg_unround(v[n / 2 - 1]) + lg_unround(v[n / 2])) / 2;
    double sum = 0, count = 0;
    for (unsigned i = 0; i < n && lg_unround(v[i]) > median && lg_unround(v[i]) > floor; i++) {
        sum += lg_unround(v[i]) - fmax(median, floor);
        count += 1;
    }
    return fmax((sum + m->tau_prior_weight * m->tau_prior) / (count + m->tau_prior_weight), m->tau_min);
}

void ring_reference(const struct score_model *m, const struct ring *r, unsigned skip, double floor, double *reference, double *spread)
{
    uint8_t v[BASELINE_RING] = {0};
    unsigned n = r->n > skip ? r->n - skip : 0;
    memcpy(v, r->v, n);
    qsort(v, n, 1, descending);
    n = n ? n : 1; /* no value yet is one of nothing: the floor speaks */
    *spread = spread_of(m, v, n, floor);
    double top = lg_unround(n >= m->full_ring ? v[1] : v[0]);
    *reference = fmax(top, floor) + m->small_sample * *spread * log((double)BASELINE_RING / n);
}

void feature_reference(const struct scorer *s, enum baseline_feature f, unsigned skip, double floor, double *reference, double *spread)
{
    ring_reference(s->m, &s->b->feature[f], skip, floor, reference, spread);
    if (s->b->days < BASELINE_YOUNG_DAYS && s->class && s->fleet_days >= s->m->learning_days)
        *reference = fmax(*reference, lg_unround(class_quartile(s->class, f)));
}

void score_references(const struct score_model *m, const struct baseline *b, uint8_t reference[FEATURE_COUNT])
{
    for (unsigned f = 0; f < FEATURE_COUNT; f++) {
        double ref, spread;
        ring_reference(m, &b->feature[f], 0, 0, &ref, &spread);
        reference[f] = ring_rank(&b->feature[f], 0) ? lg_eighths(ref) : 0;
    }
}
