/* SPDX-License-Identifier: Apache-2.0 */
/* new-destination: bytes of the day, in connections that the host opened, to all groups it is not familiar with, against
 * the host's ring of that sum. Only initiated connections: nearly every client of a public server is new.
 * u = (lg(day-to-date sum) - max(ref, lg(floor))) / tau; floor 2 MB. */
#include "score_private.h"

void score_new_destination(struct scoring *s)
{
    uint64_t hours[24] = {0};
    for (size_t i = 0; i < s->day->groups; i++) {
        const struct host_group *g = &s->day->group[i];
        if (group_kind(g->group) != GROUP_INITIATED || baseline_familiar(s->b, g->group, s->today))
            continue;
        for (unsigned h = 0; h < 24; h++)
            hours[h] = sat_add(hours[h], g->hour[h]);
    }
    test_sum(s, SCORE_NEW_DESTINATION, 0, hours, &s->b->feature[FEATURE_NEW_DESTINATION], s->m->floor_new);
}
