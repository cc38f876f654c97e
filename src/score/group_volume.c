/* SPDX-License-Identifier: Apache-2.0 */
/* group-volume: bytes of the day to one destination group that the host knows, against that group's own ring.
 * u = (lg(day-to-date bytes) - max(ref, lg(floor))) / tau; floor 30 MB. */
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
