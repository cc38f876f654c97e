/* SPDX-License-Identifier: Apache-2.0 */
/* hour-volume: external bytes sent in one hour against the host's ring of largest hours a day.
 * u = (lg(bytes of the hour) - max(ref, lg(floor))) / tau, for the largest hour; floor 20 MB. */
#include "score_private.h"

void score_hour_volume(struct scoring *s)
{
    test_hours(s, SCORE_HOUR_VOLUME, s->day->hour_out, &s->b->feature[FEATURE_HOUR_MAX], s->m->floor_hour);
}
