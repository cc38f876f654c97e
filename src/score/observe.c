/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes by hour to observations: y of the day so far at the end of each hour, and its excess over the reference. */
#include <stdlib.h>
#include <string.h>

#include "score_private.h"

bool room(void *array_pointer, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    void *old, *p;
    memcpy(&old, array_pointer, sizeof old);
    if (!(p = realloc(old, need * 2 * size)))
        return false;
    memcpy(array_pointer, &p, sizeof p);
    *cap = need * 2;
    return true;
}

void add_hours(const struct scorer *s, const struct destination *d, uint64_t hours[24])
{
    for (uint32_t i = d->first; i < d->first + d->n; i++)
        for (unsigned h = 0; h < 24; h++)
            hours[h] = sat_add(hours[h], s->day->group[s->order[i]].hour[h]);
}

void feature_raise(struct scorer *s, enum baseline_feature f, double octaves)
{
    uint8_t v = lg_eighths(octaves);
    s->feature[f] = v > s->feature[f] ? v : s->feature[f];
}

struct observation *observe(struct scorer *s, enum score_test test, uint64_t group, double reference, double spread)
{
    if (!room(&s->seen, &s->cap, s->n + 1, sizeof *s->seen)) {
        s->nomem = true;
        return NULL;
    }
    struct observation *o = &s->seen[s->n++];
    memset(o, 0, sizeof *o);
    o->test = test;
    o->stratum = (uint8_t)stratum_of_host(s, test);
    o->group = group;
    o->from = 24;
    for (unsigned h = 0; h < 24; h++) {
        o->reference[h] = reference;
        o->spread[h] = spread;
    }
    return o;
}

void observe_history(struct observation *o, const struct ring *r, unsigned skip)
{
    uint8_t largest = 0;
    unsigned n = r->n > skip ? r->n - skip : 0;
    for (unsigned i = 0; i < n; i++)
        largest = r->v[i] > largest ? r->v[i] : largest;
    o->largest = lg_to_bytes(lg_unround(largest));
    o->history = n;
}

static uint64_t scaled(uint64_t bytes, double factor)
{
    double v = (double)bytes * factor;
    return v >= 9e18 ? (uint64_t)9e18 : (uint64_t)v;
}

void observe_sum(struct scorer *s, enum score_test test, const struct amount *a, const struct ring *r, double reference, double spread)
{
    struct observation *o = observe(s, test, a->group, reference, spread);
    if (!o)
        return;
    uint64_t sum = 0;
    for (unsigned h = 0; h < 24; h++) {
        sum = sat_add(sum, a->hours[h]);
        if (a->hours[h]) {
            o->from = o->from == 24 ? (uint8_t)h : o->from;
            o->to = (uint8_t)h;
        }
        o->bytes[h] = sum;
        o->y[h] = h && !a->hours[h] ? o->y[h - 1] : lg_bytes(scaled(sum, a->factor));
        o->u[h] = (o->y[h] - reference) / spread;
    }
    o->count = a->count;
    if (r)
        observe_history(o, r, 0);
    if (strata_open(test) > 1)
        o->stratum = (uint8_t)stratum_of_ring(r);
}
