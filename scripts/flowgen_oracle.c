/* The oracle's judgement (--oracle N), written to oracle.tsv.
 *
 * For a host-day it draws N other days that could have been: the same host, habits and past, another luck. Of each feature these give the
 * host's true 0.95 quantile q and the mean excess s above it; a day's z = (value - q) / s. What z is worth follows from all drawn days of
 * a sample of benign host-days: the share of them that reach it. The smallest share over the features is the day's statistic, and its
 * place among the statistics of all drawn days is the rate of false alarms at which the oracle raises this day: exact, whatever budget.
 * An attack's rate is that of its best day.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen_oracle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE 160      /* benign host-days */
#define SETTLED 14      /* days before the first of them */
#define TAIL 40         /* beyond the so many largest values of a shape the tail is taken as exponential */
#define PRIOR 5.0       /* values that the scale of all hosts counts for in a host's own */
#define FLOOR 2.0       /* octaves: amounts under 200 kB are silence */

/* Features of one kind share a shape: all hours, all familiar groups. */
enum { SHAPES = F_HOUR + 2 };

struct view { /* of a host on a day */
    double low[FEATURES], scale[FEATURES];
    uint64_t groups[GROUP_SLOTS];
    struct known_map past;
};

struct oracle {
    struct world *w;
    uint32_t redraws;
    struct known_map fleet;
    double scale[SHAPES]; /* mean excess over all hosts */
    float *shape[SHAPES]; /* sorted z > 0 of all drawn days of the sample */
    size_t nshape[SHAPES], total[SHAPES];
    float *statistic; /* sorted, of all drawn days of the sample */
    size_t nstatistic;
    struct session_list list;
};

static int shape_of(int feature)
{
    return feature < F_HOUR ? feature : feature < F_GROUP ? F_HOUR : F_HOUR + 1;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* What the host does on a day: as it came (draw 0), or as it could have come. */
static void day_tally(struct oracle *o, uint32_t host, int64_t day, uint32_t draw, struct tallies *out)
{
    o->w->redrawn_day = draw ? day : -1;
    o->w->luck = hash4(o->w->cfg.seed, 'Z', draw, host);
    o->list.n = 0;
    day_spawn(o->w, host, day, &o->list);
    o->w->redrawn_day = -1;
    memset(out, 0, sizeof *out);
    tallies_add(out, o->list.at, o->list.n, host, day, -1);
}

/* Which groups three hosts know, and since when. Day by day, so that no day knows the future. */
static void fleet_learn(struct oracle *o)
{
    static struct tallies day;
    struct known_map pairs = {0};
    int64_t first = o->w->cfg.start / DAY_S;
    for (int64_t d = first; d < first + o->w->cfg.days; d++)
        for (uint32_t host = 0; host < o->w->cfg.hosts; host++) {
            if (o->w->hosts[host].reserved || o->w->hosts[host].death <= d * DAY_S || o->w->hosts[host].birth >= (d + 1) * DAY_S) continue;
            day_tally(o, host, d, 0, &day);
            for (size_t i = 0; i < day.n; i++) {
                struct known *pair = known_find(&pairs, hash4(day.at[i].key, host, 0, 0) | 1, true);
                if (pair->days++) continue;
                struct known *k = known_find(&o->fleet, day.at[i].key, true);
                if (++k->days == 3) k->first = d;
            }
        }
    free(pairs.at);
}

static void past_learn(struct oracle *o, uint32_t host, int64_t day, int32_t episode, struct known_map *past)
{
    static struct tallies one;
    known_clear(past);
    for (int64_t d = o->w->cfg.start / DAY_S; d < day; d++) {
        if (o->w->hosts[host].birth >= (d + 1) * DAY_S) continue;
        day_tally(o, host, d, 0, &one);
        if (episode >= 0) tallies_add(&one, o->w->planned.at, o->w->planned.n, host, d, episode);
        known_learn(past, &one, d);
    }
}

/* The host's own quantile and scale of each feature. */
static void view_scale(const struct oracle *o, struct view *v, const float *values, float *column)
{
    for (int k = 0; k < FEATURES; k++) {
        for (uint32_t i = 0; i < o->redraws; i++) column[i] = values[i * FEATURES + (uint32_t)k];
        qsort(column, o->redraws, sizeof *column, by_value);
        double sum = 0, prior = o->scale[shape_of(k)] > 0 ? o->scale[shape_of(k)] : 1;
        uint32_t n = 0, i = o->redraws - o->redraws / 20;
        v->low[k] = (double)column[i] > FLOOR ? (double)column[i] : FLOOR;
        for (; i < o->redraws; i++)
            if ((double)column[i] > v->low[k]) sum += (double)column[i] - v->low[k], n++;
        v->scale[k] = (sum + PRIOR * prior) / (n + PRIOR);
        if (v->scale[k] < 0.05) v->scale[k] = 0.05;
    }
}

/* Draws the days, and leaves their features in values[draw][feature]. */
static void view_make(struct oracle *o, uint32_t host, int64_t day, int32_t episode, struct view *v, float *values)
{
    static struct tallies one;
    double f[FEATURES];
    past_learn(o, host, day, episode, &v->past);
    groups_pick(&v->past, day, v->groups);
    for (uint32_t i = 0; i < o->redraws; i++) {
        day_tally(o, host, day, i + 1, &one);
        features_of(&one, &v->past, &o->fleet, v->groups, day, f);
        for (int k = 0; k < FEATURES; k++) values[i * FEATURES + (uint32_t)k] = (float)f[k];
    }
}

/* Share of benign days that reach z in a feature of this shape. */
static double share_of(const struct oracle *o, int shape, double z)
{
    size_t low = 0, high = o->nshape[shape];
    if (z <= 0) return 1;
    if (high > TAIL && z > (double)o->shape[shape][high - TAIL]) {
        double from = (double)o->shape[shape][high - TAIL], sum = 0;
        for (size_t i = high - TAIL; i < high; i++) sum += (double)o->shape[shape][i] - from;
        return (double)TAIL / (double)o->total[shape] * pow2(-(z - from) / (sum / TAIL + 0.01) * 1.4426950408889634);
    }
    while (low < high) {
        size_t mid = (low + high) / 2;
        if ((double)o->shape[shape][mid] < z) low = mid + 1;
        else high = mid;
    }
    return (double)(o->nshape[shape] - low + 1) / (double)o->total[shape];
}

static double statistic_of(const struct oracle *o, const struct view *v, const float *values, int *best)
{
    double least = 1;
    *best = 0;
    for (int k = 0; k < FEATURES; k++) {
        double share = share_of(o, shape_of(k), ((double)values[k] - v->low[k]) / v->scale[k]);
        if (share < least) least = share, *best = k;
    }
    return least;
}

/* Rate of benign host-days with a statistic as small. */
static double rate_of(const struct oracle *o, double statistic)
{
    size_t low = 0, high = o->nstatistic;
    double least = (double)o->statistic[0];
    if (statistic < least) return 1.0 / (double)o->nstatistic * statistic / least;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if ((double)o->statistic[mid] <= statistic) low = mid + 1;
        else high = mid;
    }
    return (double)(low ? low : 1) / (double)o->nstatistic;
}

/* ---- the sample of benign host-days ---- */

static void sample_pick(const struct world *w, uint32_t i, uint32_t *host, int64_t *day)
{
    for (uint64_t x = hash4(w->cfg.seed, 'M', i, 0);; x = hash4(x, 1, 0, 0)) {
        *host = (uint32_t)(x % w->cfg.hosts);
        *day = w->cfg.start / DAY_S + SETTLED + (int64_t)((x >> 32) % (w->cfg.days - SETTLED));
        if (!w->hosts[*host].reserved && w->hosts[*host].birth < (*day + 1) * DAY_S && w->hosts[*host].death > *day * DAY_S) return;
    }
}

static void scales_learn(struct oracle *o, const struct view *views)
{
    for (int s = 0; s < SHAPES; s++) {
        double sum = 0;
        uint32_t n = 0;
        for (uint32_t i = 0; i < SAMPLE; i++)
            for (int k = 0; k < FEATURES; k++)
                if (shape_of(k) == s) sum += views[i].scale[k], n++;
        o->scale[s] = sum / n;
    }
}

static void shapes_learn(struct oracle *o, const struct view *views, const float *values)
{
    for (int k = 0; k < FEATURES; k++) o->total[shape_of(k)] += (size_t)SAMPLE * o->redraws;
    for (int s = 0; s < SHAPES; s++) o->shape[s] = need(malloc(o->total[s] * sizeof(float)));
    for (uint32_t i = 0; i < SAMPLE; i++)
        for (uint32_t r = 0; r < o->redraws; r++)
            for (int k = 0; k < FEATURES; k++) {
                double z = ((double)values[((size_t)i * o->redraws + r) * FEATURES + (size_t)k] - views[i].low[k]) / views[i].scale[k];
                int s = shape_of(k);
                if (z > 0) o->shape[s][o->nshape[s]++] = (float)z;
            }
    for (int s = 0; s < SHAPES; s++) qsort(o->shape[s], o->nshape[s], sizeof(float), by_value);
}

static void statistics_learn(struct oracle *o, const struct view *views, const float *values)
{
    int best;
    o->nstatistic = (size_t)SAMPLE * o->redraws;
    o->statistic = need(malloc(o->nstatistic * sizeof(float)));
    for (size_t i = 0; i < o->nstatistic; i++) o->statistic[i] = (float)statistic_of(o, &views[i / o->redraws], values + i * FEATURES, &best);
    qsort(o->statistic, o->nstatistic, sizeof(float), by_value);
}

static void sample_learn(struct oracle *o)
{
    struct view *views = need(calloc(SAMPLE, sizeof *views));
    size_t each = (size_t)o->redraws * FEATURES;
    float *values = need(malloc(SAMPLE * each * sizeof *values)), *column = need(malloc(o->redraws * sizeof *column));
    for (uint32_t i = 0; i < SAMPLE; i++) {
        uint32_t host;
        int64_t day;
        sample_pick(o->w, i, &host, &day);
        view_make(o, host, day, -1, &views[i], values + i * each);
        view_scale(o, &views[i], values + i * each, column);
    }
    scales_learn(o, views);
    for (uint32_t i = 0; i < SAMPLE; i++) view_scale(o, &views[i], values + i * each, column); /* now with the scales of all */
    shapes_learn(o, views, values);
    statistics_learn(o, views, values);
    for (uint32_t i = 0; i < SAMPLE; i++) free(views[i].past.at);
    free(views);
    free(values);
    free(column);
}

/* ---- attacks ---- */

static double episode_rate(struct oracle *o, int32_t number, int *best)
{
    static struct tallies day;
    const struct episode *e = &o->w->episodes[number];
    struct view v = {0};
    float *values = need(malloc((size_t)o->redraws * FEATURES * sizeof *values)), *column = need(malloc(o->redraws * sizeof *column)), seen[FEATURES];
    double f[FEATURES], least = 1;
    for (int64_t d = e->start / DAY_S; d <= (e->end - 1) / DAY_S; d++) {
        int which;
        view_make(o, e->host, d, number, &v, values);
        view_scale(o, &v, values, column);
        day_tally(o, e->host, d, 0, &day);
        tallies_add(&day, o->w->planned.at, o->w->planned.n, e->host, d, number);
        features_of(&day, &v.past, &o->fleet, v.groups, d, f);
        for (int k = 0; k < FEATURES; k++) seen[k] = (float)f[k];
        double rate = rate_of(o, statistic_of(o, &v, seen, &which));
        if (rate < least) least = rate, *best = which;
    }
    free(values);
    free(column);
    free(v.past.at);
    return least;
}

static void oracle_free(struct oracle *o)
{
    for (int s = 0; s < SHAPES; s++) free(o->shape[s]);
    free(o->statistic);
    free(o->fleet.at);
    free(o->list.at);
}

/* A line for each episode: kind, truth, host, start, bytes, rate, feature. */
void oracle_write(struct world *w, uint32_t redraws)
{
    static const char *const words[] = {"day", "hour-max", "new", "new-shared", "odd", "split", "slow", "hours", "client", "client-new", "inside", "inside-new"};
    struct oracle o = {.w = w, .redraws = redraws};
    char path[4096], host[48];
    snprintf(path, sizeof path, "%s/oracle.tsv", w->cfg.out);
    FILE *fp = fopen(path, "w");
    if (!fp) fatal("cannot create '%s': %s", path, strerror(errno));
    fleet_learn(&o);
    sample_learn(&o);
    for (uint32_t i = 0; i < w->nepisodes; i++) {
        const struct episode *e = &w->episodes[i];
        int best = 0;
        if (e->host == NOBODY || !strcmp(e->truth, "benign")) continue;
        double rate = episode_rate(&o, (int32_t)i, &best);
        addr_print(e->peers[0].hi ? w->hosts[e->host].v6 : w->hosts[e->host].v4, host);
        fprintf(fp, "%s\t%s\t%s\t%lld\t%llu\t%.9f\t%s\n", e->kind, e->truth, host, (long long)e->start, (unsigned long long)e->bytes_sent, rate,
                best < F_HOUR ? words[best] : best < F_GROUP ? "hour" : "group");
    }
    if (fclose(fp)) fatal("cannot write '%s': %s", path, strerror(errno));
    oracle_free(&o);
}
