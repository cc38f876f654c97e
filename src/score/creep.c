/* SPDX-License-Identifier: Apache-2.0 */
/* creep: external bytes of the day against what was usual long ago: an anchor that follows the ring's reference by 1/8 octave in
 * 14 learned days at most. Who grows by a little each day stays under every test that compares with the last four weeks.
 * u = (lg(day so far) - max(anchor, lg(floor))) / tau, tau of the ring of days; floor 100 MB; silent in the first 28 days.
 * Worked example: 1 GB a day (13.897 octaves, 111 eighths) for eight weeks: anchor 13.875. Then 5 % more each day: on the 40th 7.04 GB, lg
 * 16.713, while the anchor went up by 2 eighths to 14.125; of the ring 14 values lie above the median 15.6875, by 7 together: tau = (7 +
 * 12 * 0.7) / (14 + 12) = 0.592; u = 2.588 / 0.592 = 4.369. */
#include <math.h>

#include "score_private.h"

void test_creep(struct scorer *s)
{
    struct amount a = {.factor = 1};
    double floor = floor_octaves(s, SCORE_CREEP), ref, spread;
    uint64_t day = 0;
    for (unsigned h = 0; h < 24; h++)
        day = sat_add(day, a.hours[h] = s->day->hour_out[h]);
    if (s->b->days < BASELINE_RING || (double)day < s->m->floor[SCORE_CREEP])
        return;
    ring_reference(s->m, &s->b->feature[FEATURE_DAY_EXTERNAL], 0, floor, &ref, &spread);
    observe_sum(s, SCORE_CREEP, &a, &s->b->feature[FEATURE_DAY_EXTERNAL], fmax(floor, lg_unround(s->b->anchor)), spread);
}
