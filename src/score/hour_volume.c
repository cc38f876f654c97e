/* SPDX-License-Identifier: Apache-2.0 */
/* hour-volume: external bytes sent in one hour against the host's ring of largest hours a day.
 * u = (lg(bytes of the hour) - ref) / tau, for the largest hour; floor 20 MB, lg 8.258.
 * Worked example: 28 days, the largest hours 60 and 50 MB (79 and 77 eighths), on the others 20 MB (66): median 8.25;
 * tau = (9.875 - 8.258 + 9.625 - 8.258 + 12 * 0.7) / 14 = 0.813; ref = 9.625, the second largest. An hour of 1 GB, lg 13.897:
 * u = 5.254, rate = 3.513e-05, score = 3.890. */
#include "score_private.h"

void score_hour_volume(struct scoring *s)
{
    test_hours(s, SCORE_HOUR_VOLUME, s->day->hour_out, &s->b->feature[FEATURE_HOUR_MAX], s->m->floor_hour);
}
