/* flowgen: a seeded world of hosts, and the VPC flow logs that AWS would write of it.
 *
 * The world is a pure function of the options: every random draw comes from a generator keyed by (seed, what is being drawn), so two
 * runs give the same bytes whatever the number of threads, and only + - * / are used on doubles, so machines agree too.
 * Files: flowgen.c (options, main loop) · flowgen_world.c (hosts, roles, habits) · flowgen_spawn.c (connections of an interval)
 * · flowgen_day.c (shape evaluation) · flowgen_places.c (its Internet) · flowgen_survey.c (its attacks) · flowgen_oracle.c, flowgen_groups.c (what could be found) · flowgen_attack.c (planned episodes) · flowgen_emit.c (connections to records) · flowgen_format.c (records to lines)
 * · flowgen_out.c (lines to objects) · flowgen_truth.c (what really happened) · flowgen_rand.c (chance).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOWGEN_H
#define FLOWGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TICK_S 300 /* AWS publishes every five minutes; the simulation moves in the same steps */
#define DAY_S 86400
#define MAX_FIELDS 64
#define MAX_EPISODES 4096
#define MAX_VPCS 250
#define NOBODY UINT32_MAX

/* ---- chance ---- */
struct rng {
    uint64_t s[4];
};
uint64_t hash4(uint64_t a, uint64_t b, uint64_t c, uint64_t d);
struct rng rng_of(uint64_t seed, uint64_t what, uint64_t who, uint64_t when);
uint64_t rng_u64(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);      /* 0 .. n-1; n > 0 */
double rng_unit(struct rng *r);                     /* 0 <= x < 1 */
double rng_normal(struct rng *r);                   /* mean 0, deviation 1, cut at +-6 */
uint32_t rng_poisson(struct rng *r, double mean);   /* normal approximation above 64 */
double unit_of(uint64_t hash);                      /* a hash as 0 <= x < 1 */
double normal_of(uint64_t hash);                    /* a hash as a standard normal value */
double pow2(double x);                              /* 2^x */
double log_2(double x);                             /* x > 0 */

/* ---- addresses: IPv4 when hi is 0 ---- */
struct addr {
    uint64_t hi, lo;
};
size_t addr_print(struct addr a, char *out); /* at most 45 characters and NUL */
bool addr_parse(const char *text, struct addr *out);
struct addr addr_public(uint64_t hash); /* some public unicast IPv4 address that is neither reserved nor documentation */

/* ---- options ---- */
enum shape { SHAPE_NORMAL, SHAPE_FLOOD, SHAPE_MANYHOSTS, SHAPE_EVALUATION };
enum layout { LAYOUT_PLAIN, LAYOUT_HOURLY, LAYOUT_HIVE, LAYOUT_HIVE_HOURLY };
enum role { ROLE_DB, ROLE_APP, ROLE_WEB, ROLE_BATCH, ROLE_BASTION, ROLE_CACHE, ROLES };

struct config {
    uint64_t seed;
    int64_t start;
    uint32_t days, hosts, vpcs, accounts;
    uint32_t role_share[ROLES];
    uint32_t ipv6_pm, nat, churn_pm, novelty_pm, rollouts, endpoint;
    bool drop_nat_copies, flood_in;
    enum shape shape;
    uint64_t bytes; /* uncompressed size wanted; 0: natural size at this intensity */
    double intensity;
    uint32_t aggregation, skip_pm, nodata_pm;
    int fields[MAX_FIELDS];
    uint32_t nfields, version; /* version: the highest of the fields' versions, as AWS writes it */
    bool cloudwatch;
    enum layout layout;
    bool single, plain, double_subscription, labels_hours, labels_days, attacks_only;
    uint32_t period, late_pm, level, threads;
    uint64_t object_cap;
    const char *region, *prefix, *out;
    const char *attacks[256];
    uint32_t nattacks, random_attacks, random_benign, survey, variant, oracle;
};

/* ---- the world ---- */
struct host {
    struct addr v4, v6; /* v6.hi == 0: none */
    int64_t birth, death;
    float factor; /* how busy, in multiples of its role's mean */
    uint32_t subnet;
    uint16_t vpc;
    uint8_t role, az;
    bool reserved; /* lives only when an attack needs a new host (shape evaluation) */
};

/* One connection (or one datagram exchange), told from our host's side: [0] is what the host sends, [1] what it receives. */
struct session {
    int64_t start;
    uint64_t bytes[2], packets[2];
    struct addr peer;
    uint32_t duration, host, peer_host; /* peer_host: NOBODY, or the host of ours at the other end */
    int32_t episode;                    /* -1: everyday life */
    uint16_t host_port, peer_port, nat_port;
    uint8_t protocol;
    bool served, reject, v6, nat, endpoint;
};

struct session_list {
    struct session *at;
    size_t n, cap;
};

struct episode {
    const char *kind, *truth;
    uint32_t host;
    struct addr peers[16];
    uint32_t npeers, peers_total;
    uint16_t port;
    uint8_t protocol;
    int64_t start, end;                                 /* of the connections */
    int64_t tenth;                                      /* when a tenth of the bytes had left (0: not known) */
    uint64_t usual;                                     /* what the host sends on a usual day, where the size follows it; else 0 */
    uint64_t bytes_sent;                                /* what left the host */
    uint64_t bytes_out, bytes_in, packets_out, records; /* what the logs tell of it */
};

/* Shape evaluation: what differs from world to world. */
struct temper {
    double tail, tail_fold;             /* exponent of the heavy volumes; one in so many is heavy (0: flowgen's own) */
    double day_octaves, backup_octaves; /* spread from day to day */
    double errands, services, shifts, campaigns, changes; /* per thousand host-days (campaigns: role-days) */
    double weekly, monthly;             /* share of hosts with such a job */
};

struct world {
    struct config cfg;
    struct temper temper;
    uint64_t luck;       /* what chance does on redrawn_day; on all other days it follows the seed */
    int64_t redrawn_day; /* -1: none */
    struct session_list today; /* shape evaluation: the day's connections, sorted by start */
    size_t next_today;
    struct host *hosts;
    int64_t end;
    uint32_t role_first[MAX_VPCS][ROLES], role_count[MAX_VPCS][ROLES];
    uint32_t naz;
    double knob;        /* scale of everyday traffic (or of the flood), found by calibration */
    uint32_t sample;    /* only every n-th host lives: calibration */
    struct session_list live, planned; /* planned: sorted by start */
    size_t next_planned;
    struct episode *episodes;
    uint32_t nepisodes;
};

void fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *need(void *memory); /* the argument, or the end of the program when it is NULL */
bool parse_number(const char *text, uint64_t *out); /* 42, 10K, 40G (powers of 1000), 1GiB (of 1024); false on anything else */
bool parse_date(const char *text, int64_t *out);    /* YYYY-MM-DD, UTC */

void world_build(struct world *w);
void world_free(struct world *w);
uint64_t host_prefix6(const struct host *h);
bool host_lives(const struct world *w, uint32_t host, int64_t at);
uint32_t host_of_role(const struct world *w, uint32_t near, enum role role, uint64_t hash, int64_t at); /* same VPC; NOBODY if none */
const char *role_name(enum role role);
bool role_parse(const char *name, enum role *out);
struct addr provider_addr(uint32_t provider, int64_t day, uint32_t slot, bool v6);
struct addr saas_addr(const struct world *w, uint32_t which, int64_t day);
const char *provider_service(struct addr a); /* the AWS service name of an address, "-" if none */
double rhythm(uint32_t kind, int64_t at);    /* multiplier of a rhythm at a time */
struct date {
    unsigned year, month, day, hour, minute, second;
};
struct date date_of(int64_t at); /* UTC */
bool month_end(int64_t at);
int64_t backup_start(const struct world *w, uint32_t host, int64_t day); /* -1: this host has none */
uint64_t backup_bytes(const struct world *w, uint32_t host, int64_t day);
uint32_t backup_provider(const struct world *w, uint32_t host);
enum { RHYTHM_FLAT, RHYTHM_OFFICE, RHYTHM_EVENING, RHYTHM_NIGHT, RHYTHMS };
enum { PROVIDER_S3, PROVIDER_STORAGE, PROVIDER_UPDATES, PROVIDER_NTP, PROVIDERS_FIXED };

/* A connection of a host of ours, opened by the host unless served; packets follow from bytes. */
struct session session_make(const struct world *w, uint32_t host, struct addr peer, uint16_t peer_port, uint8_t protocol, int64_t start,
                            uint32_t duration, uint64_t bytes_out, uint64_t bytes_in, uint64_t hash);
void session_push(struct session_list *list, struct session s);
double sample_weight(const struct world *w); /* everyday traffic of all hosts, in multiples of the sample's */
void sessions_sort(struct session_list *list); /* by start */
void spawn_tick(struct world *w, int64_t tick); /* all connections that begin in [tick, tick + TICK_S) */

/* ---- shape evaluation ---- */
void temper_draw(struct world *w);
void day_spawn(const struct world *w, uint32_t host, int64_t day, struct session_list *out); /* everyday life of a host on a day */
void days_spawn_tick(struct world *w, int64_t tick);
double usual_day(struct world *w, uint32_t host, int64_t day, bool served); /* bytes out, the median of a few days that could have been */
struct addr addr_near(const struct world *w, uint64_t hash); /* some public address, seldom in a far country */
void places_write(const struct world *w); /* places.tsv: countries and systems */
void survey_plan(struct world *w); /* cfg.survey exfiltrations of each kind */
void oracle_write(struct world *w, uint32_t redraws); /* how one would judge the episodes that knew every host's true distribution */

/* ---- attacks and look-alikes ---- */
bool attack_plan(struct world *w, const char *spec, char *why, size_t why_size); /* KIND[:key=value...] */
void attack_plan_random(struct world *w, uint32_t attacks, uint32_t benign);
void rollout_plan(struct world *w, uint32_t count);
void attack_help(FILE *fp);
void plan_sort(struct world *w);

/* ---- records ---- */
enum leg { LEG_OUT, LEG_IN, LEG_NAT_FROM_HOST, LEG_NAT_OUT, LEG_NAT_IN, LEG_NAT_TO_HOST, LEG_PEER_IN, LEG_PEER_OUT, LEG_NODATA, LEG_SKIPDATA };

struct record {
    const struct session *session; /* NULL: NODATA, SKIPDATA */
    int64_t start, end;
    uint64_t bytes, packets;
    uint32_t eni; /* hosts first, then NAT gateways */
    uint8_t leg, flags;
};

struct truth;
struct sink; /* where lines go: objects on disk, or a mere count of bytes */
struct emitter;
struct emitter *emitter_new(struct world *w, struct sink *sink, struct truth *truth);
void emitter_tick(struct emitter *e, int64_t tick); /* the records whose interval ends in [tick, tick + TICK_S) */
void emitter_free(struct emitter *e);
uint32_t eni_vpc(const struct world *w, uint32_t eni);
uint32_t eni_of_nat(const struct world *w, uint32_t host); /* the NAT gateway that a host's traffic passes */

int field_find(const char *name, size_t n); /* -1: unknown */
bool fields_parse(struct config *c, const char *list);
bool format_parse(struct config *c, const char *name);
size_t header_print(const struct config *c, char *out, size_t size);
#define LINE_MAX_BYTES 4096
struct eni_text { /* what all lines of an interface share; filled once for a run of them */
    uint32_t eni;
    char id[24], account[16], vpc[24], subnet[32], instance[24], az[24], tag[32];
};
void eni_text_fill(const struct world *w, uint32_t eni, struct eni_text *text);
size_t line_print(const struct world *w, const struct eni_text *text, const struct record *r, char *out); /* one line with its newline */
void account_print(const struct world *w, uint32_t vpc, char out[16]);
void flow_log_print(const struct world *w, uint32_t vpc, uint32_t subscription, char out[24]);

/* ---- objects ---- */
struct sink *sink_new_count(void);
struct sink *sink_new_objects(const struct world *w);
void sink_line(struct sink *s, uint32_t vpc, int64_t tick, const char *line, size_t n);
uint64_t sink_bytes(const struct sink *s);
uint64_t sink_records(const struct sink *s);
void sink_close(struct sink *s); /* finishes objects and writes manifest.json */

/* ---- truth ---- */
struct truth *truth_new(struct world *w);
void truth_record(struct truth *t, const struct record *r);
void truth_tick(struct truth *t, int64_t tick); /* nothing that starts before tick - aggregation can come any more */
void truth_close(struct truth *t);
struct day_sums *day_sums_new(struct world *w); /* --labels days */
void day_sums_record(struct day_sums *d, const struct record *r);
void day_sums_until(struct day_sums *d, int64_t at);
void day_sums_close(struct day_sums *d);

#endif
