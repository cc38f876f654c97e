/* SPDX-License-Identifier: Apache-2.0 */
/* new-destination: bytes of the day, in connections that the host opened, to all groups it is not familiar with, against
 * the host's ring of that sum. Only initiated connections: nearly every client of a public server is new.
 * u = (lg(day-to-date sum) - ref) / tau; floor 2 MB.
 * Worked example: nine days of 3, 3, 2, 2, 2, 1, 1, 1 and 0 MB are 44, 44, 40, 40, 40, 32, 32, 32, 0 eighths: median 5.0, above
 * it twice 5.5; tau = (2 * 0.5 + 12 * 0.7) / 14 = 0.671; ref = 5.5 + 0.5 * 0.671 * ln(28/9) = 5.881. Today 40 GB, lg 19.219:
 * u = 19.865, rate = 0.002 exp(-19.865/1.3) = 4.619e-10, score = -log10(rate / (1.5/5.5)) = 8.771. */
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
