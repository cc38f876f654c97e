/* What a detector may look at, of one host-day: bytes by destination group and by hour, against what the host and the fleet knew before.
 * The oracle's features are taken from the connections themselves, so no log, no reader and no attribution stand between it and the truth.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen_oracle.h"

#include <stdlib.h>
#include <string.h>

/* ---- a map from keys to what is known of them ---- */

struct known *known_find(struct known_map *m, uint64_t key, bool add)
{
    if (add && m->n * 2 >= m->cap) {
        struct known_map old = *m;
        m->cap = old.cap ? old.cap * 2 : 256;
        m->n = 0;
        m->at = need(calloc(m->cap, sizeof *m->at));
        for (size_t i = 0; i < old.cap; i++)
            if (old.at[i].key) *known_find(m, old.at[i].key, true) = old.at[i];
        free(old.at);
    }
    for (size_t i = m->cap ? key & (m->cap - 1) : 0; m->cap; i = (i + 1) & (m->cap - 1)) {
        if (m->at[i].key == key) return &m->at[i];
        if (m->at[i].key) continue;
        if (!add) return NULL;
        m->n++;
        m->at[i] = (struct known){.key = key};
        return &m->at[i];
    }
    return NULL;
}

void known_clear(struct known_map *m)
{
    if (m->cap) memset(m->at, 0, m->cap * sizeof *m->at);
    m->n = 0;
}

/* ---- groups of a day ---- */

static enum service service_of(uint8_t protocol, uint16_t port)
{
    if (protocol == 1) return SERVICE_ODD;
    switch (port) {
    case 80: case 443: case 8443: case 22: case 3389: return SERVICE_USUAL;
    case 123: return SERVICE_TIME;
    default: return SERVICE_ODD;
    }
}

static uint64_t group_key(const struct session *s, struct tally *t)
{
    uint64_t network = s->v6 ? s->peer.hi >> (s->served ? 16 : 32) : s->peer.lo >> (s->served ? 8 : 16);
    t->kind = s->peer_host != NOBODY ? GROUP_INSIDE : s->served ? GROUP_CLIENT : GROUP_OUTSIDE;
    t->service = (uint8_t)(t->kind == GROUP_OUTSIDE ? service_of(s->protocol, s->peer_port) : SERVICE_USUAL);
    if (t->kind == GROUP_INSIDE) network = s->peer_host;
    uint64_t port = t->kind == GROUP_OUTSIDE && t->service == SERVICE_ODD ? s->protocol * 65536u + s->peer_port : t->service;
    return hash4(t->kind, port, network, s->v6) | 1;
}

static void tally_add(struct tallies *all, const struct session *s)
{
    struct tally t = {0}, *into = NULL;
    t.key = group_key(s, &t);
    for (size_t i = 0; i < all->n && !into; i++)
        if (all->at[i].key == t.key) into = &all->at[i];
    if (!into && all->n == TALLIES) return;
    if (!into) into = &all->at[all->n++], *into = t;
    into->bytes += (double)s->bytes[0];
    uint32_t first = (uint32_t)(s->start % DAY_S / 3600), last = (uint32_t)((s->start % DAY_S + s->duration) / 3600);
    if (last > 23) last = 23;
    for (uint32_t h = first; h <= last; h++) {
        into->hours |= 1u << h;
        if (t.kind != GROUP_INSIDE) all->hour[h] += (double)s->bytes[0] / (last - first + 1);
    }
}

/* Adds the connections that the host has on that day; the rest of the list is passed over. */
void tallies_add(struct tallies *all, const struct session *list, size_t n, uint32_t host, int64_t day, int32_t episode)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].host == host && list[i].start / DAY_S == day && !list[i].reject && list[i].episode == episode) tally_add(all, &list[i]);
}

/* ---- what the host knew ---- */

void known_learn(struct known_map *m, const struct tallies *day, int64_t when)
{
    for (size_t i = 0; i < day->n; i++) {
        struct known *k = known_find(m, day->at[i].key, true);
        if (!k->days) k->first = when;
        k->days++;
        k->bytes += day->at[i].bytes;
    }
}

static bool is_familiar(const struct known *k, int64_t day)
{
    return k && (k->days >= 5 || (k->days >= 2 && day - k->first >= 10));
}

/* Three hosts knew it the day before. */
static bool is_shared(const struct known_map *fleet, uint64_t key, int64_t day)
{
    const struct known *k = known_find((struct known_map *)fleet, key, false);
    return k && k->days >= 3 && k->first < day;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* The fourth largest amount to new groups: what a split transfer raises. */
static void fourth_add(double top[4], double bytes)
{
    for (int i = 0; i < 4; i++)
        if (bytes > top[i]) {
            double swap = top[i];
            top[i] = bytes;
            bytes = swap;
        }
}

static void outside_features(const struct tally *t, const struct known *k, bool shared, int64_t day, double f[FEATURES], double top[4])
{
    double hours = (double)__builtin_popcount(t->hours);
    f[F_DAY] += t->bytes;
    if (is_familiar(k, day)) return;
    if (shared) f[F_NEW_SHARED] += t->bytes;
    else if (t->service == SERVICE_USUAL) f[F_NEW] += t->bytes;
    if (t->service == SERVICE_ODD) f[F_ODD] += t->bytes;
    if (shared) return;
    fourth_add(top, t->bytes);
    f[F_HOURS] = larger(f[F_HOURS], hours * 65536);
}

void features_of(const struct tallies *all, const struct known_map *host, const struct known_map *fleet, const uint64_t groups[GROUP_SLOTS], int64_t day,
                 double f[FEATURES])
{
    double top[4] = {0};
    memset(f, 0, FEATURES * sizeof *f);
    for (int h = 0; h < 24; h++) f[F_HOUR + h] = all->hour[h], f[F_HOUR_MAX] = larger(f[F_HOUR_MAX], all->hour[h]);
    for (size_t i = 0; i < all->n; i++) {
        const struct tally *t = &all->at[i];
        const struct known *k = known_find((struct known_map *)host, t->key, false);
        bool shared = is_shared(fleet, t->key, day);
        if (t->kind == GROUP_OUTSIDE) outside_features(t, k, shared, day, f, top);
        if (t->kind == GROUP_CLIENT) {
            int which = is_familiar(k, day) ? F_CLIENT : F_CLIENT_NEW;
            f[which] = larger(f[which], t->bytes);
        }
        if (t->kind == GROUP_INSIDE) {
            int which = is_familiar(k, day) ? F_INSIDE : F_INSIDE_NEW;
            f[which] = larger(f[which], t->bytes);
        }
        if (t->kind == GROUP_OUTSIDE && !shared && (!k || day - k->first <= 30)) f[F_SLOW] = larger(f[F_SLOW], t->bytes + (k ? k->bytes : 0));
        for (int g = 0; g < GROUP_SLOTS; g++)
            if (groups[g] == t->key) f[F_GROUP + g] = t->bytes;
    }
    f[F_SPLIT] = top[3];
    for (int i = 0; i < FEATURES; i++) f[i] = log_2(1 + f[i] / 65536);
}

/* The groups outside that the host has used on most days. */
void groups_pick(const struct known_map *host, int64_t day, uint64_t groups[GROUP_SLOTS])
{
    uint32_t days[GROUP_SLOTS] = {0};
    memset(groups, 0, GROUP_SLOTS * sizeof *groups);
    for (size_t i = 0; i < host->cap; i++) {
        struct known k = host->at[i];
        if (!k.key || !is_familiar(&k, day)) continue;
        for (int g = 0; g < GROUP_SLOTS; g++) {
            if (k.days < days[g] || (k.days == days[g] && k.key < groups[g])) continue;
            uint64_t key = groups[g];
            uint32_t had = days[g];
            groups[g] = k.key, days[g] = k.days;
            k.key = key, k.days = had;
        }
    }
}
