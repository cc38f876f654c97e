/* Connections of everyday life. Each role has habits; a habit is a rate, a rhythm, a kind of place and a volume with a heavy tail.
 * The number of connections that a host opens in a tick is Poisson; which habit each belongs to is drawn by weight.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen_habit.h"

#include <stdlib.h>
#include <string.h>

#define DB (1u << ROLE_DB)
#define APP (1u << ROLE_APP)
#define WEB (1u << ROLE_WEB)
#define BATCH (1u << ROLE_BATCH)
#define BASTION (1u << ROLE_BASTION)
#define CACHE (1u << ROLE_CACHE)
#define ALL 63u

const struct habit habits[] = {
    {ALL, TO_SAAS, 0, 1, 443, 6, 120, 6000, 2500, 0.5, 5, RHYTHM_FLAT, 0},
    {ALL, TO_SAAS, 1, 1, 443, 6, 140, 40000, 4000, 1.2, 60, RHYTHM_FLAT, 0},
    {ALL, TO_PROVIDER, PROVIDER_NTP, 1, 123, 17, 40, 76, 76, 0, 1, RHYTHM_FLAT, 0},
    {ALL, TO_RESOLVER, 0, 2, 53, 17, 120, 74, 160, 0.3, 1, RHYTHM_FLAT, 0},
    {ALL, TO_PROVIDER, PROVIDER_UPDATES, 1, 443, 6, 4, 9000, 6e5, 2.5, 20, RHYTHM_FLAT, HEAVY},
    {ALL, TO_ROLE, ROLE_BATCH, 1, 4317, 6, 96, 9000, 1500, 0.5, 10, RHYTHM_FLAT, 0},
    {ALL, TO_RESOLVER, 0, 1, 0, 1, 24, 336, 336, 0, 4, RHYTHM_FLAT, 0},
    {ALL, TO_NOVEL, 0, 0, 443, 6, 1, 60000, 4e5, 2, 30, RHYTHM_OFFICE, HEAVY},
    {ALL, FROM_REJECTED, 0, 0, 0, 6, 20, 0, 44, 0, 2, RHYTHM_FLAT, 0},
    {DB, TO_ROLE, ROLE_DB, 3, 5432, 6, 40, 3e6, 60000, 1.5, 120, RHYTHM_FLAT, 0},
    {DB, TO_PROVIDER, PROVIDER_S3, 1, 443, 6, 48, 1e6, 8000, 1, 20, RHYTHM_OFFICE, 0},
    {APP, TO_ROLE, ROLE_DB, 3, 5432, 6, 700, 12000, 90000, 1.5, 15, RHYTHM_OFFICE, 0},
    {APP, TO_ROLE, ROLE_DB, 3, 5432, 6, 24, 2e6, 2e7, 1, 3000, RHYTHM_FLAT, 0},
    {APP, TO_ROLE, ROLE_CACHE, 3, 6379, 6, 500, 3000, 30000, 1.2, 30, RHYTHM_OFFICE, 0},
    {APP, TO_SAAS, 2, 8, 443, 6, 400, 9000, 25000, 1.5, 8, RHYTHM_OFFICE, MONTHLY},
    {APP, TO_PROVIDER, PROVIDERS_FIXED, 6, 443, 6, 90, 6000, 3e5, 2, 20, RHYTHM_OFFICE, HEAVY},
    {APP, TO_SAAS, 10, 2, 443, 6, 12, 1e6, 20000, 2, 40, RHYTHM_OFFICE, HEAVY | MONTHLY},
    {WEB, FROM_CLIENT, 0, 0, 443, 6, 3000, 45000, 3000, 1.8, 20, RHYTHM_EVENING, HEAVY},
    {WEB, FROM_CLIENT, 0, 0, 80, 6, 300, 1500, 700, 1, 3, RHYTHM_EVENING, 0},
    {WEB, FROM_CLIENT, 0, 0, 443, 6, 20, 8e6, 1e5, 2, 120, RHYTHM_EVENING, HEAVY},
    {WEB, FROM_SCANNER, 0, 0, 443, 6, 150, 520, 420, 0.8, 2, RHYTHM_FLAT, 0},
    {WEB | BASTION, FROM_REJECTED, 0, 0, 0, 6, 1200, 0, 44, 0, 3, RHYTHM_FLAT, 0},
    {WEB, TO_ROLE, ROLE_APP, 4, 8080, 6, 900, 4000, 40000, 1.5, 10, RHYTHM_EVENING, 0},
    {WEB, TO_ROLE, ROLE_CACHE, 2, 6379, 6, 300, 1500, 12000, 1.2, 10, RHYTHM_EVENING, 0},
    {BATCH, TO_ROLE, ROLE_DB, 4, 5432, 6, 60, 1e5, 8e6, 1.5, 200, RHYTHM_NIGHT, MONTHLY},
    {BATCH, TO_SAAS, 12, 1, 22, 6, 24, 6e6, 80000, 0.6, 90, RHYTHM_FLAT, HOURLY},
    {BATCH, TO_PROVIDER, PROVIDER_S3, 1, 443, 6, 30, 2e7, 2e5, 2, 60, RHYTHM_NIGHT, HEAVY | MONTHLY},
    {BASTION, FROM_OFFICE, 0, 5, 22, 6, 12, 4e5, 60000, 2, 1200, RHYTHM_OFFICE, 0},
    {BASTION, TO_ANY_HOST, 0, 0, 22, 6, 30, 30000, 60000, 1.5, 600, RHYTHM_OFFICE, 0},
    {BASTION, TO_PROVIDER, PROVIDERS_FIXED + 3, 1, 3478, 17, 3, 6e7, 7e7, 1, 2400, RHYTHM_OFFICE, 0}, /* calls: large, and alike both ways */
    {CACHE, TO_ROLE, ROLE_CACHE, 2, 6379, 6, 60, 5e5, 20000, 1, 60, RHYTHM_FLAT, 0},
};
#define NHABITS (sizeof habits / sizeof *habits)
const size_t nhabits = NHABITS;

/* Per role: the mean number of connections in this tick, and its running sum over the habits. */
struct agenda {
    double upto[ROLES][NHABITS], total[ROLES];
};

static void agenda_fill(const struct world *w, int64_t tick, struct agenda *a)
{
    for (int r = 0; r < ROLES; r++) {
        double sum = 0, day = pow2(0.15 * normal_of(hash4(w->cfg.seed, 'd', (uint64_t)r, (uint64_t)(tick / DAY_S))));
        for (size_t i = 0; i < NHABITS; i++) {
            const struct habit *h = &habits[i];
            double rate = h->per_day * TICK_S / DAY_S * rhythm(h->rhythm, tick);
            if (h->place == TO_NOVEL) rate *= w->cfg.novelty_pm / 1000.0;
            if (h->traits & MONTHLY && month_end(tick)) rate *= 3;
            if (h->traits & HOURLY) rate *= tick % 3600 == TICK_S ? 12 : 0;
            if (h->roles >> r & 1) sum += rate * day;
            a->upto[r][i] = sum;
        }
        a->total[r] = sum;
    }
}

void session_push(struct session_list *list, struct session s)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 1024;
        list->at = need(realloc(list->at, list->cap * sizeof *list->at));
    }
    list->at[list->n++] = s;
}

/* Packets that carry so many bytes: full ones for bulk, small ones otherwise, between 40 and 1500 bytes each. */
static uint64_t packets_of(uint64_t bytes, uint8_t protocol)
{
    uint64_t size = protocol == 1 ? 84 : protocol == 17 ? (bytes > 1000000 ? 1100 : 220) : bytes > 9000 ? 1420 : bytes / 6 + 1;
    if (protocol == 1 && bytes > 100000) size = 1400;
    if (size < 52) size = 52;
    uint64_t n = (bytes + size - 1) / size;
    if (n * 40 > bytes) n = bytes / 40;
    return n ? n : 1;
}

struct session session_make(const struct world *w, uint32_t host, struct addr peer, uint16_t peer_port, uint8_t protocol, int64_t start,
                            uint32_t duration, uint64_t bytes_out, uint64_t bytes_in, uint64_t hash)
{
    const struct host *h = &w->hosts[host];
    struct session s = {.start = start, .bytes = {bytes_out, bytes_in}, .peer = peer, .duration = duration ? duration : 1, .host = host,
                        .peer_host = NOBODY, .episode = -1, .peer_port = peer_port, .protocol = protocol};
    for (int way = 0; way < 2; way++) {
        if (s.bytes[way] && s.bytes[way] < 40) s.bytes[way] = 40;
        if (s.bytes[way]) s.packets[way] = packets_of(s.bytes[way], protocol);
    }
    for (int way = 0; way < 2; way++) { /* the quiet side of a bulk transfer sends bare acknowledgements */
        uint64_t acks = s.packets[!way] / 2;
        if (protocol == 6 && s.bytes[!way] > 1000000 && s.bytes[way] < s.bytes[!way] / 20 && acks > s.packets[way])
            s.packets[way] = acks < s.bytes[way] / 40 ? acks : s.bytes[way] / 40;
    }
    if (protocol != 1) {
        s.host_port = (uint16_t)(32768 + (hash & 0xffff) % 28232);
        s.nat_port = (uint16_t)(1024 + (hash >> 16 & 0xffff) % 64000);
    }
    bool public_host = h->role == ROLE_WEB || h->role == ROLE_BASTION;
    s.v6 = peer.hi != 0;
    s.endpoint = w->cfg.endpoint && !s.v6 && !strcmp(provider_service(peer), "S3");
    s.nat = w->cfg.nat && !public_host && !s.v6 && !s.endpoint;
    if (start + s.duration > w->end && w->end > start) s.duration = (uint32_t)(w->end - start);
    return s;
}

void session_serve(struct session *s)
{
    uint16_t port = s->peer_port;
    s->peer_port = s->host_port;
    s->host_port = port;
    s->served = true;
    s->nat = s->endpoint = false;
}

static struct addr client_addr(const struct world *w, uint32_t host, struct rng *r)
{
    uint64_t x = rng_u64(r);
    if (x % 3) return addr_public(rng_u64(r));
    struct addr a = addr_public(hash4(w->cfg.seed, 'c', host % 16, rng_below(r, 1 + rng_below(r, 200)))); /* regulars: 200 networks */
    a.lo = (a.lo & ~(uint64_t)255) | (1 + (x >> 32) % 254);
    return a;
}

bool draw_place(const struct world *w, const struct habit *h, uint32_t host, int64_t at, struct rng *r, struct addr *peer, uint32_t *peer_host)
{
    const struct host *me = &w->hosts[host];
    uint64_t own = hash4(w->cfg.seed, 'w', host, (uint64_t)(h - habits));
    uint32_t pick = h->span ? rng_below(r, 1 + rng_below(r, h->span)) : 0; /* the first of the list is the favourite */
    int64_t day = at / DAY_S;
    bool v6 = me->v6.hi && rng_below(r, 2);
    *peer_host = NOBODY;
    switch (h->place) {
    case TO_SAAS: *peer = saas_addr(w, h->arg + (h->span > 2 ? (uint32_t)((own + pick * 3) % h->span) : pick), day); return true;
    case TO_PROVIDER: {
        uint32_t provider = h->span > 1 ? h->arg + (uint32_t)(hash4(own, pick, 0, 0) % 28) : h->arg;
        *peer = provider_addr(provider, day, rng_below(r, 16), v6);
        return true;
    }
    case TO_ROLE: *peer_host = host_of_role(w, host, (enum role)h->arg, h->span > 1 ? own + pick : 0, at); break;
    case TO_ANY_HOST:
        own = rng_u64(r);
        *peer_host = host_of_role(w, host, (enum role)(own % ROLES), own >> 8, at);
        break;
    case TO_RESOLVER: *peer = (struct addr){0, pick ? 0x08080808 : 0x01010101}; return true;
    case TO_NOVEL: *peer = v6 ? (struct addr){0x2a00000000000000u | own >> 24, rng_u64(r)} : addr_public(rng_u64(r)); return true;
    case FROM_CLIENT: *peer = client_addr(w, host, r); return true;
    case FROM_OFFICE: *peer = addr_public(hash4(w->cfg.seed, 'o', pick, 0)); return true;
    case FROM_SCANNER:
    case FROM_REJECTED: *peer = addr_public(rng_u64(r)); return true;
    }
    if (*peer_host == NOBODY) return false;
    *peer = w->hosts[*peer_host].v4;
    return true;
}

void spawn_rejected(const struct world *w, uint32_t host, struct addr peer, int64_t at, struct rng *r, struct session_list *out)
{
    static const uint16_t ports[] = {22, 23, 445, 3389, 8080, 5900, 6379, 1433, 8443, 2222, 21, 25};
    uint64_t packets = 1 + rng_below(r, 3);
    uint16_t port = rng_below(r, 2) ? ports[rng_below(r, 12)] : (uint16_t)(1 + rng_below(r, 65535));
    uint64_t x = rng_u64(r); /* one draw a statement: the order of evaluation must not depend on the compiler */
    struct session s = session_make(w, host, peer, port, 6, at, 1 + (uint32_t)(x >> 62), 0, packets * 44, x);
    s.packets[1] = packets;
    s.reject = true;
    session_serve(&s);
    session_push(out, s);
}

/* Volume factor: log-normal with the host's own bent, one in fifty from a Pareto tail (exponent 1.2) capped at 2^9. */
double draw_volume(const struct world *w, const struct habit *h, uint32_t host, struct rng *r)
{
    double bent = h->octaves > 0 ? 0.6 * normal_of(hash4(w->cfg.seed, 'v', host, (uint64_t)(h - habits))) : 0;
    double octaves = bent + h->octaves * rng_normal(r), u = rng_unit(r);
    double fold = w->temper.tail > 0 ? w->temper.tail_fold : 50, exponent = w->temper.tail > 0 ? w->temper.tail : 1.2;
    if (h->traits & HEAVY && u < 1 / fold && u > 0) octaves += -log_2(u * fold) / exponent;
    return pow2(octaves > 9 ? 9 : octaves);
}

static void spawn_habit(struct world *w, const struct habit *h, uint32_t host, int64_t tick, struct rng *r)
{
    int64_t at = tick + rng_below(r, h->traits & HOURLY ? 20 : TICK_S);
    struct addr peer;
    uint32_t peer_host;
    if (!draw_place(w, h, host, at, r, &peer, &peer_host)) return;
    if (h->place == FROM_REJECTED) {
        spawn_rejected(w, host, peer, at, r, &w->live);
        return;
    }
    double volume = draw_volume(w, h, host, r);
    double least = h->protocol == 6 ? 260 : 40, out = h->out * volume, in = h->in * volume * pow2(0.3 * rng_normal(r));
    uint32_t seconds = (uint32_t)(1 + h->seconds * pow2(0.8 * rng_normal(r)) * (volume > 16 ? 3 : 1));
    if (h->protocol == 1 || h->port == 123) in = out = h->out;
    if (in < least) in = least;
    if (out < least) out = least;
    struct session s = session_make(w, host, peer, h->port, h->protocol, at, seconds, (uint64_t)out, (uint64_t)in, rng_u64(r));
    if (peer_host != NOBODY) s.peer_host = peer_host, s.nat = s.endpoint = false;
    if (h->place >= FROM_CLIENT) session_serve(&s);
    session_push(&w->live, s);
}

static void spawn_everyday(struct world *w, int64_t tick)
{
    struct agenda agenda;
    double scale = w->cfg.intensity * (w->cfg.shape == SHAPE_FLOOD ? 1 : w->knob);
    agenda_fill(w, tick, &agenda);
    for (uint32_t id = 0; id < w->cfg.hosts; id += w->sample) {
        const struct host *h = &w->hosts[id];
        if (tick < h->birth || tick >= h->death) continue;
        double mean = agenda.total[h->role] * scale * (double)h->factor;
        if (mean < 0.05 && unit_of(hash4(w->cfg.seed, 's', id, (uint64_t)tick)) > mean) continue;
        struct rng r = rng_of(w->cfg.seed, 't', id, (uint64_t)tick);
        uint32_t n = mean < 0.05 ? 1 : rng_poisson(&r, mean);
        for (; n; n--) {
            double x = rng_unit(&r) * agenda.total[h->role];
            size_t i = 0;
            while (i + 1 < NHABITS && agenda.upto[h->role][i] <= x) i++;
            spawn_habit(w, &habits[i], id, tick, &r);
        }
    }
}

/* In a world of very many hosts each one checks in once a day, so that each one is seen. */
static void spawn_checkins(struct world *w, int64_t tick)
{
    for (uint32_t id = 0; id < w->cfg.hosts; id += w->sample) {
        int64_t mine = (int64_t)(hash4(w->cfg.seed, 'C', id, 0) % (DAY_S / TICK_S)) * TICK_S;
        if (tick % DAY_S != mine || !host_lives(w, id, tick)) continue;
        struct rng r = rng_of(w->cfg.seed, 'C', id, (uint64_t)tick);
        spawn_habit(w, &habits[0], id, tick, &r);
    }
}

double sample_weight(const struct world *w)
{
    struct agenda agenda;
    double all = 0, sampled = 0;
    agenda_fill(w, w->cfg.start + DAY_S / 2, &agenda);
    for (uint32_t id = 0; id < w->cfg.hosts; id++) {
        const struct host *h = &w->hosts[id];
        double traffic = agenda.total[h->role] * (double)h->factor * (double)(h->death - h->birth);
        all += traffic;
        if (id % w->sample == 0) sampled += traffic;
    }
    return sampled > 0 ? all / sampled : w->sample;
}

static void spawn_backups(struct world *w, int64_t tick)
{
    int64_t day = tick / DAY_S;
    for (uint32_t id = 0; id < w->cfg.hosts; id += w->sample) {
        int64_t at = backup_start(w, id, day);
        if (at < tick || at >= tick + TICK_S || !host_lives(w, id, at)) continue;
        uint64_t bytes = backup_bytes(w, id, day), x = hash4(w->cfg.seed, 'B', id, (uint64_t)day);
        uint32_t seconds = (uint32_t)(bytes / 4000000), provider = backup_provider(w, id);
        seconds = seconds < 120 ? 120 : seconds > 4 * 3600 ? 4 * 3600 : seconds;
        struct addr peer = provider_addr(provider, day, (uint32_t)(x % 16), false);
        session_push(&w->live, session_make(w, id, peer, 443, 6, at, seconds, bytes, bytes / 70, x));
    }
}

/* One host meets an endless row of strangers: as the scanner, or as the scanned. */
static void spawn_flood(struct world *w, int64_t tick)
{
    static const uint16_t ports[] = {443, 80, 22, 445, 3389, 8080};
    struct rng r = rng_of(w->cfg.seed, 'f', 0, (uint64_t)tick);
    uint32_t n = rng_poisson(&r, 2000 * w->knob);
    for (; n; n--) {
        uint64_t x = rng_u64(&r);
        struct session s = session_make(w, 0, addr_public(rng_u64(&r)), ports[x % 6], 6, tick + (int64_t)(x >> 32) % TICK_S, 1, 60, x & 64 ? 40 : 0, x);
        if (w->cfg.flood_in) session_serve(&s), s.bytes[1] = 60, s.packets[1] = 1;
        session_push(&w->live, s);
    }
}

void spawn_tick(struct world *w, int64_t tick)
{
    if (tick >= w->end) return;
    if (w->cfg.shape == SHAPE_EVALUATION) days_spawn_tick(w, tick);
    else spawn_everyday(w, tick);
    if (w->cfg.shape == SHAPE_MANYHOSTS) spawn_checkins(w, tick);
    else if (w->cfg.shape != SHAPE_EVALUATION) spawn_backups(w, tick);
    if (w->cfg.shape == SHAPE_FLOOD) spawn_flood(w, tick);
    for (; w->next_planned < w->planned.n && w->planned.at[w->next_planned].start < tick + TICK_S; w->next_planned++) {
        if (w->sample == 1) session_push(&w->live, w->planned.at[w->next_planned]);
    }
}
