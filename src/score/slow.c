/* SPDX-License-Identifier: Apache-2.0 */
/* slow, and slow-far for new countries: all bytes to a destination since it was first seen but those of its largest day (that day was
 * judged when it came), while it is young (30 days) and its class does not share it, against the host's ring of that
 * quantity as it was before the destination appeared: a sum must not be compared with a reference that contains it.
 * u = (lg(bytes before today + day so far - largest day) - ref) / tau; floor 10 MB.
 * Worked example: 28 quiet days but for 8 MB on each of three of the last eight, and 8 MB today, to one place: 32 MB without the largest
 * day, 56 eighths or half an eighth more, 8.69 MB: lg = 8.478. Of the ring 20 values count: ref = 7.263 + 0.5 * 0.7 * ln(28/20) =
 * 7.381; u = 1.568. */
#include "score_private.h"

#define YOUNG_DAYS 30

bool young_destination(const struct scorer *s, const struct destination *d)
{
    const struct baseline_group *g = d->known;
    if (!is_initiated(d) || !g || s->today - g->first_day > YOUNG_DAYS || g->first_day < s->b->first_day + BASELINE_INITIAL_DAYS)
        return false;
    return !s->class || !class_shares(s->class, d->network);
}

#define HALF_STEP (1.0 / 16) /* what the ring may have rounded off */

/* Today may become the largest day: then what was the largest counts, and today does not. */
static uint64_t without_largest(const struct baseline_group *g, uint64_t today)
{
    uint64_t largest = lg_to_bytes(lg_unround(ring_rank(&g->ring, 0)) + HALF_STEP), less = today > largest ? today : largest;
    uint64_t all = sat_add(g->total, today);
    return all > less ? all - less : 0;
}

static void look(struct scorer *s, const struct destination *d, enum score_test test, enum baseline_feature f)
{
    uint64_t hours[24] = {0}, bytes = without_largest(d->known, d->bytes), sum = 0;
    unsigned since = s->b->days - d->known->born;
    double ref, spread;
    feature_raise(s, f, lg_bytes(bytes));
    if ((double)bytes < s->m->floor[test])
        return;
    feature_reference(s, f, since, floor_octaves(s, test), &ref, &spread);
    struct observation *o = observe(s, test, d->network, ref, spread);
    if (!o)
        return;
    add_hours(s, d, hours);
    for (unsigned h = 0; h < 24; h++) {
        sum = sat_add(sum, hours[h]);
        if (hours[h]) {
            o->from = o->from == 24 ? (uint8_t)h : o->from;
            o->to = (uint8_t)h;
        }
        o->bytes[h] = sum ? without_largest(d->known, sum) : 0; /* nothing is raised before it comes */
        o->y[h] = lg_bytes(o->bytes[h]);
        o->u[h] = (o->y[h] - ref) / spread;
    }
    observe_history(o, &s->b->feature[f], since);
}

void test_slow(struct scorer *s)
{
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!d->bytes || !young_destination(s, d))
            continue;
        look(s, d, SCORE_SLOW, FEATURE_SLOW);
        if (d->far)
            look(s, d, SCORE_SLOW_FAR, FEATURE_SLOW_FAR);
    }
}
