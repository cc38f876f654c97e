/* SPDX-License-Identifier: Apache-2.0 */
/* beacon, and beacon-far for new countries: in how many hours of today and yesterday a young destination was called that the
 * class does not share. Bytes do not matter.
 * y = hours / 4, u = (y - ref) / tau; floor 18 hours.
 * Worked example: 28 quiet days, on the last of them a new destination in 12 hours; today in 12 again, y = 24 / 4 = 6. Of the ring 27
 * values count: ref = 18 / 4 + 0.5 * 0.7 * ln(28/27) = 4.513; u = 1.487 / 0.7 = 2.125. */
#include "score_private.h"

#define HOURS_PER_UNIT 4.0

static unsigned yesterday(const struct scorer *s, const struct destination *d)
{
    return d->known->last_day + 1 == s->today ? (unsigned)__builtin_popcount(d->known->hours) : 0;
}

static void look(struct scorer *s, const struct destination *d, enum score_test test, enum baseline_feature f)
{
    unsigned before = yesterday(s, d), hours = before + (unsigned)__builtin_popcount(d->hours);
    feature_raise(s, f, hours / HOURS_PER_UNIT);
    if (hours < s->m->floor[test])
        return;
    double ref, spread;
    unsigned since = s->b->days - d->known->born;
    feature_reference(s, f, since, s->m->floor[test] / HOURS_PER_UNIT, &ref, &spread);
    struct observation *o = observe(s, test, d->network, ref, spread);
    if (!o)
        return;
    for (unsigned h = 0; h < 24; h++) {
        unsigned today = (unsigned)__builtin_popcount(d->hours & ((2u << h) - 1)), seen = today ? before + today : 0;
        if (d->hours >> h & 1) {
            o->from = o->from == 24 ? (uint8_t)h : o->from;
            o->to = (uint8_t)h;
        }
        o->bytes[h] = d->bytes;
        o->y[h] = seen / HOURS_PER_UNIT;
        o->u[h] = (o->y[h] - ref) / spread;
    }
    o->count = hours;
    observe_history(o, &s->b->feature[f], since);
}

void test_beacon(struct scorer *s)
{
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!d->hours || !young_destination(s, d))
            continue;
        look(s, d, SCORE_BEACON, FEATURE_BEACON);
        if (d->far)
            look(s, d, SCORE_BEACON_FAR, FEATURE_BEACON_FAR);
    }
}
