/* SPDX-License-Identifier: Apache-2.0 */
/* served-volume: bytes of the day to one network that opened the connection (or nobody knows who did), against the host's
 * ring of its largest client network, or that network's own ring when it is familiar. Catches the port that is chosen to
 * look like a service. u as for group-volume; floor 20 MB.
 * Worked example: one day of history on which nothing was served: tau = 0.7; ref = lg(20 MB) + 0.5 * 0.7 * ln 28 = 8.258 + 1.166.
 * Today 2 GB to one network, lg 14.897: u = 7.818, rate = 4.888e-06, score = -log10(rate / (1/5.5)) = 4.571. */
#include "score_private.h"

void score_served_volume(struct scoring *s)
{
    for (size_t i = 0; i < s->day->groups; i++) {
        const struct host_group *g = &s->day->group[i];
        enum group_kind kind = group_kind(g->group);
        if ((kind != GROUP_SERVED && kind != GROUP_UNKNOWN) || (double)g->bytes_out < s->m->floor_served)
            continue;
        const struct ring *ring = &s->b->feature[FEATURE_SERVED_MAX];
        const struct baseline_group *known = baseline_find(s->b, g->group);
        if (known && baseline_familiar(s->b, g->group, s->today))
            ring = &known->ring;
        test_sum(s, SCORE_SERVED_VOLUME, g->group, g->hour, ring, s->m->floor_served);
    }
}
