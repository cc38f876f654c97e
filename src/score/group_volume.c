/* SPDX-License-Identifier: Apache-2.0 */
/* group-volume: bytes of the day to one destination group that the host knows, against that group's own ring.
 * u = (lg(day-to-date bytes) - ref) / tau; floor 30 MB.
 * Worked example: 100 MB (85 eighths) on each of 14 days: nothing above the median, tau = 0.7; ref = 10.625 + 0.5 * 0.7 * ln 2
 * = 10.868. Today 1 GB, lg 13.897: u = 4.328, rate = 7.162e-05, score = 3.581. */
#include "score_private.h"

void score_group_volume(struct scoring *s)
{
    for (size_t i = 0; i < s->day->groups; i++) {
        const struct host_group *g = &s->day->group[i];
        if (group_kind(g->group) != GROUP_INITIATED || (double)g->bytes_out < s->m->floor_group)
            continue;
        const struct baseline_group *known = baseline_find(s->b, g->group);
        if (known && baseline_familiar(s->b, g->group, s->today))
            test_sum(s, SCORE_GROUP_VOLUME, g->group, g->hour, &known->ring, s->m->floor_group);
    }
}
