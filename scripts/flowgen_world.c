/* The world: who lives where, which places exist outside, and how the day goes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen.h"

#include <stdlib.h>
#include <string.h>

#define AZS 3
#define HOSTS_PER_SUBNET 240u
#define HOSTS_PER_VPC 50000u

static const char *const role_names[ROLES] = {"db", "app", "web", "batch", "bastion", "cache"};

const char *role_name(enum role role)
{
    return role_names[role];
}

bool role_parse(const char *name, enum role *out)
{
    for (int r = 0; r < ROLES; r++)
        if (!strcmp(role_names[r], name)) return *out = (enum role)r, true;
    return false;
}

/* Splits n hosts among the roles by share; every role with a share gets one host while there are enough. */
static void split_roles(const struct config *c, uint32_t n, uint32_t count[ROLES])
{
    uint64_t total = 0, used = 0;
    int largest = 0;
    for (int r = 0; r < ROLES; r++) {
        total += c->role_share[r];
        if (c->role_share[r] > c->role_share[largest]) largest = r;
    }
    for (int r = 0; r < ROLES; r++) {
        count[r] = total ? (uint32_t)((uint64_t)n * c->role_share[r] / total) : 0;
        if (!count[r] && c->role_share[r] && used < n) count[r] = 1;
        used += count[r];
    }
    for (; used > n && count[largest]; used--) count[largest]--;
    count[largest] += (uint32_t)(n > used ? n - used : 0);
}

/* Hosts appear and vanish: of a thousand hosts, churn_pm a day are born and as many die. */
static void host_lifetime(const struct world *w, uint32_t id, struct host *h)
{
    uint64_t x = hash4(w->cfg.seed, 'l', id, 0);
    double churned = w->cfg.churn_pm * (double)w->cfg.days / 1000, u = unit_of(x);
    int64_t at = w->cfg.start + (int64_t)(unit_of(hash4(x, 1, 0, 0)) * (double)(w->end - w->cfg.start));
    h->birth = w->cfg.start;
    h->death = w->end;
    h->reserved = w->cfg.shape == SHAPE_EVALUATION && id % 37 == 5;
    if (h->reserved) h->birth = w->end;
    else if (u < churned / 2)
        h->birth = at;
    else if (u < churned)
        h->death = at;
}

/* The /64 of a host's subnet. */
uint64_t host_prefix6(const struct host *h)
{
    return 0x26001f1800000000u | (uint64_t)(h->vpc + 1) << 16 | h->subnet;
}

static void role_build(struct world *w, uint32_t vpc, int role, uint32_t id, uint32_t n, uint32_t *next_subnet)
{
    uint32_t subnet[AZS] = {0};
    for (uint32_t j = 0; j < n; j++, id++) {
        struct host *h = &w->hosts[id];
        uint32_t az = j % w->naz, k = j / w->naz % HOSTS_PER_SUBNET;
        if (!k) subnet[az] = ++*next_subnet;
        if (subnet[az] > 255) fatal("more hosts in a VPC than its 255 subnets hold: use more --vpcs");
        uint64_t x = hash4(w->cfg.seed, 'h', id, 0);
        h->vpc = (uint16_t)vpc;
        h->role = (uint8_t)role;
        h->az = (uint8_t)az;
        h->subnet = subnet[az];
        h->v4 = (struct addr){0, (uint64_t)10 << 24 | (uint64_t)vpc << 16 | (uint64_t)subnet[az] << 8 | (10 + k)};
        if (x % 1000 < w->cfg.ipv6_pm) h->v6 = (struct addr){host_prefix6(h), x | 1};
        h->factor = (float)pow2(0.7 * normal_of(hash4(x, 2, 0, 0)));
        host_lifetime(w, id, h);
    }
}

void world_build(struct world *w)
{
    struct config *c = &w->cfg;
    uint32_t least = (c->hosts + HOSTS_PER_VPC - 1) / HOSTS_PER_VPC, id = 0;
    if (c->vpcs < least) c->vpcs = least;
    if (c->vpcs > MAX_VPCS) fatal("%u VPCs are more than %d", c->vpcs, MAX_VPCS);
    if (c->accounts > c->vpcs) c->accounts = c->vpcs;
    w->end = c->start + (int64_t)c->days * DAY_S;
    w->naz = AZS;
    w->sample = 1;
    w->knob = 1;
    w->redrawn_day = -1;
    if (c->shape == SHAPE_EVALUATION) temper_draw(w);
    w->hosts = need(calloc(c->hosts, sizeof *w->hosts));
    w->episodes = need(calloc(MAX_EPISODES, sizeof *w->episodes));
    for (uint32_t v = 0; v < c->vpcs; v++) {
        uint32_t n = c->hosts / c->vpcs + (v < c->hosts % c->vpcs), next_subnet = 0;
        split_roles(c, n, w->role_count[v]);
        for (int r = 0; r < ROLES; id += w->role_count[v][r], r++) {
            w->role_first[v][r] = id;
            role_build(w, v, r, id, w->role_count[v][r], &next_subnet);
        }
    }
}

void world_free(struct world *w)
{
    free(w->hosts);
    free(w->episodes);
    free(w->live.at);
    free(w->today.at);
    free(w->planned.at);
}

bool host_lives(const struct world *w, uint32_t host, int64_t at)
{
    return at >= w->hosts[host].birth && at < w->hosts[host].death;
}

uint32_t host_of_role(const struct world *w, uint32_t near, enum role role, uint64_t hash, int64_t at)
{
    uint32_t vpc = w->hosts[near].vpc, n = w->role_count[vpc][role];
    for (uint32_t i = 0; i < 4 && n; i++) {
        uint32_t id = w->role_first[vpc][role] + (uint32_t)((hash + i) % n);
        if (id != near && host_lives(w, id, at)) return id;
    }
    return NOBODY;
}

/* ---- places outside ---- */

static const struct provider {
    unsigned char a, b;
    const char *service;
} providers[] = {
    {52, 216, "S3"},         {206, 190, "-"},          {151, 101, "-"},  {162, 159, "-"},  {104, 16, "-"},  {142, 250, "-"},
    {13, 224, "CLOUDFRONT"}, {13, 107, "-"},           {20, 190, "-"},   {23, 45, "-"},    {34, 120, "-"},  {35, 186, "-"},
    {31, 13, "-"},           {54, 239, "AMAZON"},      {52, 94, "AMAZON"}, {18, 160, "CLOUDFRONT"}, {17, 253, "-"}, {140, 82, "-"},
    {185, 199, "-"},         {199, 232, "-"},          {99, 86, "CLOUDFRONT"}, {40, 126, "-"}, {52, 96, "-"}, {157, 240, "-"},
    {162, 125, "-"},         {204, 79, "-"},           {216, 58, "-"},   {74, 125, "-"},   {3, 208, "EC2"}, {44, 192, "EC2"},
    {34, 192, "EC2"},        {52, 20, "EC2"},
};
#define NPROVIDERS (sizeof providers / sizeof *providers)

/* A provider is a /16 (or a /32 of IPv6). Half of its addresses stay, the other half change every day. */
struct addr provider_addr(uint32_t provider, int64_t day, uint32_t slot, bool v6)
{
    const struct provider *p = &providers[provider % NPROVIDERS];
    uint64_t x = hash4('p', provider % NPROVIDERS, slot, slot & 1 ? (uint64_t)day : 0);
    if (v6) return (struct addr){0x2a04000000000000u | (uint64_t)p->a << 40 | (uint64_t)p->b << 32 | (x >> 56), x};
    return (struct addr){0, (uint64_t)p->a << 24 | (uint64_t)p->b << 16 | (x & 0xffff)};
}

const char *provider_service(struct addr a)
{
    for (size_t i = 0; i < NPROVIDERS && !a.hi; i++)
        if (a.lo >> 16 == (uint64_t)(providers[i].a << 8 | providers[i].b)) return providers[i].service;
    return "-";
}

/* A SaaS endpoint has a fixed address that moves inside its /24 every 40 days. */
struct addr saas_addr(const struct world *w, uint32_t which, int64_t day)
{
    uint64_t x = hash4(w->cfg.seed, 'e', which, 0);
    struct addr a = addr_public(x);
    a.lo = (a.lo & ~(uint64_t)255) | (1 + hash4(x, (uint64_t)(day + (int64_t)(x % 40)) / 40, 0, 0) % 254);
    return a;
}

/* ---- time ---- */

static const float hour_share[RHYTHMS][24] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {.15f, .12f, .1f, .1f, .12f, .2f, .5f, 1.1f, 1.9f, 2.3f, 2.4f, 2.2f, 1.8f, 2.1f, 2.3f, 2.1f, 1.7f, 1.1f, .6f, .4f, .3f, .25f, .2f, .18f},
    {.5f, .3f, .2f, .15f, .15f, .2f, .4f, .7f, .9f, 1, 1.1f, 1.2f, 1.3f, 1.2f, 1.1f, 1.1f, 1.2f, 1.4f, 1.7f, 2, 2.1f, 1.9f, 1.4f, .9f},
    {2.5f, 3.5f, 4, 3.5f, 2.5f, 1.5f, .7f, .3f, .2f, .2f, .2f, .2f, .2f, .2f, .2f, .2f, .2f, .2f, .2f, .3f, .4f, .6f, 1, 1.6f},
};
static const float weekend_share[RHYTHMS] = {1, 0.25f, 1.2f, 0.9f};

double rhythm(uint32_t kind, int64_t at)
{
    int64_t day = at / DAY_S, second = at % DAY_S, hour = second / 3600;
    double part = (double)(second % 3600) / 3600, here = (double)hour_share[kind][hour], next = (double)hour_share[kind][(hour + 1) % 24];
    bool weekend = (day + 4) % 7 == 0 || (day + 4) % 7 == 6;
    return (here + (next - here) * part) * (weekend ? (double)weekend_share[kind] : 1);
}

/* After Howard Hinnant's civil_from_days. */
struct date date_of(int64_t at)
{
    int64_t z = at / DAY_S + 719468, era = z / 146097, doe = z % 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153, second = at % DAY_S;
    unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    return (struct date){(unsigned)(yoe + era * 400) + (month <= 2), month, (unsigned)(doy - (153 * mp + 2) / 5 + 1),
                         (unsigned)(second / 3600), (unsigned)(second / 60 % 60), (unsigned)(second % 60)};
}

/* The last two days of a month and the first of the next. */
bool month_end(int64_t at)
{
    return date_of(at).day == 1 || date_of(at + DAY_S).day == 1 || date_of(at + 2 * DAY_S).day == 1;
}

/* ---- nightly backups: every database, every batch host, a third of the application hosts ---- */

int64_t backup_start(const struct world *w, uint32_t host, int64_t day)
{
    uint64_t x = hash4(w->cfg.seed, 'b', host, 0), today = hash4(x, (uint64_t)day, 0, 0);
    uint8_t role = w->hosts[host].role;
    bool has = role == ROLE_DB || role == ROLE_BATCH || (role == ROLE_APP && x % 3 == 0);
    if (!has || today % 100 == 0) return -1; /* one night in a hundred it fails */
    return day * DAY_S + 3600 + (int64_t)((x >> 8) % 10800) + (int64_t)((today >> 8) % 240);
}

uint64_t backup_bytes(const struct world *w, uint32_t host, int64_t day)
{
    uint64_t x = hash4(w->cfg.seed, 'b', host, 0);
    double base = w->hosts[host].role == ROLE_DB ? 2.5e9 : w->hosts[host].role == ROLE_BATCH ? 8e8 : 1.5e8;
    double growth = 0.003 * (double)(day - w->cfg.start / DAY_S), weekly = (day + 4) % 7 == 0 && w->hosts[host].role == ROLE_DB ? 1 : 0;
    double octaves = 1.1 * normal_of(hash4(x, 1, 0, 0)) + 0.12 * normal_of(hash4(x, 2, (uint64_t)day, 0)) + growth + weekly;
    return (uint64_t)(base * pow2(octaves));
}

uint32_t backup_provider(const struct world *w, uint32_t host)
{
    return hash4(w->cfg.seed, 'b', host, 9) % 10 < 7 ? PROVIDER_S3 : PROVIDER_STORAGE;
}
