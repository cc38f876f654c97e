/* SPDX-License-Identifier: Apache-2.0 */
/* Learning: one closed day into the baseline of its host. */
#include "weir/baseline.h"

#include <string.h>

#define FAMILIAR_DAYS 5
#define FAMILIAR_DAYS_SHORT 2
#define FAMILIAR_AGE 10
#define INITIAL_DAYS 5
#define LEARN_MIN_BYTES 65536 /* groups that others open (scanners, clients) are kept only from here */

void baseline_init(struct baseline *b, uint64_t host_id, struct ip host)
{
    memset(b, 0, sizeof *b);
    b->host_id = host_id;
    b->host = host;
}

/* Where the group stands or would stand. */
static size_t group_place(const struct baseline *b, uint64_t group)
{
    size_t low = 0, high = b->groups;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (b->group[mid].group < group)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct baseline_group *baseline_find(const struct baseline *b, uint64_t group)
{
    size_t at = group_place(b, group);
    return at < b->groups && b->group[at].group == group ? &b->group[at] : NULL;
}

bool baseline_familiar(const struct baseline *b, uint64_t group, uint16_t today)
{
    const struct baseline_group *g = baseline_find(b, group);
    if (!g)
        return false;
    if (g->days >= FAMILIAR_DAYS || g->first_day < b->first_day + INITIAL_DAYS)
        return true;
    return g->days >= FAMILIAR_DAYS_SHORT && today - g->first_day >= FAMILIAR_AGE;
}

/* group is ascending */
static bool listed(uint64_t wanted, const uint64_t *group, size_t n)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (group[mid] < wanted)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && group[low] == wanted;
}

static bool worth_learning(const struct host_group *g)
{
    enum group_kind kind = group_kind(g->group);
    if (g->bytes_out == 0 || kind >= GROUP_REST)
        return false;
    return kind == GROUP_INITIATED || g->bytes_out >= LEARN_MIN_BYTES;
}

/* Who goes when the table is full: the one unseen longest; among equals the one whose last day was smallest, then the
 * smallest key, so that the choice is a function of what is known and not of the order. */
static bool goes_before(const struct baseline_group *a, const struct baseline_group *b)
{
    if (a->last_day != b->last_day)
        return a->last_day < b->last_day;
    uint8_t x = a->ring.v[a->ring.n - 1], y = b->ring.v[b->ring.n - 1];
    return x != y ? x < y : a->group < b->group;
}

static size_t victim(const struct baseline *b)
{
    size_t worst = 0;
    for (size_t i = 1; i < b->groups; i++)
        if (goes_before(&b->group[i], &b->group[worst]))
            worst = i;
    return worst;
}

static void group_insert(struct baseline *b, const struct host_group *g, uint16_t today)
{
    struct baseline_group fresh = {.group = g->group, .first_day = today, .last_day = today, .days = 1};
    ring_push(&fresh.ring, lg_round(g->bytes_out));
    if (b->groups == BASELINE_GROUPS) {
        size_t out = victim(b);
        b->evicted = sat_add32(b->evicted, 1);
        if (goes_before(&fresh, &b->group[out]))
            return;
        memmove(&b->group[out], &b->group[out + 1], (b->groups - out - 1) * sizeof *b->group);
        b->groups--;
    }
    size_t at = group_place(b, g->group);
    memmove(&b->group[at + 1], &b->group[at], (b->groups - at) * sizeof *b->group);
    b->group[at] = fresh;
    b->groups++;
}

/* A day with holes must not teach a low value. */
static void learn_value(struct ring *r, uint64_t bytes, bool gaps)
{
    uint8_t v = lg_round(bytes);
    if (!gaps || v >= ring_rank(r, r->n / 2))
        ring_push(r, v);
}

static void group_update(struct baseline_group *known, const struct host_group *g, uint16_t today, bool gaps)
{
    known->last_day = today;
    known->days = known->days == UINT16_MAX ? UINT16_MAX : (uint16_t)(known->days + 1);
    learn_value(&known->ring, g->bytes_out, gaps);
}

/* Known groups first: a new one must not push out a group that was seen today as well. */
static void learn_groups(struct baseline *b, const struct host_day *d, uint16_t today, const uint64_t *flagged, size_t flagged_n)
{
    uint64_t known[BASELINE_GROUPS];
    size_t known_n = b->groups;
    for (size_t i = 0; i < known_n; i++)
        known[i] = b->group[i].group;
    for (unsigned fresh = 0; fresh < 2; fresh++)
        for (size_t i = 0; i < d->groups; i++) {
            const struct host_group *g = &d->group[i];
            if (!worth_learning(g) || listed(g->group, flagged, flagged_n) || listed(g->group, known, known_n) == fresh)
                continue;
            if (fresh)
                group_insert(b, g, today);
            else
                group_update(&b->group[group_place(b, g->group)], g, today, d->gap_hours != 0);
        }
}

static void learn_features(struct baseline *b, const struct host_day *d, uint16_t today)
{
    uint64_t hour_max = 0, fresh = 0, served = 0;
    for (unsigned h = 0; h < 24; h++)
        hour_max = d->hour_out[h] > hour_max ? d->hour_out[h] : hour_max;
    for (size_t i = 0; i < d->groups; i++) {
        const struct host_group *g = &d->group[i];
        enum group_kind kind = group_kind(g->group);
        if (kind == GROUP_INITIATED && !baseline_familiar(b, g->group, today))
            fresh = sat_add(fresh, g->bytes_out);
        if ((kind == GROUP_SERVED || kind == GROUP_UNKNOWN) && g->bytes_out > served)
            served = g->bytes_out;
    }
    bool gaps = d->gap_hours != 0;
    learn_value(&b->feature[FEATURE_HOUR_MAX], hour_max, gaps);
    learn_value(&b->feature[FEATURE_DAY_EXTERNAL], d->external_out, gaps);
    if (b->days) /* on the first day everything is new: that teaches nothing */
        learn_value(&b->feature[FEATURE_NEW_DESTINATION], fresh, gaps);
    learn_value(&b->feature[FEATURE_SERVED_MAX], served, gaps);
}

void baseline_learn(struct baseline *b, const struct host_day *d, const uint64_t *flagged, size_t flagged_n, bool whole)
{
    uint16_t today = (uint16_t)(d->day_s / DAY_S);
    if (b->days && today <= b->last_day)
        return;
    if (!b->days)
        b->first_day = today;
    if (!whole)
        learn_features(b, d, today);
    b->last_day = today;
    b->days = b->days == UINT16_MAX ? UINT16_MAX : (uint16_t)(b->days + 1);
    learn_groups(b, d, today, flagged, flagged_n);
}
