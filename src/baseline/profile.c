/* SPDX-License-Identifier: Apache-2.0 */
/* The hour profile: what a host usually sends at an hour of a weekday or weekend day, and at that hour of the week.
 *
 *   mean[kind][hour] += (y - mean) / min(days, 14)        slow: the rhythm of the day
 *   week[dow][hour]  += (y - week) / min(weeks, 2)        fast: what happens every Sunday at two
 *   expected = max(mean, week, mean of the hour before and after - 1/2 octave, mean of two to four hours before - 3/2 to 7/2 octaves)
 *
 * A kind of day that was never seen borrows the other's mean. All in 1/32 octaves, integers, so that every machine agrees.
 * Source: docs/detection.md, "hour volume". */
#include "weir/baseline.h"

#include <math.h>
#include "baseline/profile.h"

#define UNIT 32
#define MEAN_DAYS 14
#define WEEK_WEEKS 2
#define NEIGHBOUR (UNIT / 2)
#define RUN_ON_HOURS 4
#define RUN_ON UNIT /* less for each further hour */
#define RESIDUALS_KEPT 56
#define QUIET_BYTES 20000000 /* the floor of hour-volume: hours with less are all alike, or their noise would hide what stands out */

static unsigned day_of_week(uint16_t day) { return (day + 3u) % 7; } /* 1970-01-01 was a Thursday; 0 = Monday */
static unsigned kind_of(uint16_t day) { return day_of_week(day) >= 5; }

static unsigned hour_mean(const struct baseline_profile *p, unsigned kind, unsigned hour)
{
    return p->mean[p->days[kind] ? kind : !kind][hour];
}

static unsigned expected(const struct baseline_profile *p, uint16_t day, unsigned hour)
{
    unsigned kind = kind_of(day), dow = day_of_week(day), v = hour_mean(p, kind, hour);
    unsigned before = hour_mean(p, kind, (hour + 23) % 24), after = hour_mean(p, kind, (hour + 1) % 24);
    unsigned beside = before > after ? before : after;
    if (beside > v + NEIGHBOUR)
        v = beside - NEIGHBOUR;
    return p->weeks[dow] && p->week[dow][hour] > v ? p->week[dow][hour] : v;
}

/* What takes longer than usual runs on into the hours behind. No residual is learned from that: on most days nothing comes. */
static unsigned run_on(const struct baseline_profile *p, uint16_t day, unsigned hour)
{
    unsigned most = 0;
    for (unsigned later = 2; later <= RUN_ON_HOURS; later++) {
        unsigned v = hour_mean(p, kind_of(day), (hour + 24 - later) % 24), less = NEIGHBOUR + (later - 1) * RUN_ON;
        most = v > most + less ? v - less : most;
    }
    return most;
}

bool profile_expect(const struct baseline_profile *p, uint16_t day, unsigned hour, double *octaves)
{
    unsigned v = expected(p, day, hour), behind = run_on(p, day, hour);
    *octaves = (double)(v > behind ? v : behind) / UNIT;
    return p->days[0] || p->days[1];
}

/* The host's hours together, drawn towards the prior; then the hour, drawn towards the host: a backup that varies must not hide the quiet
 * hours of the day. */
double profile_spread(const struct baseline_profile *p, unsigned hour, double prior, double prior_weight, double host_weight)
{
    double squares = 0, n = 0;
    for (unsigned h = 0; h < 24; h++) {
        squares += (double)p->squares[h] / (UNIT * UNIT);
        n += p->count[h];
    }
    double of_host = (squares + prior_weight * prior * prior) / (n + prior_weight);
    return sqrt(((double)p->squares[hour] / (UNIT * UNIT) + host_weight * of_host) / (p->count[hour] + host_weight));
}

static unsigned scaled(uint64_t bytes) { return (unsigned)floor(lg_bytes(bytes > QUIET_BYTES ? bytes : QUIET_BYTES) * UNIT + 0.5); }

static uint16_t towards(uint16_t mean, unsigned y, unsigned weight)
{
    int diff = (int)y - (int)mean, half = (int)weight / 2;
    return (uint16_t)((int)mean + (diff >= 0 ? diff + half : diff - half) / (int)weight);
}

static void learn_residual(struct baseline_profile *p, unsigned hour, unsigned y, unsigned wanted)
{
    int r = (int)y - (int)wanted;
    p->squares[hour] += (uint32_t)(r * r);
    if (++p->count[hour] > RESIDUALS_KEPT) {
        p->count[hour] /= 2;
        p->squares[hour] /= 2;
    }
}

void profile_learn(struct baseline_profile *p, const struct host_day *d, uint16_t day)
{
    unsigned kind = kind_of(day), dow = day_of_week(day);
    bool first = !p->days[0] && !p->days[1];
    struct baseline_profile before = *p;
    unsigned days = p->days[kind] + 1u, weeks = p->weeks[dow] + 1u;
    for (unsigned h = 0; h < 24; h++) {
        unsigned y = scaled(d->hour_out[h]);
        if ((d->gap_hours >> h & 1) && y < before.mean[kind][h])
            continue; /* an hour with holes must not teach a low value */
        if (!first)
            learn_residual(p, h, y, expected(&before, day, h));
        p->mean[kind][h] = towards(p->mean[kind][h], y, days < MEAN_DAYS ? days : MEAN_DAYS);
        p->week[dow][h] = towards(p->week[dow][h], y, weeks < WEEK_WEEKS ? weeks : WEEK_WEEKS);
    }
    p->days[kind] = (uint8_t)(days > UINT8_MAX ? UINT8_MAX : days);
    p->weeks[dow] = (uint8_t)(weeks > UINT8_MAX ? UINT8_MAX : weeks);
}
