/* flowgen: writes a fleet's AWS VPC flow logs, with known truth, from a seed. See --help and flowgen.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PROBE_BYTES (48u << 20) /* calibration runs write no more than about this */
#define PROBE_HOSTS 8000u

void fatal(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("flowgen: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

void *need(void *memory)
{
    if (!memory) fatal("out of memory");
    return memory;
}

bool parse_number(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    uint64_t n = 0;
    size_t i = 0;
    for (; text[i] >= '0' && text[i] <= '9'; i++) {
        if (n > UINT64_MAX / 10 - 1) return false;
        n = n * 10 + (uint64_t)(text[i] - '0');
    }
    const char *unit = i && text[i] ? strchr(units, text[i]) : NULL;
    if (unit) {
        uint64_t base = !strcmp(text + i + 1, "iB") ? 1024 : 1000;
        if (base == 1000 && text[i + 1]) return false;
        for (const char *u = units; u <= unit; u++)
            if (__builtin_mul_overflow(n, base, &n)) return false;
    }
    *out = n;
    return i > 0 && (unit || !text[i]);
}

bool parse_date(const char *text, int64_t *out)
{
    unsigned part[3] = {0};
    for (int i = 0; i < 10; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
        if (!dash) part[(i > 4) + (i > 7)] = part[(i > 4) + (i > 7)] * 10 + (unsigned)(text[i] - '0');
    }
    if (text[10] || part[0] < 1970 || part[0] > 2100) return false;
    for (int64_t day = (part[0] - 1970) * 365; day < (part[0] - 1969) * 366; day++) { /* search: a date is parsed once a run */
        struct date d = date_of(day * DAY_S);
        if (d.year == part[0] && d.month == part[1] && d.day == part[2]) return *out = day * DAY_S, true;
    }
    return false;
}

/* ---- options ---- */

enum option_id {
    O_SEED = 256, O_START, O_DAYS, O_HOSTS, O_VPCS, O_ACCOUNTS, O_ROLES, O_IPV6, O_NAT, O_DROP_NAT, O_ENDPOINT, O_CHURN, O_NOVELTY, O_ROLLOUTS,
    O_INTENSITY, O_SHAPE, O_FLOOD, O_BYTES, O_FORMAT, O_FIELDS, O_CLOUDWATCH, O_AGGREGATION, O_SKIPDATA, O_NODATA, O_DOUBLE, O_OBJECTS, O_LAYOUT,
    O_PREFIX, O_REGION, O_PERIOD, O_CAP, O_LATE, O_PLAIN, O_LEVEL, O_ATTACK, O_ATTACKS, O_BENIGN, O_SURVEY, O_VARIANT, O_ATTACKS_ONLY, O_ORACLE, O_LABELS, O_THREADS, O_OUT, O_HELP
};

static const struct help {
    enum option_id id;
    const char *name, *argument, *text;
} helps[] = {
    {O_OUT, "out", "DIR", "where objects, labels.jsonl and manifest.json go (needed; made when absent)"},
    {O_SEED, "seed", "N", "same options and seed: same bytes (1)"},
    {O_START, "start", "DATE", "first day, UTC (2026-03-02, a Monday)"},
    {O_DAYS, "days", "N", "how many days (1)"},
    {O_HOSTS, "hosts", "N", "how many hosts (20; 1000000 in shape manyhosts)"},
    {O_VPCS, "vpcs", "N", "VPCs, each with its own flow log; 50,000 hosts at most in one (1)"},
    {O_ACCOUNTS, "accounts", "N", "accounts that share the VPCs (1)"},
    {O_ROLES, "roles", "LIST", "shares of roles (db=15,app=35,web=15,batch=15,bastion=5,cache=15)"},
    {O_IPV6, "ipv6", "PER_MILLE", "hosts with an IPv6 address too (0)"},
    {O_NAT, "nat", "N", "NAT gateways in a VPC, 0 to 3; each repeats what private hosts send out (1; other shapes 0)"},
    {O_DROP_NAT, "drop-nat-copies", NULL, "traffic passes the NAT gateways, but their interfaces are not logged"},
    {O_ENDPOINT, "endpoint", NULL, "S3 is reached through a gateway endpoint: no NAT, traffic-path 7"},
    {O_CHURN, "churn", "PER_MILLE", "hosts that appear or vanish, a day (5)"},
    {O_NOVELTY, "novelty", "PER_MILLE", "new benign destinations per thousand host-days (300)"},
    {O_ROLLOUTS, "rollouts", "N", "days on which many hosts meet the same new place (0)"},
    {O_INTENSITY, "intensity", "PERCENT", "everyday traffic, in per cent (100); --bytes sets it by itself"},
    {O_SHAPE, "shape", "SHAPE", "normal | flood (one host, millions of peers) | manyhosts (little of very many, each\n      seen once a day at least, no backups) | evaluation (few records, and a harder life: weekly and\n      monthly jobs, errands, new services, patch days, campaigns, level shifts; its temper follows the seed)"},
    {O_FLOOD, "flood", "WAY", "out (the host scans) | in (it is scanned); shape flood (out)"},
    {O_BYTES, "bytes", "SIZE", "uncompressed size wanted, at least and about: 50M, 1GiB (natural size)"},
    {O_FORMAT, "format", "F", "v2 v3 v4 v5 v7 v8 v9 v10 v11: all fields up to it; v5alpha: by name (v2)"},
    {O_FIELDS, "fields", "LIST", "own list of fields, separated by blanks or commas"},
    {O_CLOUDWATCH, "cloudwatch", NULL, "as exported from CloudWatch Logs: a time before each record, no header line"},
    {O_AGGREGATION, "aggregation", "SECONDS", "60 or 600 (60)"},
    {O_SKIPDATA, "skipdata", "PER_MILLE", "busy intervals of an interface that lose half of their records and say so (0)"},
    {O_NODATA, "nodata", "PER_MILLE", "silent intervals that are told (1000; with --bytes 20; other shapes 0)"},
    {O_DOUBLE, "double-subscription", NULL, "a second flow log id repeats everything"},
    {O_OBJECTS, "objects", "HOW", "s3: five-minute objects | single: one file, flows.log.gz (s3)"},
    {O_LAYOUT, "layout", "L", "plain | hourly | hive | hive-hourly: the folders (plain)"},
    {O_PREFIX, "prefix", "P", "folder before AWSLogs (none)"},
    {O_REGION, "region", "R", "region (us-east-1)"},
    {O_PERIOD, "period", "SECONDS", "time covered by an object, a multiple of 300 that divides a day (300)"},
    {O_CAP, "object-cap", "SIZE", "uncompressed size at which a further object begins (none)"},
    {O_LATE, "late", "PER_MILLE", "objects delivered 1 to 26 h late: their mtime and delivered_epoch tell (0)"},
    {O_PLAIN, "plain", NULL, "no compression"},
    {O_LEVEL, "level", "N", "gzip level 1 to 9 (6, as AWS does)"},
    {O_ATTACK, "attack", "KIND[:KEY=VALUE...]", "plan an episode; keys host (address, number or role), day (0 is the first, -1 the last), hour,\n"
                                                "      minute, minutes (how long), days, bytes, peer, port; kinds:"},
    {O_ATTACKS, "attacks", "N", "that many random exfiltrations, in the second half of the time (0)"},
    {O_BENIGN, "benign", "N", "that many random benign look-alikes (0)"},
    {O_SURVEY, "survey", "N", "N exfiltrations of each kind from day 28 on, each on its own host, sizes from hidden to\n      obvious; shape evaluation (0)"},
    {O_VARIANT, "variant", "N", "another choice of attacks in the same world (0)"},
    {O_ATTACKS_ONLY, "attacks-only", NULL, "only what the attacks add to the same world without them; shape evaluation"},
    {O_ORACLE, "oracle", "N", "also judge each attack as one would who knew every host's true distribution, from N days that\n      could have been, 40 at least; to oracle.tsv; shape evaluation (no)"},
    {O_LABELS, "labels", "WHAT", "episodes | hours: also what each host sent in each hour | days: hours, and bytes to new\n      addresses, a line for each host and day in days.tsv (episodes)"},
    {O_THREADS, "threads", "N", "compressing threads; no effect on the result (2)"},
    {O_HELP, "help", NULL, "this text"},
};
#define NHELPS (sizeof helps / sizeof *helps)

static void help_print(void)
{
    puts("usage: flowgen --out DIR [OPTION]...\nWrites AWS VPC flow logs of a made-up fleet, and the truth about them. Sizes: 10K, 40G (powers of 1000), 1GiB (of 1024).\n");
    for (size_t i = 0; i < NHELPS; i++) {
        printf("  --%s%s%s\n      %s\n", helps[i].name, helps[i].argument ? " " : "", helps[i].argument ? helps[i].argument : "", helps[i].text);
        if (helps[i].id == O_ATTACK) attack_help(stdout);
    }
}

static _Noreturn void usage(const char *what, const char *value)
{
    fprintf(stderr, "flowgen: %s '%s'; try --help\n", what, value);
    exit(2);
}

static uint64_t number_in(const char *name, const char *text, uint64_t least, uint64_t most)
{
    uint64_t n;
    if (!parse_number(text, &n) || n < least || n > most) {
        fprintf(stderr, "flowgen: --%s takes %llu to %llu, not '%s'\n", name, (unsigned long long)least, (unsigned long long)most, text);
        exit(2);
    }
    return n;
}

/* The number of a word in a list that ends with NULL. */
static int word_in(const char *name, const char *text, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], text)) return i;
    fprintf(stderr, "flowgen: --%s does not take '%s'\n", name, text);
    exit(2);
}

static void roles_parse(struct config *c, const char *list)
{
    memset(c->role_share, 0, sizeof c->role_share);
    for (const char *at = list; *at;) {
        char name[16] = "", number[16] = "";
        size_t k = strcspn(at, "="), n = strcspn(at, ",");
        uint64_t share;
        enum role role;
        if (k >= n || k >= sizeof name || n - k - 1 >= sizeof number) usage("cannot take roles", list);
        memcpy(name, at, k);
        memcpy(number, at + k + 1, n - k - 1);
        if (!role_parse(name, &role) || !parse_number(number, &share) || share > 1000) usage("cannot take roles", list);
        c->role_share[role] = (uint32_t)share;
        at += n + (at[n] == ',');
    }
}

static void option_world(struct config *c, int id, const char *name, const char *v)
{
    switch (id) {
    case O_SEED: c->seed = number_in(name, v, 0, UINT64_MAX); break;
    case O_START: if (!parse_date(v, &c->start)) usage("not a date", v); break;
    case O_DAYS: c->days = (uint32_t)number_in(name, v, 1, 3660); break;
    case O_HOSTS: c->hosts = (uint32_t)number_in(name, v, 1, 8000000); break;
    case O_VPCS: c->vpcs = (uint32_t)number_in(name, v, 1, MAX_VPCS); break;
    case O_ACCOUNTS: c->accounts = (uint32_t)number_in(name, v, 1, MAX_VPCS); break;
    case O_ROLES: roles_parse(c, v); break;
    case O_IPV6: c->ipv6_pm = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_NAT: c->nat = (uint32_t)number_in(name, v, 0, 3); break;
    case O_DROP_NAT: c->drop_nat_copies = true; break;
    case O_ENDPOINT: c->endpoint = true; break;
    case O_CHURN: c->churn_pm = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_NOVELTY: c->novelty_pm = (uint32_t)number_in(name, v, 0, 1000000); break;
    case O_ROLLOUTS: c->rollouts = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_INTENSITY: c->intensity = (double)number_in(name, v, 0, 100000) / 100; break;
    case O_FLOOD: c->flood_in = word_in(name, v, (const char *const[]){"out", "in", NULL}) == 1; break;
    case O_BYTES: c->bytes = number_in(name, v, 1000, UINT64_MAX >> 8); break;
    case O_ATTACK:
        if (c->nattacks == sizeof c->attacks / sizeof *c->attacks) usage("too many attacks", v);
        c->attacks[c->nattacks++] = v;
        break;
    case O_ATTACKS: c->random_attacks = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_BENIGN: c->random_benign = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_SURVEY: c->survey = (uint32_t)number_in(name, v, 0, 20); break;
    case O_VARIANT: c->variant = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_ORACLE: c->oracle = (uint32_t)number_in(name, v, 40, 100000); break;
    case O_ATTACKS_ONLY: c->attacks_only = true; break;
    default: break;
    }
}

static void option_output(struct config *c, int id, const char *name, const char *v)
{
    switch (id) {
    case O_FORMAT: if (!format_parse(c, v)) usage("no format", v); break;
    case O_FIELDS: if (!fields_parse(c, v)) usage("unknown or no field in", v); break;
    case O_CLOUDWATCH: c->cloudwatch = true; break;
    case O_AGGREGATION: c->aggregation = word_in(name, v, (const char *const[]){"60", "600", NULL}) ? 600 : 60; break;
    case O_SKIPDATA: c->skip_pm = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_NODATA: c->nodata_pm = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_DOUBLE: c->double_subscription = true; break;
    case O_OBJECTS: c->single = word_in(name, v, (const char *const[]){"s3", "single", NULL}) == 1; break;
    case O_LAYOUT: c->layout = (enum layout)word_in(name, v, (const char *const[]){"plain", "hourly", "hive", "hive-hourly", NULL}); break;
    case O_PREFIX: c->prefix = v; break;
    case O_REGION: c->region = v; break;
    case O_PERIOD: c->period = (uint32_t)number_in(name, v, TICK_S, DAY_S); break;
    case O_CAP: c->object_cap = number_in(name, v, 10000, UINT64_MAX); break;
    case O_LATE: c->late_pm = (uint32_t)number_in(name, v, 0, 1000); break;
    case O_PLAIN: c->plain = true; break;
    case O_LEVEL: c->level = (uint32_t)number_in(name, v, 1, 9); break;
    case O_LABELS: {
        int what = word_in(name, v, (const char *const[]){"episodes", "hours", "days", NULL});
        c->labels_hours = what == 1;
        c->labels_days = what == 2;
        break;
    }
    case O_THREADS: c->threads = (uint32_t)number_in(name, v, 1, 64); break;
    case O_OUT: c->out = v; break;
    default: break;
    }
}

static void options_read(struct config *c, int argc, char **argv)
{
    struct option longs[NHELPS + 1] = {{0}};
    static const char *const shapes[] = {"normal", "flood", "manyhosts", "evaluation", NULL};
    for (size_t i = 0; i < NHELPS; i++)
        longs[i] = (struct option){helps[i].name, helps[i].argument ? required_argument : no_argument, NULL, (int)helps[i].id};
    longs[NHELPS - 1].val = O_HELP;
    for (int id, index = 0; (id = getopt_long(argc, argv, "", longs, &index)) != -1;) {
        if (id == '?') exit(2);
        if (id == O_HELP) help_print(), exit(0);
        if (id == O_SHAPE) c->shape = (enum shape)word_in("shape", optarg, shapes);
        option_world(c, id, longs[index].name, optarg);
        option_output(c, id, longs[index].name, optarg);
    }
    if (optind < argc) usage("unknown argument", argv[optind]);
}

static void options_complete(struct config *c)
{
    if (!c->out) usage("needed:", "--out DIR");
    if (!c->hosts) c->hosts = c->shape == SHAPE_MANYHOSTS ? 1000000 : 20;
    if (c->nat == NOBODY) c->nat = c->shape == SHAPE_NORMAL;
    if (c->nodata_pm == NOBODY) c->nodata_pm = c->shape != SHAPE_NORMAL ? 0 : c->bytes ? 20 : 1000;
    if (c->period % TICK_S || DAY_S % c->period) usage("needed: a multiple of 300 that divides a day, for", "--period");
    if (!c->nfields) format_parse(c, "v2");
    if ((c->survey || c->attacks_only || c->oracle) && c->shape != SHAPE_EVALUATION) usage("only for shape evaluation:", c->survey ? "--survey" : c->oracle ? "--oracle" : "--attacks-only");
    if (c->shape == SHAPE_MANYHOSTS && !c->bytes) c->intensity /= 1000;
    if (strlen(c->out) > 2048 || strlen(c->prefix) > 100 || strlen(c->region) > 30) usage("too long:", "--out, --prefix or --region");
    if (mkdir(c->out, 0777) && errno != EEXIST) fatal("cannot create '%s': %s", c->out, strerror(errno));
}

/* ---- the run ---- */

static void world_run(struct world *w, struct sink *sink, struct truth *truth)
{
    struct emitter *e = emitter_new(w, sink, truth);
    w->live.n = w->next_planned = 0;
    for (int64_t tick = w->cfg.start; tick < w->end; tick += TICK_S) {
        if (truth) truth_tick(truth, tick);
        spawn_tick(w, tick);
        emitter_tick(e, tick);
    }
    emitter_free(e);
}

/* Size of the logs at a setting of the knob, on a sample of the hosts. */
static double size_at(struct world *w, double knob)
{
    struct sink *count = sink_new_count();
    w->knob = knob;
    world_run(w, count, NULL);
    double size = (double)sink_bytes(count) * sample_weight(w);
    sink_close(count);
    return size;
}

/* Beside a flood, everyday life is a tenth of the logs at most. */
static void flood_background(struct world *w, double wanted)
{
    double scale = w->cfg.hosts > 20 ? 20.0 / w->cfg.hosts : 1, size;
    w->cfg.intensity *= scale;
    size = size_at(w, 0);
    if (size > wanted / 10) w->cfg.intensity *= wanted / 10 / size;
}

/* A first setting from a small part of the world: the size is a straight line in the knob, but for chance. */
static double knob_guess(struct world *w, double wanted)
{
    if (w->cfg.shape != SHAPE_FLOOD && w->cfg.hosts > 2 * PROBE_HOSTS) w->sample = w->cfg.hosts / PROBE_HOSTS;
    double probe = (double)PROBE_BYTES * w->sample, low = size_at(w, 0), knob = 0.0005, size = size_at(w, knob);
    if (probe > wanted) probe = wanted;
    if (low > wanted) fatal("backups, attacks and silent intervals alone take %.0f bytes", low);
    for (int i = 0; i < 12 && size < probe * 0.7; i++) { /* first find the range */
        double slope = (size - low) / knob, next = slope > 0 ? (probe * 0.9 - low) / slope : knob * 10;
        knob = next > 0 && next < knob * 50 ? next : knob * 50;
        size = size_at(w, knob);
    }
    w->sample = 1;
    return size > low ? knob * (wanted * 1.01 - low) / (size - low) : knob;
}

/* Turns the knob until the logs have the size wanted, or up to 2 % more; of several tries the smallest that suffices is kept. */
static void world_calibrate(struct world *w)
{
    double wanted = (double)w->cfg.bytes, best = 0, best_size = 0;
    if (w->cfg.shape == SHAPE_FLOOD) flood_background(w, wanted);
    double knob = knob_guess(w, wanted);
    for (int i = 0; i < 10; i++) {
        double size = size_at(w, knob);
        if (size >= wanted && (best_size < wanted || size < best_size)) best = knob, best_size = size;
        if (best_size >= wanted && best_size <= wanted * 1.02) break;
        knob *= wanted * (1.008 + 0.002 * i) / size;
    }
    w->knob = best > 0 ? best : knob;
}

int main(int argc, char **argv)
{
    static struct world w = {.cfg = {.seed = 1, .start = 20514LL * DAY_S, .days = 1, .vpcs = 1, .accounts = 1, .role_share = {15, 35, 15, 15, 5, 15},
                                     .nat = NOBODY, .nodata_pm = NOBODY, .churn_pm = 5, .novelty_pm = 300, .intensity = 1, .aggregation = 60,
                                     .period = TICK_S, .level = 6, .threads = 2, .region = "us-east-1", .prefix = ""}};
    char why[256];
    options_read(&w.cfg, argc, argv);
    options_complete(&w.cfg);
    world_build(&w);
    for (uint32_t i = 0; i < w.cfg.nattacks; i++)
        if (!attack_plan(&w, w.cfg.attacks[i], why, sizeof why)) usage(why, w.cfg.attacks[i]);
    survey_plan(&w);
    if (!w.cfg.attacks_only) {
        attack_plan_random(&w, w.cfg.random_attacks, w.cfg.random_benign);
        rollout_plan(&w, w.cfg.rollouts);
    }
    plan_sort(&w);
    if (w.cfg.bytes) world_calibrate(&w);
    struct sink *sink = sink_new_objects(&w);
    struct truth *truth = truth_new(&w);
    world_run(&w, sink, truth);
    fprintf(stderr, "flowgen: %llu records, %llu bytes uncompressed\n", (unsigned long long)sink_records(sink), (unsigned long long)sink_bytes(sink));
    truth_close(truth);
    sink_close(sink);
    if (w.cfg.shape == SHAPE_EVALUATION && !w.cfg.attacks_only) places_write(&w);
    if (w.cfg.oracle) oracle_write(&w, w.cfg.oracle);
    world_free(&w);
    return 0;
}
