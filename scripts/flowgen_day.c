/* Shape evaluation: everyday life a host-day at a time, in few records. What the connections of a habit in some hours come to is told as
 * one connection for each of a few peers, so volumes, tails, peers, ports and openers are those of many connections and logs stay small.
 * Life is harder to judge than in shape normal: weekly and monthly jobs, errands to new places, services that a host begins to use,
 * patch days, campaigns, level shifts, hosts that change role. Worlds differ: their temper is drawn from the seed.
 *
 * Everything that chance does on a day is drawn from luck(day). Another luck for one day gives another day of the same host with the same
 * habits and the same past: what an oracle needs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "flowgen_habit.h"

#define MB 1e6
#define BUCKETS 6 /* peers of a habit in a slot */
#define SERVICES 24 /* common services of a world, which one host after the other begins to use */

static uint64_t luck(const struct world *w, int64_t day)
{
    return day == w->redrawn_day ? w->luck : w->cfg.seed;
}

/* Does something happen on this day that happens on so many of a thousand days? */
static bool happens(const struct world *w, int64_t day, uint64_t what, uint64_t who, double per_mille)
{
    return unit_of(hash4(luck(w, day), what, who, (uint64_t)day)) * 1000 < per_mille;
}

static double between(uint64_t hash, double low, double high)
{
    return low + (high - low) * unit_of(hash);
}

void temper_draw(struct world *w)
{
    uint64_t x = hash4(w->cfg.seed, 'T', 0, 0);
    w->temper = (struct temper){
        .tail = between(hash4(x, 1, 0, 0), 1.0, 1.8),
        .tail_fold = between(hash4(x, 2, 0, 0), 30, 100),
        .day_octaves = between(hash4(x, 3, 0, 0), 0.15, 0.5),
        .backup_octaves = between(hash4(x, 4, 0, 0), 0.08, 0.35),
        .errands = between(hash4(x, 5, 0, 0), 1, 6),
        .services = between(hash4(x, 6, 0, 0), 3, 10),
        .shifts = between(hash4(x, 7, 0, 0), 0.2, 1.2),
        .campaigns = between(hash4(x, 8, 0, 0), 5, 25),
        .changes = between(hash4(x, 9, 0, 0), 0.02, 0.15),
        .weekly = between(hash4(x, 10, 0, 0), 0.1, 0.4),
        .monthly = between(hash4(x, 11, 0, 0), 0.05, 0.25),
    };
}

/* One host on one day. */
struct life {
    const struct world *w;
    struct session_list *out;
    uint32_t host;
    int64_t day;
    enum role role;
    double busy;   /* multiplies the number of connections */
    double volume; /* multiplies what each sends */
    bool month_end;
};

static uint64_t own(const struct life *l, uint64_t what)
{
    return hash4(l->w->cfg.seed, what, l->host, 0);
}

static uint64_t today(const struct life *l, uint64_t what)
{
    return hash4(luck(l->w, l->day), what, l->host, (uint64_t)l->day);
}

/* Some days are busier than others, and the next day still is. */
static double day_octaves(const struct world *w, uint32_t host, int64_t day)
{
    uint64_t here = hash4(luck(w, day), 'd', host, (uint64_t)day), before = hash4(luck(w, day - 1), 'd', host, (uint64_t)day - 1);
    double own_spread = 0.5 + unit_of(hash4(w->cfg.seed, 'd', host, 1));
    return w->temper.day_octaves * own_spread * (0.85 * normal_of(here) + 0.5 * normal_of(before));
}

static struct life life_of(const struct world *w, uint32_t host, int64_t day, struct session_list *out)
{
    struct life l = {.w = w, .out = out, .host = host, .day = day, .role = (enum role)w->hosts[host].role, .month_end = month_end(day * DAY_S)};
    double trend = 0.012 * normal_of(hash4(w->cfg.seed, 'g', host, 0)), level = 0;
    for (int64_t d = w->cfg.start / DAY_S + 1; d <= day; d++) {
        uint64_t x = hash4(luck(w, d), 'L', host, (uint64_t)d);
        if (happens(w, d, 's', host, w->temper.shifts)) level += 0.4 + 0.8 * normal_of(x);
        if (happens(w, d, 'r', host, w->temper.changes)) l.role = (enum role)(x % ROLES);
    }
    bool campaign = happens(w, day, 'C', ROLES + (uint64_t)l.role, w->temper.campaigns);
    double octaves = day_octaves(w, host, day) + level + trend * (double)(day - w->cfg.start / DAY_S);
    if (campaign) octaves += between(hash4(w->cfg.seed, 'C', (uint64_t)l.role, (uint64_t)day), 0.7, 2);
    l.busy = w->cfg.intensity * (double)w->hosts[host].factor * pow2(octaves);
    l.volume = pow2(0.5 * level);
    return l;
}

static void tell(struct life *l, struct session s)
{
    const struct host *h = &l->w->hosts[l->host];
    if (s.start < h->birth || s.start >= h->death || s.start >= l->w->end) return;
    session_push(l->out, s);
}

static void call(struct life *l, struct addr peer, uint16_t port, int64_t at, double out, double in, uint64_t hash)
{
    if (out < 260) out = 260;
    if (in < 260) in = 260;
    uint32_t seconds = out > 500 * MB ? (uint32_t)(out / 4e6) : 20 + (uint32_t)(hash >> 32) % 80;
    tell(l, session_make(l->w, l->host, peer, port, 6, at, seconds > 14400 ? 14400 : seconds, (uint64_t)out, (uint64_t)in, hash));
}

/* ---- habits ---- */

struct bucket {
    struct addr peer;
    uint32_t peer_host;
    double out, in;
};

/* Habits that move little, or inside only, need no hours. */
static uint32_t slot_hours(const struct habit *h)
{
    double day = h->per_day * h->out;
    if (h->place == TO_NOVEL) return 24;
    if (h->place == TO_ROLE || h->place == TO_ANY_HOST || h->place >= FROM_SCANNER) return 6;
    return day < 1 * MB ? 12 : day < 20 * MB ? 3 : 1;
}

/* Clients come through a few networks of delivery services; who fetches much comes in person. */
static bool bucket_place(const struct life *l, const struct habit *h, int64_t at, double volume, struct rng *r, struct bucket *b)
{
    if (h->place == FROM_CLIENT && volume < 16) {
        b->peer = addr_public(hash4(own(l, 'q'), rng_below(r, 2), 0, 0));
        b->peer.lo = (b->peer.lo & ~(uint64_t)255) | (1 + rng_below(r, 250));
        b->peer_host = NOBODY;
        return true;
    }
    if (!draw_place(l->w, h, l->host, at, r, &b->peer, &b->peer_host)) return false;
    if (h->place == TO_NOVEL && !b->peer.hi) b->peer = addr_near(l->w, rng_u64(r));
    else if (h->place == TO_NOVEL) b->peer.hi = 0x2a00000000000000u | rng_u64(r) >> 8;
    return true;
}

static struct bucket *bucket_find(struct bucket *at, size_t *n, struct bucket b)
{
    for (size_t i = 0; i < *n; i++)
        if (at[i].peer.hi == b.peer.hi && (at[i].peer.lo | 255) == (b.peer.lo | 255)) return &at[i];
    if (*n == BUCKETS) return &at[b.peer.lo % BUCKETS];
    at[*n] = b;
    return &at[(*n)++];
}

static void bucket_tell(struct life *l, const struct habit *h, const struct bucket *b, int64_t at, uint32_t seconds, uint64_t hash)
{
    struct session s = session_make(l->w, l->host, b->peer, h->port, h->protocol, at, seconds, (uint64_t)b->out, (uint64_t)b->in, hash);
    if (b->peer_host != NOBODY) s.peer_host = b->peer_host, s.nat = s.endpoint = false;
    if (h->place >= FROM_CLIENT) session_serve(&s);
    tell(l, s);
}

static void slot_spawn(struct life *l, const struct habit *h, int64_t from, uint32_t hours, double mean)
{
    struct rng r = rng_of(luck(l->w, l->day), 't' + (uint64_t)(h - habits) * 256, l->host, (uint64_t)from);
    struct bucket buckets[BUCKETS];
    size_t n = 0;
    uint32_t calls = rng_poisson(&r, mean);
    int64_t at = from + rng_below(&r, hours * 3600 - 120);
    if (h->place == FROM_REJECTED) {
        if (calls) spawn_rejected(l->w, l->host, addr_public(rng_u64(&r)), at, &r, l->out);
        return;
    }
    for (uint32_t i = 0; i < calls; i++) {
        double volume = draw_volume(l->w, h, l->host, &r);
        struct bucket b = {.peer_host = NOBODY};
        if (!bucket_place(l, h, at, volume, &r, &b)) continue;
        struct bucket *sum = bucket_find(buckets, &n, b);
        bool fixed = h->protocol == 1 || h->port == 123;
        sum->out += fixed ? h->out : h->out * volume * l->volume + 200;
        sum->in += fixed ? h->in : h->in * volume * pow2(0.3 * rng_normal(&r)) + 200;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t seconds = 5 + rng_below(&r, 90); /* one draw a statement: the order of evaluation must not depend on the compiler */
        bucket_tell(l, h, &buckets[i], at, seconds, rng_u64(&r));
    }
}

static void habit_spawn(struct life *l, const struct habit *h)
{
    uint32_t hours = slot_hours(h);
    for (int64_t hour = 0; hour < 24; hour += hours) {
        int64_t from = l->day * DAY_S + hour * 3600;
        double mean = 0;
        for (uint32_t i = 0; i < hours; i++) mean += h->per_day / 24 * rhythm(h->rhythm, from + i * 3600 + 1800);
        if (h->place == TO_NOVEL) mean *= l->w->cfg.novelty_pm / 1000.0;
        if (h->traits & MONTHLY && l->month_end) mean *= 3;
        slot_spawn(l, h, from, hours, mean * l->busy);
    }
}

/* ---- what habits do not tell ---- */

/* Nightly; one night in a hundred it fails, and the next one makes up for it. On the first Sunday of a month it is complete. */
static void backup_spawn(struct life *l)
{
    uint64_t x = own(l, 'b'), lucky = today(l, 'B');
    if (l->role == ROLE_WEB || l->role == ROLE_BASTION || l->role == ROLE_CACHE || (l->role == ROLE_APP && x % 3)) return;
    if (happens(l->w, l->day, 'f', l->host, 10)) return;
    bool sunday = (l->day + 4) % 7 == 0, first = date_of(l->day * DAY_S).day <= 7;
    double base = l->role == ROLE_DB ? 2500 * MB : l->role == ROLE_BATCH ? 800 * MB : 150 * MB;
    double octaves = 1.3 * normal_of(hash4(x, 1, 0, 0)) + l->w->temper.backup_octaves * normal_of(lucky);
    if (happens(l->w, l->day - 1, 'f', l->host, 10)) octaves += 0.9;
    if (sunday && l->role == ROLE_DB) octaves += 1;
    if (sunday && first && x % 4 == 1) octaves += 1.5;
    double bytes = base * l->volume * pow2(octaves);
    int64_t at = l->day * DAY_S + 3600 + (int64_t)((x >> 8) % 10800) + (int64_t)((lucky >> 8) % 240);
    struct addr peer = provider_addr(backup_provider(l->w, l->host), l->day, (uint32_t)(lucky % 16), false);
    call(l, peer, 443, at, bytes, bytes / 70, lucky);
}

/* A job once a week, to a place that the host knows; one once a month, to a partner that it does not meet otherwise. */
static void jobs_spawn(struct life *l)
{
    const struct temper *t = &l->w->temper;
    uint64_t x = own(l, 'j'), y = own(l, 'm'), lucky = today(l, 'j');
    int64_t at = l->day * DAY_S + (int64_t)(x >> 40) % 82800 + (int64_t)(lucky % 900);
    if (unit_of(hash4(x, 1, 0, 0)) < t->weekly && (uint64_t)l->day % 7 == x % 7) {
        double bytes = 60 * MB * l->volume * pow2(1.8 * normal_of(hash4(x, 2, 0, 0)) + 0.4 * normal_of(lucky));
        struct addr peer = x & 64 ? provider_addr(PROVIDER_S3, l->day, (uint32_t)(lucky % 16), false) : saas_addr(l->w, 2 + (uint32_t)(x % 8), l->day);
        call(l, peer, 443, at, bytes, bytes / 60, lucky);
    }
    uint32_t when = y % 3 ? (uint32_t)(1 + (y >> 8) % 3) : (uint32_t)(4 + (y >> 8) % 24);
    if (unit_of(hash4(y, 1, 0, 0)) < t->monthly && date_of(l->day * DAY_S).day == when) {
        double bytes = 2 * MB * pow2(2.2 * normal_of(hash4(y, 2, 0, 0)) + 0.4 * normal_of(lucky));
        call(l, saas_addr(l->w, 100 + (uint32_t)(y % 30), l->day), y & 1024 ? 22 : 443, at, bytes, bytes / 60, lucky);
    }
}

/* Once, to a place that nobody has met: a support bundle, a delivery, a copy for a consultant. */
static void errand_spawn(struct life *l)
{
    uint64_t x = today(l, 'e');
    if (!happens(l->w, l->day, 'E', l->host, l->w->temper.errands)) return;
    double bytes = 2 * MB * pow2(2.3 * normal_of(hash4(x, 1, 0, 0)));
    call(l, addr_near(l->w, hash4(x, 2, 0, 0)), x & 7 ? 443 : 22, l->day * DAY_S + 28800 + (int64_t)(x >> 40) % 36000, bytes, bytes / 50, x);
}

/* Of a thousand host-days some begin to use a service, for weeks. Half of these are common ones, which others use or will. */
static void services_spawn(struct life *l)
{
    static const uint16_t ports[] = {443, 443, 443, 443, 443, 443, 22, 5671, 8883, 9093};
    int64_t start = l->w->cfg.start / DAY_S;
    for (int64_t d = start; d <= l->day; d++) {
        if (!happens(l->w, d, 'S', l->host, l->w->temper.services)) continue;
        uint64_t x = hash4(luck(l->w, d), 'S', l->host, (uint64_t)d + 1), lucky = hash4(today(l, 'u'), x, 0, 0);
        if (l->day - d > 3 + (int64_t)(x >> 20) % 60 || (l->day > d && lucky % 10 < 2)) continue;
        bool common = x & 1;
        struct addr peer = common ? saas_addr(l->w, 200 + (uint32_t)(x >> 8) % SERVICES, l->day) : addr_near(l->w, hash4(x, 1, 0, 0));
        double bytes = 0.4 * MB * l->volume * pow2(2 * normal_of(hash4(x, 2, 0, 0)) + 1 * normal_of(lucky));
        for (int i = 0; i < 3; i++) {
            uint64_t y = hash4(lucky, 3, (uint64_t)i, 0);
            call(l, peer, ports[common ? 0 : x % 10], l->day * DAY_S + (int64_t)(y % 86000), bytes / 3, bytes / 30, y);
        }
    }
}

/* Patch day: on the second Tuesday of a month and after it everybody fetches much and reports a little. */
static void patch_spawn(struct life *l)
{
    struct date d = date_of(l->day * DAY_S);
    uint64_t x = own(l, 'P'), lucky = today(l, 'P');
    bool tuesday = (l->day + 4) % 7 == 2 && d.day >= 8 && d.day <= 14, wednesday = (l->day + 4) % 7 == 3 && d.day >= 9 && d.day <= 15;
    if (!(x % 4 ? tuesday : wednesday) || lucky % 20 == 0) return;
    double bytes = 3 * MB * pow2(0.6 * normal_of(lucky));
    call(l, provider_addr(PROVIDER_UPDATES, l->day, (uint32_t)(lucky % 16), false), 443, l->day * DAY_S + 10800 + (int64_t)(x >> 30) % 14400, bytes, bytes * 60, lucky);
}

void day_spawn(const struct world *w, uint32_t host, int64_t day, struct session_list *out)
{
    struct life l = life_of(w, host, day, out);
    if (happens(w, day, 'z', host, 3)) return; /* switched off for a day */
    for (size_t i = 0; i < nhabits; i++)
        if (habits[i].roles >> l.role & 1) habit_spawn(&l, &habits[i]);
    backup_spawn(&l);
    jobs_spawn(&l);
    errand_spawn(&l);
    services_spawn(&l);
    patch_spawn(&l);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of what the host sends out on a day like this, of nine days that could have been. */
double usual_day(struct world *w, uint32_t host, int64_t day, bool served)
{
    double days[9];
    struct session_list list = {0};
    for (uint64_t i = 0; i < 9; i++) {
        double sum = 0;
        w->redrawn_day = day;
        w->luck = hash4(w->cfg.seed, 'U', host, i);
        list.n = 0;
        day_spawn(w, host, day, &list);
        for (size_t k = 0; k < list.n; k++)
            if (list.at[k].peer_host == NOBODY && list.at[k].served == served) sum += (double)list.at[k].bytes[0];
        days[i] = sum;
    }
    w->redrawn_day = -1;
    free(list.at);
    qsort(days, 9, sizeof *days, by_value);
    return days[4];
}

/* All connections of a day, when the day begins; the emitter gets them as they start. */
void days_spawn_tick(struct world *w, int64_t tick)
{
    if (tick % DAY_S == 0) {
        w->today.n = w->next_today = 0;
        for (uint32_t id = 0; id < w->cfg.hosts; id++)
            if (w->hosts[id].death > tick && w->hosts[id].birth < tick + DAY_S && (w->hosts[id].reserved || !w->cfg.attacks_only))
                day_spawn(w, id, tick / DAY_S, &w->today);
        sessions_sort(&w->today);
    }
    for (; w->next_today < w->today.n && w->today.at[w->next_today].start < tick + TICK_S; w->next_today++)
        session_push(&w->live, w->today.at[w->next_today]);
}
