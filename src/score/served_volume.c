/* SPDX-License-Identifier: Apache-2.0 */
/* served-volume: bytes of the day to one network that opened the connection (or nobody knows who did), against the host's
 * ring of its largest client network, or that network's own ring when it is familiar. Catches the port that is chosen to
 * look like a service. u = (lg(day so far) - ref) / tau; floor 20 MB.
 * Worked example: one day without any: ref = 8.258 + 0.5 * 0.7 * ln(28/1) = 9.424. 2 GB, lg 14.897: u = 5.473 / 0.7 = 7.818. */
#include "score_private.h"

void test_served_volume(struct scorer *s)
{
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!is_served(d))
            continue;
        feature_raise(s, FEATURE_SERVED, lg_bytes(d->bytes));
        if ((double)d->bytes < s->m->floor[SCORE_SERVED_VOLUME])
            continue;
        const struct ring *ring = &s->b->feature[FEATURE_SERVED];
        struct amount a = {.group = d->network, .factor = 1};
        double ref, spread, floor = floor_octaves(s, SCORE_SERVED_VOLUME);
        if (d->relation == RELATION_FAMILIAR)
            ring_reference(s->m, ring = &d->known->ring, 0, floor, &ref, &spread);
        else
            feature_reference(s, FEATURE_SERVED, 0, floor, &ref, &spread);
        add_hours(s, d, a.hours);
        observe_sum(s, SCORE_SERVED_VOLUME, &a, ring, ref, spread);
    }
}
