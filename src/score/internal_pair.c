/* SPDX-License-Identifier: Apache-2.0 */
/* internal-pair: bytes of the day to a host of ours that the host knows, against that pair's own ring: staging before the way
 * out. u = (lg(day so far) - ref) / tau; floor 100 MB.
 * Worked example: 1 GB (111 eighths) on each of 20 days: ref = 13.875 + 0.5 * 0.7 * ln(28/20) = 13.993. 20 GB, lg 18.219: u = 4.227 /
 * 0.7 = 6.038. */
#include "score_private.h"

void test_internal_pair(struct scorer *s)
{
    for (size_t i = 0; i < s->destinations; i++) {
        const struct destination *d = &s->destination[i];
        if (!is_internal(d) || d->relation != RELATION_FAMILIAR || (double)d->bytes < s->m->floor[SCORE_INTERNAL_PAIR])
            continue;
        struct amount a = {.group = d->network, .factor = 1};
        double ref, spread;
        add_hours(s, d, a.hours);
        ring_reference(s->m, &d->known->ring, 0, floor_octaves(s, SCORE_INTERNAL_PAIR), &ref, &spread);
        observe_sum(s, SCORE_INTERNAL_PAIR, &a, &d->known->ring, ref, spread);
    }
}
