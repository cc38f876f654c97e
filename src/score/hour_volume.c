/* SPDX-License-Identifier: Apache-2.0 */
/* hour-volume: external bytes of one hour against what the host usually sends at such an hour.
 *
 *   ref = max(mean of the hour (weekday or weekend), mean of the hour of the week, mean of the hours beside it - 1/2 octave,
 *             lg(floor));  while the host is learning also the largest hour of any day
 *   host^2 = (sum of squared residuals of all hours + 40 * 1.5^2) / (hours + 40)
 *   spread = sqrt((sum of squared residuals of that hour of the day + 5 host^2) / (days + 5)), at least 1.2
 *   u = (lg(bytes of the hour) - ref) / spread, less what half of the class exceeds in that hour
 *
 * Floor 20 MB, lg 8.258.
 * Worked example: 100 MB at nine on 28 days and nothing else, kept as 338/32 octaves (and 264/32, the floor). At eight 322/32 were
 * expected, and on 27 days 58/32 less came; so at ten. host^2 = (2 * 27 * (58/32)^2 + 40 * 2.25) / (24 * 27 + 40) = 0.389.
 * 2 GB at nine, lg 14.897: spread sqrt(5 * 0.389 / 32) = 0.246, so 1.2; u = (14.897 - 10.5625) / 1.2 = 3.612. The same at eight:
 * spread sqrt((27 * (58/32)^2 + 5 * 0.389) / 32) = 1.683; u = (14.897 - 10.0625) / 1.683 = 2.873. */
#include <math.h>

#include "score_private.h"

static double largest_known(const struct scorer *s)
{
    double ref = 0, spread;
    if (s->b->days < (unsigned)s->m->learning_days)
        ref = lg_unround(ring_rank(&s->b->feature[FEATURE_HOUR_MAX], 0));
    if (s->b->days < BASELINE_YOUNG_DAYS)
        feature_reference(s, FEATURE_HOUR_MAX, 0, ref, &ref, &spread);
    return ref;
}

void test_hour_volume(struct scorer *s)
{
    const struct host_day *d = s->day;
    double floor = floor_octaves(s, SCORE_HOUR_VOLUME), least = fmax(floor, largest_known(s));
    uint64_t largest = 0, day = 0;
    for (unsigned h = 0; h < 24; h++) {
        largest = d->hour_out[h] > largest ? d->hour_out[h] : largest;
        day = sat_add(day, d->hour_out[h]);
    }
    feature_raise(s, FEATURE_HOUR_MAX, lg_bytes(largest));
    feature_raise(s, FEATURE_DAY_EXTERNAL, lg_bytes(day));
    if ((double)largest < s->m->floor[SCORE_HOUR_VOLUME])
        return;
    struct observation *o = observe(s, SCORE_HOUR_VOLUME, 0, least, 1);
    for (unsigned h = 0; o && h < 24; h++) {
        double expected = 0;
        profile_expect(&s->b->profile, s->today, h, &expected);
        o->reference[h] = fmax(least, expected);
        o->bytes[h] = d->hour_out[h];
        o->y[h] = lg_bytes(d->hour_out[h]);
        o->spread[h] = fmax(profile_spread(&s->b->profile, h, s->m->hour_spread, s->m->hour_weight, s->m->hour_of_host), s->m->hour_least);
        o->u[h] = (o->y[h] - o->reference[h]) / o->spread[h];
    }
    if (o)
        observe_history(o, &s->b->feature[FEATURE_HOUR_MAX], 0);
}
