/* Planned episodes: exfiltrations with known truth, and benign events that look like them. All of their connections are laid out before
 * the run. Attackers sit in the documentation ranges (RFC 5737), so a glance at a log tells them from the rest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen_plan.h"

#include <stdlib.h>
#include <string.h>

static struct addr attacker(const struct world *w)
{
    static const uint32_t nets[] = {0xcb007100, 0xc6336400, 0xc0000200}; /* 203.0.113, 198.51.100, 192.0.2 */
    uint32_t n = w->nepisodes;
    return (struct addr){0, nets[n % 3] + 1 + (77 + n * 37) % 254};
}

static struct episode *episode_open(struct plan *p, uint32_t host, const char *truth)
{
    struct world *w = p->w;
    if (w->nepisodes == MAX_EPISODES) fatal("more than %d episodes", MAX_EPISODES);
    struct episode *e = &w->episodes[w->nepisodes++];
    *e = (struct episode){.kind = p->kind->name, .truth = truth, .host = host, .port = p->port, .protocol = p->protocol};
    return e;
}

static void episode_peer(struct episode *e, struct addr peer)
{
    for (uint32_t i = 0; i < e->npeers; i++)
        if (e->peers[i].hi == peer.hi && e->peers[i].lo == peer.lo) return;
    if (e->npeers < sizeof e->peers / sizeof *e->peers) e->peers[e->npeers++] = peer;
    e->peers_total++;
}

static void episode_session(struct world *w, struct episode *e, struct session s)
{
    if (s.start < w->cfg.start || s.start >= w->end) return;
    s.episode = (int32_t)(e - w->episodes);
    session_push(&w->planned, s);
    int64_t end = s.start + s.duration;
    if (!e->bytes_sent || s.start < e->start) e->start = s.start;
    if (end > e->end) e->end = end;
    e->bytes_sent += s.bytes[0];
    episode_peer(e, s.peer);
}

/* A transfer of so many bytes in pieces one after the other, each 1 % of its time late. */
static void transfer(struct plan *p, struct episode *e, struct addr peer, int64_t at, int64_t seconds, uint64_t bytes, uint32_t pieces)
{
    uint64_t left = bytes;
    for (uint32_t i = 0; i < pieces; i++) {
        uint64_t x = hash4(p->key, 'x', (uint64_t)at, i), part = i + 1 == pieces ? left : bytes / pieces;
        int64_t begin = at + seconds * i / pieces, span = seconds / pieces;
        left -= part;
        episode_session(p->w, e, session_make(p->w, e->host, peer, p->port, p->protocol, begin, (uint32_t)(span - span / 100), part,
                                              p->protocol == 1 ? part / 8 : part / 75, x));
    }
}

static void lay_bulk(struct plan *p)
{
    transfer(p, episode_open(p, p->host, p->kind->truth), p->peer, p->at, p->seconds, p->bytes, 3);
}

static void lay_known_provider(struct plan *p)
{
    if (!p->has_peer) p->peer = provider_addr(backup_provider(p->w, p->host), p->day, (uint32_t)(p->key % 16), false);
    lay_bulk(p);
}

static void lay_slow(struct plan *p)
{
    struct episode *e = episode_open(p, p->host, p->kind->truth);
    for (int64_t d = 0; d < p->days; d++) transfer(p, e, p->peer, p->at + d * DAY_S, p->seconds, p->bytes / (uint64_t)p->days, 16);
}

static void lay_split(struct plan *p)
{
    struct episode *e = episode_open(p, p->host, p->kind->truth);
    bool anywhere = p->w->cfg.shape == SHAPE_EVALUATION;
    uint32_t n = anywhere ? 4 + (uint32_t)(p->key % 13) : 14;
    for (uint32_t i = 0; i < n; i++) {
        struct addr peer = {0, 0xc6336400 + 1 + (hash4(p->key, i, 0, 0) % 18) + 18 * i};
        if (i % 2) peer.lo += 0xcb007100 - 0xc6336400;
        if (anywhere) peer = addr_public(hash4(p->key, i, 1, 0));
        transfer(p, e, peer, p->at + p->seconds * i / n, p->seconds / n, p->bytes / n, 1);
    }
}

static void lay_dns(struct plan *p)
{
    transfer(p, episode_open(p, p->host, p->kind->truth), p->peer, p->at, p->seconds, p->bytes, 400);
}

static void lay_icmp(struct plan *p)
{
    transfer(p, episode_open(p, p->host, p->kind->truth), p->peer, p->at, p->seconds, p->bytes, 1);
}

/* The far end opens the connection and fetches. */
static void lay_served(struct plan *p)
{
    struct episode *e = episode_open(p, p->host, p->kind->truth);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t span = (uint32_t)(p->seconds / 2);
        struct session s = session_make(p->w, p->host, p->peer, p->port, 6, p->at + span * i, span - 5, p->bytes / 2, p->bytes / 150, p->key + i);
        s.peer_port = s.host_port;
        s.host_port = p->port;
        s.served = true;
        s.nat = s.endpoint = false;
        episode_session(p->w, e, s);
    }
}

/* First to a host inside, then out from there. */
static void lay_staged(struct plan *p)
{
    struct world *w = p->w;
    uint32_t stage = host_of_role(w, p->host, ROLE_APP, p->key, p->at);
    if (stage == NOBODY) stage = host_of_role(w, p->host, ROLE_BATCH, p->key, p->at);
    if (stage == NOBODY) fatal("no second host for a staged attack");
    int64_t half = p->seconds / 2;
    struct episode *in = episode_open(p, p->host, "staging");
    struct session s = session_make(w, p->host, w->hosts[stage].v4, 445, 6, p->at, (uint32_t)(half - 60), p->bytes, p->bytes / 75, p->key);
    in->port = 445;
    s.peer_host = stage;
    s.nat = s.endpoint = false;
    episode_session(w, in, s);
    transfer(p, episode_open(p, stage, p->kind->truth), p->peer, p->at + half, half, p->bytes, 2);
}

/* The host is born two hours before it starts to send. */
static void lay_first_day(struct plan *p)
{
    struct host *h = &p->w->hosts[p->host];
    if (p->at - 7200 > p->w->cfg.start) h->birth = p->at - 7200;
    if (h->death < p->w->end) h->death = p->w->end;
    lay_bulk(p);
}

static void lay_beacon(struct plan *p)
{
    struct episode *e = episode_open(p, p->host, p->kind->truth);
    int64_t n = p->days * DAY_S / 300;
    for (int64_t i = 0; i < n; i++) {
        uint64_t x = hash4(p->key, 'y', (uint64_t)i, 0);
        int64_t at = p->at + i * 300 + (int64_t)(x % 30);
        episode_session(p->w, e, session_make(p->w, p->host, p->peer, p->port, p->protocol, at, 2, p->bytes / (uint64_t)n, 900, x));
    }
}

static void lay_trickle(struct plan *p)
{
    struct episode *e = episode_open(p, p->host, p->kind->truth);
    uint32_t hours = (uint32_t)p->days * 24;
    for (uint32_t i = 0; i < hours; i++) transfer(p, e, p->peer, p->at + i * 3600, 3600, p->bytes / hours, 1);
}

static void lay_in_backup(struct plan *p)
{
    int64_t at = backup_start(p->w, p->host, p->day);
    if (at >= 0) p->at = at + 120;
    lay_bulk(p);
}

/* Benign: from this night on the backup goes to a second provider as well. */
static void lay_new_backup(struct plan *p)
{
    struct episode *e = episode_open(p, p->host, p->kind->truth);
    for (int64_t day = p->day; day * DAY_S < p->w->end; day++) {
        int64_t at = day * DAY_S + p->at % DAY_S;
        uint64_t bytes = p->bytes ? p->bytes : backup_bytes(p->w, p->host, day);
        transfer(p, e, p->has_peer ? p->peer : provider_addr(28, day, (uint32_t)(p->key % 8) * 2, false), at, p->seconds, bytes, 1);
    }
}

/* Benign: everything moves to another cloud, once. */
static void lay_migration(struct plan *p)
{
    struct addr peer = p->has_peer ? p->peer : provider_addr(30, p->day, (uint32_t)(p->key % 8) * 2, false);
    transfer(p, episode_open(p, p->host, p->kind->truth), peer, p->at, p->seconds, p->bytes, 8);
}

/* Benign: a storm of calls to a service that the role uses anyway. */
static void lay_load_test(struct plan *p)
{
    transfer(p, episode_open(p, p->host, p->kind->truth), p->has_peer ? p->peer : saas_addr(p->w, 10, p->day), p->at, p->seconds, p->bytes, 500);
}

const struct kind kinds[] = {
    {"bulk-new", "exfil", ROLE_DB, 13, 90, 1, 40e9, 443, 6, lay_bulk, "a large transfer to an address never seen"},
    {"bulk-known-provider", "exfil", ROLE_DB, 14, 60, 1, 20e9, 443, 6, lay_known_provider, "a large transfer to the provider that backups go to"},
    {"slow", "exfil", ROLE_DB, 8, 600, 6, 3e9, 443, 6, lay_slow, "some each day for several days (days=)"},
    {"split", "exfil", ROLE_APP, 11, 180, 1, 7e9, 443, 6, lay_split, "spread over 14 new addresses (shape evaluation: 4 to 16)"},
    {"at-peak", "exfil", ROLE_APP, 10, 40, 1, 4e9, 443, 6, lay_bulk, "at the busiest hour"},
    {"at-night", "exfil", ROLE_APP, 3.5, 60, 1, 4e9, 443, 6, lay_bulk, "when everybody sleeps"},
    {"dns", "exfil", ROLE_APP, 15, 180, 1, 2e8, 53, 17, lay_dns, "UDP 53 to a foreign resolver, many short exchanges"},
    {"icmp", "exfil", ROLE_DB, 16, 120, 1, 2e8, 0, 1, lay_icmp, "large echo requests"},
    {"served", "exfil", ROLE_WEB, 12, 60, 1, 2e10, 443, 6, lay_served, "a stranger connects and downloads"},
    {"staged", "exfil", ROLE_DB, 13, 120, 1, 1e10, 443, 6, lay_staged, "to a host inside first, then out (two episodes)"},
    {"first-day", "exfil", ROLE_APP, 14, 60, 1, 1e10, 443, 6, lay_first_day, "by a host that was born two hours before"},
    {"beacon", "exfil", ROLE_APP, 1, 0, 3, 5e6, 443, 6, lay_beacon, "every five minutes, small (days=)"},
    {"trickle", "exfil", ROLE_DB, 2, 0, 2, 1e9, 8443, 6, lay_trickle, "a steady stream (days=)"},
    {"in-backup-window", "exfil", ROLE_DB, 2, 60, 1, 4e9, 443, 6, lay_in_backup, "to a new address while the nightly backup runs"},
    {"new-backup-target", "benign", ROLE_DB, 4, 30, 1, 0, 443, 6, lay_new_backup, "benign: from now on a second nightly backup elsewhere"},
    {"migration", "benign", ROLE_APP, 9, 480, 1, 2e11, 443, 6, lay_migration, "benign: everything moves to another cloud, once"},
    {"load-test", "benign", ROLE_APP, 20, 120, 1, 5e9, 443, 6, lay_load_test, "benign: a storm of calls to a known service"},
};
#define NKINDS ((uint32_t)(sizeof kinds / sizeof *kinds))
const uint32_t nkinds = NKINDS;

void attack_help(FILE *fp)
{
    for (uint32_t i = 0; i < NKINDS; i++) fprintf(fp, "      %-20s %s\n", kinds[i].name, kinds[i].help);
}

/* ---- from text to plan ---- */

static bool host_parse(const struct world *w, const char *text, uint64_t hash, uint32_t *out)
{
    struct addr a;
    uint64_t number;
    enum role role;
    if (role_parse(text, &role)) {
        uint32_t vpc = (uint32_t)(hash % w->cfg.vpcs), n = w->role_count[vpc][role];
        if (n) *out = w->role_first[vpc][role] + (uint32_t)(hash4(hash, 1, 0, 0) % n);
        return n > 0;
    }
    if (parse_number(text, &number)) return *out = (uint32_t)number, number < w->cfg.hosts;
    if (!addr_parse(text, &a)) return false;
    for (uint32_t id = 0; id < w->cfg.hosts; id++)
        if (w->hosts[id].v4.lo == a.lo && w->hosts[id].v4.hi == a.hi) return *out = id, true;
    return false;
}

static bool day_parse(const struct world *w, const char *text, int64_t *out)
{
    uint64_t n;
    bool from_end = *text == '-';
    if (!parse_number(text + from_end, &n) || n > w->cfg.days || (from_end ? !n : n == w->cfg.days)) return false;
    *out = w->cfg.start / DAY_S + (int64_t)(from_end ? w->cfg.days - n : n);
    return true;
}

static bool plan_set(struct plan *p, const char *key, const char *value)
{
    uint64_t n = 0;
    if (!strcmp(key, "host")) return host_parse(p->w, value, p->key, &p->host);
    if (!strcmp(key, "day")) return day_parse(p->w, value, &p->day);
    if (!strcmp(key, "peer")) return p->has_peer = addr_parse(value, &p->peer);
    if (!parse_number(value, &n)) return false;
    if (!strcmp(key, "hour")) return p->at = p->at % 3600 + (int64_t)n * 3600, n < 24;
    if (!strcmp(key, "minute")) return p->at = p->at / 3600 * 3600 + (int64_t)n * 60, n < 60;
    if (!strcmp(key, "minutes")) return p->seconds = (int64_t)n * 60, n >= 1 && n <= 7 * 1440;
    if (!strcmp(key, "days")) return p->days = (int64_t)n, n >= 1 && n <= 366;
    if (!strcmp(key, "bytes")) return p->bytes = n, n >= 1000;
    if (!strcmp(key, "port")) return p->port = (uint16_t)n, n <= 65535;
    return false;
}

void plan_start(struct plan *p, struct world *w, const struct kind *k, uint64_t hash)
{
    uint32_t quiet = w->cfg.days / 2; /* by chance: in the second half, so that there is a past */
    *p = (struct plan){.w = w, .kind = k, .key = hash, .peer = attacker(w), .port = k->port, .protocol = k->protocol, .bytes = (uint64_t)k->bytes};
    p->at = (int64_t)(k->hour * 3600);
    p->seconds = (int64_t)k->minutes * 60;
    p->days = k->days;
    p->day = w->cfg.start / DAY_S + quiet + (int64_t)(hash4(hash, 3, 0, 0) % (w->cfg.days - quiet));
    if (!host_parse(w, role_name(k->role), hash, &p->host)) p->host = (uint32_t)(hash % w->cfg.hosts);
}

void plan_lay(struct plan *p)
{
    p->at += p->day * DAY_S;
    if (p->at < p->w->cfg.start) p->at = p->w->cfg.start;
    struct host *h = &p->w->hosts[p->host];
    if (p->peer.hi && !h->v6.hi) h->v6 = (struct addr){host_prefix6(h), p->key | 1};
    p->kind->lay(p);
}

/* KIND[:key=value]...; a colon that no key follows belongs to the value (IPv6). */
bool attack_plan(struct world *w, const char *spec, char *why, size_t why_size)
{
    char key[16], value[64];
    size_t n = strcspn(spec, ":");
    const struct kind *kind = NULL;
    struct plan p;
    for (uint32_t i = 0; i < NKINDS; i++)
        if (strlen(kinds[i].name) == n && !memcmp(kinds[i].name, spec, n)) kind = &kinds[i];
    if (!kind) return snprintf(why, why_size, "no kind '%.*s'", (int)n, spec), false;
    plan_start(&p, w, kind, hash4(w->cfg.seed, 'A', w->nepisodes, 0));
    for (const char *at = spec + n; *at;) {
        size_t k = strcspn(++at, "="), end = k;
        for (; at[end]; end++)
            if (at[end] == ':' && strcspn(at + end, "=") < strlen(at + end) && strcspn(at + end + 1, ":") > strcspn(at + end + 1, "=")) break;
        if (!at[k] || k >= sizeof key || end - k - 1 >= sizeof value) return snprintf(why, why_size, "'%s' is not key=value", at), false;
        memcpy(key, at, k), key[k] = '\0';
        memcpy(value, at + k + 1, end - k - 1), value[end - k - 1] = '\0';
        if (!plan_set(&p, key, value)) return snprintf(why, why_size, "cannot take %s=%s", key, value), false;
        at += end;
    }
    plan_lay(&p);
    return true;
}

/* Random episodes: any kind, any time of day that its kind allows, volumes over seven octaves below the default and one above. */
static void plan_random(struct world *w, const char *truth, uint64_t hash)
{
    uint32_t matching = 0;
    for (uint32_t i = 0; i < NKINDS; i++) matching += !strcmp(kinds[i].truth, truth);
    uint64_t pick = hash % matching;
    for (uint32_t i = 0; i < NKINDS; i++) {
        if (strcmp(kinds[i].truth, truth) || pick--) continue;
        struct plan p;
        plan_start(&p, w, &kinds[i], hash4(hash, 4, 0, 0));
        p.bytes = (uint64_t)((double)p.bytes * pow2(8 * unit_of(hash4(hash, 5, 0, 0)) - 7));
        p.at += (int64_t)(hash4(hash, 6, 0, 0) % 3600);
        plan_lay(&p);
        return;
    }
}

void attack_plan_random(struct world *w, uint32_t attacks, uint32_t benign)
{
    for (uint32_t i = 0; i < attacks; i++) plan_random(w, "exfil", hash4(w->cfg.seed, 'R', i, 0));
    for (uint32_t i = 0; i < benign; i++) plan_random(w, "benign", hash4(w->cfg.seed, 'Q', i, 0));
}

/* Roll-outs: on one day every host of up to three roles meets the same new place, with amounts that lie close together. */
void rollout_plan(struct world *w, uint32_t count)
{
    static const struct kind kind = {.name = "roll-out", .truth = "benign"};
    for (uint32_t i = 0; i < count && w->cfg.days > 1; i++) {
        uint64_t x = hash4(w->cfg.seed, 'O', i, 0);
        struct plan p = {.w = w, .kind = &kind, .port = 443, .protocol = 6};
        int64_t day = w->cfg.start / DAY_S + 1 + (int64_t)(x % (w->cfg.days - 1));
        struct addr peer = addr_public(hash4(x, 1, 0, 0));
        struct episode *e = episode_open(&p, NOBODY, "benign");
        double median = pow2(20 + 6 * unit_of(hash4(x, 2, 0, 0)));
        for (uint32_t id = 0; id < w->cfg.hosts; id++) {
            uint64_t y = hash4(x, 3, id, 0);
            int64_t at = day * DAY_S + 8 * 3600 + (int64_t)(y % 28800);
            if ((w->hosts[id].role + x) % ROLES > 2 || !host_lives(w, id, at)) continue;
            uint64_t bytes = (uint64_t)(median * pow2(0.5 * normal_of(y)));
            episode_session(w, e, session_make(w, id, peer, 443, 6, at, 30 + (uint32_t)(y >> 40) % 90, bytes, bytes / 40 + 300, y));
        }
    }
}

static int by_start(const void *a, const void *b)
{
    const struct session *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    if (x->host != y->host) return x->host < y->host ? -1 : 1;
    if (x->episode != y->episode) return x->episode < y->episode ? -1 : 1;
    return x->host_port != y->host_port ? (x->host_port < y->host_port ? -1 : 1) : memcmp(&x->peer, &y->peer, sizeof x->peer);
}

void sessions_sort(struct session_list *list)
{
    if (list->n) qsort(list->at, list->n, sizeof *list->at, by_start);
}

void plan_sort(struct world *w)
{
    sessions_sort(&w->planned);
}
