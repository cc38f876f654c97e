/* SPDX-License-Identifier: Apache-2.0 */
/* What many hosts did at once on a day, so that it is not held against each of them.
 *
 *   common mode of an hour    median over the class of the excess of hour-volume in that hour, if at least 5 hosts are known
 *   common mode of a network  median over all who know it of the excess of group-volume, if at least 8 know it
 *   roll-out                  at least 5 hosts meet a network on this day; amounts within 3 octaves of their median belong to it
 *   shock                     more hosts are above the reference of a test than chance allows (E + 3 sqrt(E) + 3, E = hosts *
 *                             lambda): the rates of that test grow by (seen / allowed)^1.5
 *
 * Hosts without an excess to tell count as if far below. Medians and counts commute, so the order of hosts cannot matter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "score_private.h"

#define COMMON_HOSTS 5
#define COMMON_USERS 8
#define ROLLOUT_HOSTS 5
#define ROLLOUT_OCTAVES 3.0
#define ROLLOUT_BYTES 65536 /* a meeting with less is none */

struct hours { uint64_t class_id; uint32_t hosts; float u[24]; };
struct use { uint64_t network; float value; };
struct common { uint64_t key; double value[24]; };

struct score_survey {
    const struct score_model *m;
    struct hours *hour; size_t hours, hours_cap;   /* a host each */
    struct use *use; size_t uses, uses_cap;         /* excess of one host at a familiar network */
    struct use *meeting; size_t meetings, meetings_cap; /* lg of bytes of one host to a network it never met */
    struct common *class_hour; size_t classes;
    uint64_t host_days, above[SCORE_STATISTICAL_COUNT];
    double shock[SCORE_STATISTICAL_COUNT];
};

struct score_survey *score_survey_new(const struct score_model *m)
{
    struct score_survey *v = calloc(1, sizeof *v);
    if (v)
        v->m = m;
    return v;
}

void score_survey_free(struct score_survey *v)
{
    if (!v)
        return;
    free(v->hour);
    free(v->use);
    free(v->meeting);
    free(v->class_hour);
    free(v);
}

/* ---- first pass ---- */

static bool note(struct use **use, size_t *n, size_t *cap, uint64_t network, double value)
{
    if (!room(use, cap, *n + 1, sizeof **use))
        return false;
    (*use)[(*n)++] = (struct use){network, (float)value};
    return true;
}

static bool note_hours(struct score_survey *v, const struct scorer *s, const struct observation *o)
{
    if (!s->class)
        return true;
    if (!room(&v->hour, &v->hours_cap, v->hours + 1, sizeof *v->hour))
        return false;
    struct hours *h = &v->hour[v->hours++];
    *h = (struct hours){.class_id = class_id(s->class), .hosts = class_hosts(s->class)};
    for (unsigned i = 0; i < 24; i++)
        h->u[i] = (float)o->u[i];
    return true;
}

static double largest_excess(const struct observation *o)
{
    double u = o->u[23];
    for (unsigned h = 0; o->test == SCORE_HOUR_VOLUME && h < 24; h++)
        u = fmax(u, o->u[h]);
    return u;
}

static bool note_meetings(struct score_survey *v, const struct scorer *s)
{
    bool ok = true;
    for (size_t i = 0; i < s->destinations && ok; i++) {
        const struct destination *d = &s->destination[i];
        if (is_initiated(d) && !d->known && d->relation == RELATION_NEW && d->bytes >= ROLLOUT_BYTES)
            ok = note(&v->meeting, &v->meetings, &v->meetings_cap, d->network, lg_bytes(d->bytes));
    }
    return ok;
}

enum weir_err scorer_survey(struct scorer *s, struct score_survey *v, bool *above)
{
    bool over[SCORE_STATISTICAL_COUNT] = {false}, ok = note_meetings(v, s);
    *above = false;
    for (size_t i = 0; i < s->n && ok; i++) {
        const struct observation *o = &s->seen[i];
        if (o->test == SCORE_HOUR_VOLUME)
            ok = note_hours(v, s, o);
        if (o->test == SCORE_GROUP_VOLUME)
            ok = note(&v->use, &v->uses, &v->uses_cap, o->group, o->u[23]);
        over[o->test] |= largest_excess(o) > 0;
        *above |= over[o->test];
    }
    v->host_days += s->n > 0 || s->b->days > 0;
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++)
        v->above[t] += over[t];
    return ok ? WEIR_OK : WEIR_NOMEM;
}

/* ---- between the passes ---- */

static int by_class(const void *a, const void *b)
{
    uint64_t x = ((const struct hours *)a)->class_id, y = ((const struct hours *)b)->class_id;
    return (x > y) - (x < y);
}

static int by_use(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    if (x->network != y->network)
        return x->network < y->network ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Median of n ascending values in a population of `all`, the others being far below; never negative. */
static double median_of(const float *value, size_t n, size_t all)
{
    size_t middle = all / 2 + 1; /* from the top: as many as this are at or above the median */
    if (all < n)
        middle = n / 2 + 1;
    return n >= middle && value[n - middle] > 0 ? (double)value[n - middle] : 0;
}

static enum weir_err settle_class(struct score_survey *v, size_t first, size_t end, float *scratch)
{
    size_t n = end - first, all = v->hour[first].hosts > n ? v->hour[first].hosts : n;
    struct common *c = &v->class_hour[v->classes];
    *c = (struct common){.key = v->hour[first].class_id};
    if (all < COMMON_HOSTS)
        return WEIR_OK;
    for (unsigned h = 0; h < 24; h++) {
        for (size_t i = 0; i < n; i++)
            scratch[i] = v->hour[first + i].u[h];
        qsort(scratch, n, sizeof *scratch, ascending);
        c->value[h] = median_of(scratch, n, all);
    }
    v->classes++;
    return WEIR_OK;
}

static enum weir_err settle_hours(struct score_survey *v)
{
    if (!v->hours)
        return WEIR_OK;
    float *scratch = malloc(v->hours * sizeof *scratch);
    v->class_hour = malloc(v->hours * sizeof *v->class_hour);
    qsort(v->hour, v->hours, sizeof *v->hour, by_class);
    enum weir_err err = scratch && v->class_hour ? WEIR_OK : WEIR_NOMEM;
    for (size_t i = 0; i < v->hours && !err;) {
        size_t first = i;
        while (i < v->hours && v->hour[i].class_id == v->hour[first].class_id)
            i++;
        err = settle_class(v, first, i, scratch);
    }
    free(scratch);
    return err;
}

/* Each network once, with its median: of uses over all who know it, of meetings over those who met it. */
static size_t settle_uses(struct use *use, size_t n, size_t least, const struct class_state *fleet)
{
    size_t kept = 0;
    if (n)
        qsort(use, n, sizeof *use, by_use);
    for (size_t i = 0; i < n;) {
        size_t first = i;
        while (i < n && use[i].network == use[first].network)
            i++;
        size_t count = i - first, all = count;
        const struct class_group *known = fleet ? class_find(fleet, use[first].network) : NULL;
        if (known && known->hosts > all)
            all = known->hosts;
        if (all < least)
            continue;
        float median = fleet ? 0 : use[first + count / 2].value;
        if (fleet && count > all / 2)
            median = use[i - (all / 2 + 1)].value;
        use[kept++] = (struct use){use[first].network, median};
    }
    return kept;
}

enum weir_err score_survey_end(struct score_survey *v, const struct class_state *fleet, const struct score_calibration *calibration)
{
    enum weir_err err = settle_hours(v);
    v->uses = fleet ? settle_uses(v->use, v->uses, COMMON_USERS, fleet) : 0;
    v->meetings = settle_uses(v->meeting, v->meetings, ROLLOUT_HOSTS, NULL);
    for (unsigned t = 0; t < SCORE_STATISTICAL_COUNT; t++) {
        double expected = (double)v->host_days * (score_rate(calibration, (enum score_test)t, 0, 1e-9) + score_rate(calibration, (enum score_test)t, 1, 1e-9));
        double allowed = expected + 3 * sqrt(expected) + 3;
        v->shock[t] = (double)v->above[t] > allowed ? pow((double)v->above[t] / allowed, v->m->shock_power) : 1;
    }
    return err;
}

/* ---- second pass ---- */

static const struct use *find_use(const struct use *use, size_t n, uint64_t network)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (use[mid].network < network)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && use[low].network == network ? &use[low] : NULL;
}

double survey_common_hour(const struct score_survey *v, const struct class_state *class, unsigned hour)
{
    size_t low = 0, high = class ? v->classes : 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v->class_hour[mid].key < class_id(class))
            low = mid + 1;
        else
            high = mid;
    }
    return low < v->classes && class && v->class_hour[low].key == class_id(class) ? v->class_hour[low].value[hour] : 0;
}

double survey_common_group(const struct score_survey *v, uint64_t network)
{
    const struct use *u = find_use(v->use, v->uses, network);
    return u && u->value > 0 ? (double)u->value : 0;
}

double survey_shock(const struct score_survey *v, enum score_test test) { return v->shock[test]; }

bool survey_rollout(const struct score_survey *v, uint64_t network, uint64_t bytes)
{
    const struct use *u = find_use(v->meeting, v->meetings, network);
    return u && lg_bytes(bytes) - (double)u->value <= ROLLOUT_OCTAVES;
}
