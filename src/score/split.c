/* SPDX-License-Identifier: Apache-2.0 */
/* split: how many destinations that neither the host nor its class knows got more than 4 MB today: a transfer in portions.
 * y = 2 log2(1 + k), u = (y - ref) / tau; floor 3 destinations.
 * Worked example: 28 days without any: ref = 2 log2(4) = 4, tau = 0.7. Five destinations, y = 2 log2(6) = 5.170: u = 1.671. */
#include <math.h>

#include "score_private.h"

#define PORTION 4000000

static double scale(unsigned k) { return 2 * log2(1.0 + k); }

/* From which hour on the destination counts; 24: it does not. */
static unsigned counts_from(const struct scorer *s, const struct destination *d)
{
    uint64_t hours[24] = {0}, sum = 0;
    if (!is_initiated(d) || d->relation != RELATION_NEW || d->bytes <= PORTION)
        return 24;
    add_hours(s, d, hours);
    unsigned h = 0;
    while (h < 23 && (sum = sat_add(sum, hours[h])) <= PORTION)
        h++;
    return h;
}

void test_split(struct scorer *s)
{
    unsigned from[25] = {0}, k = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < s->destinations; i++) {
        unsigned h = counts_from(s, &s->destination[i]);
        from[h]++;
        if (h < 24) {
            k++;
            bytes = sat_add(bytes, s->destination[i].bytes);
        }
    }
    feature_raise(s, FEATURE_SPLIT, scale(k));
    if (k < s->m->floor[SCORE_SPLIT])
        return;
    double ref, spread;
    feature_reference(s, FEATURE_SPLIT, 0, scale((unsigned)s->m->floor[SCORE_SPLIT]), &ref, &spread);
    struct observation *o = observe(s, SCORE_SPLIT, 0, ref, spread);
    if (!o)
        return;
    for (unsigned h = 0, seen = 0; h < 24; h++) {
        seen += from[h];
        o->from = seen && o->from == 24 ? (uint8_t)h : o->from;
        o->to = from[h] ? (uint8_t)h : o->to;
        o->bytes[h] = bytes;
        o->y[h] = scale(seen);
        o->u[h] = (o->y[h] - ref) / spread;
    }
    o->count = k;
    observe_history(o, &s->b->feature[FEATURE_SPLIT], 0);
}
