/* SPDX-License-Identifier: Apache-2.0 */
/* What a class of hosts knows together: which networks, how much to each, how its hosts exceed their references. During a day
 * it is frozen; what a closing day teaches commutes, and is made good by class_close. */
#include "baseline/class.h"

#include <stdlib.h>
#include <string.h>

#define SHARED_HOSTS 3
#define SHARED_HOSTS_SMALL 2
#define SMALL_CLASS 8
#define DECAY_DAYS 4 /* the reference of a group sinks by 1/8 octave in so many days */

struct class_state *class_new(uint64_t class_id)
{
    struct class_state *c = calloc(1, sizeof *c);
    if (c)
        c->id = class_id;
    return c;
}

void class_free(struct class_state *c)
{
    if (!c)
        return;
    for (unsigned d = 0; d < CALIBRATION_DAYS; d++)
        for (unsigned t = 0; t < BASELINE_HISTORIES; t++)
            free(c->calendar[d].test[t].excess);
    free(c->group);
    free(c->change);
    free(c);
}

uint64_t class_id(const struct class_state *c) { return c->id; }
uint32_t class_hosts(const struct class_state *c) { return c->hosts; }
uint16_t class_days(const struct class_state *c) { return c->days; }
uint16_t class_last_day(const struct class_state *c) { return c->last_day; }
uint8_t class_quartile(const struct class_state *c, enum baseline_feature f) { return c->quartile[f]; }

/* ---- groups ---- */

static struct class_group *find(const struct class_state *c, uint64_t group)
{
    size_t low = 0, high = c->groups;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (c->group[mid].group < group)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->groups && c->group[low].group == group ? &c->group[low] : NULL;
}

const struct class_group *class_find(const struct class_state *c, uint64_t group) { return find(c, group); }

bool class_shares(const struct class_state *c, uint64_t group)
{
    const struct class_group *g = find(c, group);
    return g && g->hosts >= (c->hosts < SMALL_CLASS ? SHARED_HOSTS_SMALL : SHARED_HOSTS);
}

void class_note_amount(struct class_state *c, uint64_t group, uint8_t eighths)
{
    struct class_group *g = find(c, group);
    if (!g || eighths <= g->top[1])
        return;
    g->top[1] = eighths > g->top[0] ? g->top[0] : eighths;
    g->top[0] = eighths > g->top[0] ? eighths : g->top[0];
}

static void close_group(struct class_group *g, uint16_t day)
{
    unsigned sunk = g->last_day ? (unsigned)(day - g->last_day) / DECAY_DAYS : 0;
    unsigned kept = g->reference > sunk ? g->reference - sunk : 0;
    if (g->top[1] >= kept) {
        g->reference = g->top[1];
        g->last_day = day;
    }
    g->top[0] = g->top[1] = 0;
}

static int by_group(const void *a, const void *b)
{
    uint64_t x = ((const struct class_change *)a)->group, y = ((const struct class_change *)b)->group;
    return (x > y) - (x < y);
}

/* Each group once, with the sum of its changes. */
static void add_changes(struct class_state *c)
{
    size_t kept = 0;
    if (c->changes)
        qsort(c->change, c->changes, sizeof *c->change, by_group);
    for (size_t i = 0; i < c->changes; i++) {
        if (kept && c->change[kept - 1].group == c->change[i].group)
            c->change[kept - 1].hosts += c->change[i].hosts;
        else
            c->change[kept++] = c->change[i];
    }
    c->changes = kept;
}

/* Most changes of a day speak of the same groups: they are summed before more room is taken. */
static bool changes_room(struct class_state *c)
{
    add_changes(c);
    if (c->changes < c->changes_cap - c->changes_cap / 4)
        return true;
    size_t cap = c->changes_cap ? c->changes_cap * 2 : 64;
    struct class_change *p = realloc(c->change, cap * sizeof *p);
    if (!p)
        return false;
    c->change = p;
    c->changes_cap = cap;
    return true;
}

enum weir_err class_change(struct class_state *c, uint64_t group, int hosts)
{
    if (c->changes == c->changes_cap && !changes_room(c))
        return WEIR_NOMEM;
    c->change[c->changes++] = (struct class_change){group, hosts};
    return WEIR_OK;
}

static uint32_t changed(uint32_t hosts, int64_t by)
{
    int64_t sum = (int64_t)hosts + by;
    return sum < 0 ? 0 : sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* Old groups and changes, both ascending, into one list; a group that nobody knows any more goes. */
static size_t merge_changes(struct class_state *c, struct class_group *out)
{
    size_t n = 0, i = 0, k = 0;
    while (i < c->groups || k < c->changes) {
        struct class_group g;
        bool old = k == c->changes || (i < c->groups && c->group[i].group <= c->change[k].group);
        bool both = old && k < c->changes && c->group[i].group == c->change[k].group;
        g = old ? c->group[i++] : (struct class_group){.group = c->change[k].group};
        if (!old || both)
            g.hosts = changed(g.hosts, c->change[k++].hosts);
        if (g.hosts)
            out[n++] = g;
    }
    return n;
}

/* Groups that so few hosts know stay by a hash that is always the same, fewer and fewer until there is room. */
static void sample_groups(struct class_state *c, uint64_t few)
{
    for (unsigned level = 1; c->groups > CLASS_GROUPS_MAX && level < 64; level++) {
        size_t kept = 0;
        for (size_t i = 0; i < c->groups; i++)
            if (c->group[i].hosts > few || stable_mix(c->group[i].group) >> (64 - level) == 0)
                c->group[kept++] = c->group[i];
        c->full += c->groups - kept;
        c->groups = kept;
    }
}

/* Beyond the limit go first those that one host knows, then two, four ... */
static void limit_groups(struct class_state *c)
{
    for (uint64_t few = 1; c->groups > CLASS_GROUPS_MAX && few <= UINT32_MAX; few *= 2)
        sample_groups(c, few);
}

static enum weir_err close_groups(struct class_state *c, uint16_t day)
{
    add_changes(c);
    struct class_group *out = malloc((c->groups + c->changes + 1) * sizeof *out);
    if (!out)
        return WEIR_NOMEM;
    c->cap = c->groups + c->changes + 1;
    c->groups = merge_changes(c, out);
    free(c->group);
    c->group = out;
    c->changes = 0;
    limit_groups(c);
    for (size_t i = 0; i < c->groups; i++)
        close_group(&c->group[i], day);
    return WEIR_OK;
}

/* ---- hosts ---- */

void class_note_host(struct class_state *c, const uint8_t reference[FEATURE_COUNT])
{
    c->learned++;
    for (unsigned f = 0; reference && f < FEATURE_COUNT; f++)
        c->spread[f][reference[f]]++;
}

static uint8_t quartile_of(const uint32_t spread[256], uint8_t before)
{
    uint64_t all = 0, seen = 0;
    for (unsigned v = 0; v < 256; v++)
        all += spread[v];
    for (unsigned v = 0; all && v < 256; v++)
        if ((seen += spread[v]) * 4 >= all * 3)
            return (uint8_t)v;
    return before;
}

enum weir_err class_close(struct class_state *c, uint16_t day)
{
    enum weir_err err = close_groups(c, day);
    if (err || !c->learned)
        return err;
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        c->quartile[f] = quartile_of(c->spread[f], c->quartile[f]);
    memset(c->spread, 0, sizeof c->spread);
    c->hosts = c->learned;
    c->learned = 0;
    c->days = c->days == UINT16_MAX ? UINT16_MAX : (uint16_t)(c->days + 1);
    c->last_day = day;
    return WEIR_OK;
}

/* ---- calibration ---- */

static struct class_day *day_of(struct class_state *c, unsigned test, uint16_t day)
{
    struct class_calendar *at = &c->calendar[day % CALIBRATION_DAYS];
    if (at->day != day) {
        if (at->day > day)
            return NULL;
        for (unsigned t = 0; t < BASELINE_HISTORIES; t++) {
            free(at->test[t].excess);
            at->test[t] = (struct class_day){0};
        }
        at->day = day;
    }
    return &at->test[test];
}

static enum weir_err add_excess(struct class_day *d, uint8_t excess)
{
    d->above++;
    if (d->n == CALIBRATION_KEPT && excess <= d->excess[d->n - 1])
        return WEIR_OK;
    if (d->n == d->cap) {
        uint16_t cap = d->cap ? (uint16_t)(d->cap * 2) : 8;
        uint8_t *p = realloc(d->excess, cap + 1u);
        if (!p)
            return WEIR_NOMEM;
        d->excess = p;
        d->cap = cap;
    }
    unsigned at = d->n;
    while (at > 0 && d->excess[at - 1] < excess)
        at--;
    memmove(&d->excess[at + 1], &d->excess[at], d->n - at);
    d->excess[at] = excess;
    d->n = (uint16_t)(d->n + (d->n < CALIBRATION_KEPT));
    return WEIR_OK;
}

static void drop_excess(struct class_day *d, uint8_t excess)
{
    d->above -= d->above > 0;
    for (unsigned i = 0; i < d->n; i++)
        if (d->excess[i] == excess) {
            memmove(&d->excess[i], &d->excess[i + 1], d->n - i - 1u);
            d->n--;
            return;
        }
}

enum weir_err class_note_excess(struct class_state *c, unsigned test, uint16_t day, uint8_t excess, struct baseline_run replaced)
{
    struct class_day *d = day_of(c, test, day);
    if (!d)
        return WEIR_OK;
    d->host_days++;
    if (!excess)
        return WEIR_OK;
    struct class_calendar *old = &c->calendar[replaced.day % CALIBRATION_DAYS];
    if (replaced.day && old->day == replaced.day)
        drop_excess(&old->test[test], replaced.excess);
    return add_excess(d, excess);
}

static int descending(const void *a, const void *b) { return (int)*(const uint8_t *)b - (int)*(const uint8_t *)a; }

enum weir_err class_history(const struct class_state *c, unsigned test, uint16_t day, struct class_history *out)
{
    size_t n = 0;
    *out = (struct class_history){0};
    for (unsigned i = 0; i < CALIBRATION_DAYS; i++)
        n += c->calendar[i].test[test].n;
    if (!(out->excess = malloc(n + 1)))
        return WEIR_NOMEM;
    for (unsigned i = 0; i < CALIBRATION_DAYS; i++) {
        const struct class_day *d = &c->calendar[i].test[test];
        if (c->calendar[i].day >= day || c->calendar[i].day + CALIBRATION_DAYS < day)
            continue;
        out->host_days += d->host_days;
        out->above += d->above;
        if (d->n)
            memcpy(out->excess + out->n, d->excess, d->n);
        out->n += d->n;
    }
    qsort(out->excess, out->n, 1, descending);
    return WEIR_OK;
}
