/* SPDX-License-Identifier: Apache-2.0 */
/* creep: external bytes of the day against what was usual long ago: an anchor that follows the ring's reference by 1/8 octave in
 * 14 learned days at most. Who grows by a little each day stays under every test that compares with the last four weeks.
 * u = (lg(day so far) - max(anchor, lg(floor))) / tau, tau of the ring of days; floor 100 MB; silent in the first 28 days.
 * Worked example: 1 GB a day (13.897 octaves, 111 eighths) for eight weeks: anchor 13.875, nothing above the median, tau = 0.7.
 * Then 5 % more each day: after 40 days 7.04 GB, lg 16.713, while the anchor went up by 2 eighths: u = (16.713 - 14.125) / tau. */
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
