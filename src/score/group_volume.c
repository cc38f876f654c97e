/* SPDX-License-Identifier: Apache-2.0 */
/* group-volume: bytes of the day to one destination that the host knows, against that destination's own ring.
 * u = (lg(day so far) - ref) / tau, less what half of all who use it exceed today; floor 30 MB. With fewer than 5 values the ring
 * says little: then what the class sends there counts as well.
 * Worked example: 100 MB (85 eighths) on each of 14 days: nothing above the median, tau = 0.7; ref = 10.625 + 0.5 * 0.7 * ln 2
 * = 10.868. Today 1 GB, lg 13.897: u = 4.328. */
#include <math.h>

#include "score_private.h"

#define FEW_VALUES 5

static double of_class(const struct scorer *s, uint64_t network)
{
    const struct class_group *g = s->class && class_shares(s->class, network) ? class_find(s->class, network) : NULL;
    return g ? lg_unround(g->reference) : 0;
}

void test_group_volume(struct scorer *s)
{
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!is_initiated(d) || d->relation != RELATION_FAMILIAR || (double)d->bytes < s->m->floor[SCORE_GROUP_VOLUME])
            continue;
        struct amount a = {.group = d->network, .factor = 1};
        double ref, spread;
        add_hours(s, d, a.hours);
        ring_reference(s->m, &d->known->ring, 0, floor_octaves(s, SCORE_GROUP_VOLUME), &ref, &spread);
        if (d->known->ring.n < FEW_VALUES)
            ref = fmax(ref, of_class(s, d->network));
        observe_sum(s, SCORE_GROUP_VOLUME, &a, &d->known->ring, ref, spread);
    }
}
