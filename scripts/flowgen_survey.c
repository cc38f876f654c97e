/* Shape evaluation: exfiltrations of each kind, each on a host of its own, in sizes from hidden to obvious. Sizes are drawn evenly on a log
 * scale, and so are durations. Attackers sit anywhere in the Internet, one in five in a cloud that others use as well.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "flowgen_plan.h"

#define QUIET_DAYS 28 /* nothing happens before: baselines need a past */

/* Sizes: in bytes, or, of traffic that the host has anyway, in multiples of its usual day. */
static const struct range {
    const char *kind;
    double least, most;
    bool of_usual;
    unsigned roles; /* the host's may be these; 0: any */
} ranges[] = {
    {"bulk-new", 2e6, 8e9, false, 0},
    {"bulk-known-provider", 0.25, 32, true, 1u << ROLE_DB | 1u << ROLE_BATCH},
    {"slow", 1e7, 2e10, false, 0},
    {"split", 1e7, 2e10, false, 0},
    {"at-peak", 2e6, 8e9, false, 0},
    {"at-night", 2e6, 8e9, false, 0},
    {"dns", 2e5, 8e8, false, 0},
    {"icmp", 2e5, 8e8, false, 0},
    {"served", 0.25, 32, true, 1u << ROLE_WEB},
    {"staged", 1e7, 2e10, false, 1u << ROLE_DB | 1u << ROLE_BATCH},
    {"first-day", 1e7, 2e10, false, 0},
    {"beacon", 2e5, 8e8, false, 0},
    {"trickle", 1e7, 2e10, false, 0},
    {"in-backup-window", 2e6, 8e9, false, 1u << ROLE_DB | 1u << ROLE_BATCH},
};

static double log_uniform(uint64_t hash, double least, double most)
{
    return least * pow2(unit_of(hash) * log_2(most / least));
}

/* A host that lives all the time (or, for a first day, is yet to be born), fits, and has no attack yet. */
static uint32_t host_draw(const struct world *w, const struct range *r, bool newborn, const bool *used, uint64_t hash)
{
    for (uint64_t i = 0; i < 100000; i++) {
        uint32_t id = (uint32_t)(hash4(hash, i, 0, 0) % w->cfg.hosts);
        const struct host *h = &w->hosts[id];
        if (used[id] || h->reserved != newborn || (r->roles && !(r->roles >> h->role & 1))) continue;
        if (newborn || (h->birth == w->cfg.start && h->death == w->end)) return id;
    }
    return NOBODY;
}

/* When, how long, how much. Where the size follows what the host sends anyway, that is the result; else 0. */
static uint64_t size_draw(struct plan *p, const struct range *r)
{
    static const char *const at_their_hour[] = {"at-peak", "at-night", "in-backup-window"};
    const struct kind *k = p->kind;
    bool fixed = false;
    for (int i = 0; i < 3; i++) fixed |= !strcmp(k->name, at_their_hour[i]);
    p->at = fixed ? (int64_t)(k->hour * 3600) + (int64_t)(hash4(p->key, 12, 0, 0) % 3600) : (int64_t)(hash4(p->key, 12, 0, 0) % (19 * 3600));
    if (k->days > 1) p->days = 2 + (int64_t)(hash4(p->key, 13, 0, 0) % (k->days * 2 - 2));
    if (k->minutes) p->seconds = (int64_t)(log_uniform(hash4(p->key, 14, 0, 0), 0.4, 2.5) * k->minutes * 60);
    if (p->days > 1 && p->at + p->seconds > DAY_S) p->at = DAY_S - p->seconds;
    int64_t room = (int64_t)p->w->cfg.days - QUIET_DAYS - p->days;
    if (room < 1) fatal("--survey needs more than %d days", QUIET_DAYS + 10);
    p->day = p->w->cfg.start / DAY_S + QUIET_DAYS + (int64_t)(hash4(p->key, 15, 0, 0) % (uint64_t)room);
    p->bytes = (uint64_t)log_uniform(hash4(p->key, 16, 0, 0), r->least, r->most);
    if (!r->of_usual) return 0;
    double usual = usual_day(p->w, p->host, p->day, !strcmp(r->kind, "served"));
    if (usual < 1e6) usual = 1e6;
    p->bytes = (uint64_t)(usual * log_uniform(hash4(p->key, 16, 0, 0), r->least, r->most));
    return (uint64_t)usual;
}

/* A host with both families may be robbed by either. */
static struct addr peer_draw(const struct plan *p, uint64_t hash)
{
    uint64_t x = hash4(hash, 18, 0, 0);
    if (strcmp(p->kind->name, "staged") != 0 && p->w->hosts[p->host].v6.hi && hash4(hash, 19, 0, 0) & 1) return (struct addr){0x2a00000000000000u | x >> 8, x};
    if (hash4(hash, 17, 0, 0) % 5) return addr_public(x);
    return provider_addr(28 + (uint32_t)(hash >> 40) % 4, p->day, (uint32_t)(hash >> 8 | 1), false);
}

static void survey_one(struct world *w, const struct kind *k, const struct range *r, bool *used, uint64_t hash)
{
    struct plan p;
    plan_start(&p, w, k, hash);
    p.host = host_draw(w, r, !strcmp(k->name, "first-day"), used, hash4(hash, 11, 0, 0));
    if (p.host == NOBODY) fatal("no host is left for another attack of kind %s", k->name);
    used[p.host] = true;
    uint64_t usual = size_draw(&p, r);
    p.peer = peer_draw(&p, hash);
    plan_lay(&p);
    w->episodes[w->nepisodes - 1].usual = usual;
}

void survey_plan(struct world *w)
{
    bool *used = need(calloc(w->cfg.hosts, sizeof *used));
    for (uint32_t i = 0; i < w->cfg.hosts && w->cfg.survey; i++)
        if (w->hosts[i].reserved && w->cfg.attacks_only) w->hosts[i].death = w->end;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        for (uint32_t k = 0; k < nkinds; k++)
            for (uint32_t n = 0; n < w->cfg.survey && !strcmp(kinds[k].name, ranges[i].kind); n++)
                survey_one(w, &kinds[k], &ranges[i], used, hash4(w->cfg.seed, 'V', i * 64 + n, w->cfg.variant));
    free(used);
}
