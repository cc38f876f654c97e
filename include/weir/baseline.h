/* SPDX-License-Identifier: Apache-2.0 */
/* baseline - what is normal: for one host, and for the class of hosts that it belongs to. Sums of closed days only. No I/O.
 *
 * Volumes live on a log scale: y = lg(b) = log2(1 + b / 65536), kept rounded to 1/8 octave in one byte (0 = nothing).
 * A ring holds the last 28 daily values; the reference is its second largest (largest while n < 14), never the mean.
 * Learning happens once a day, in day order, when the day closes. What was raised is not learned, and nothing that goes to the same
 * groups, for a quarantine of 7 days that begins anew whenever it is raised again. After a quiet quarantine it is learned as if it
 * had been just too little to be raised: so a transfer repeated day by day never becomes normal, and a weekly job does.
 * At most 64 groups a host, 24 of them client networks: the one unseen longest goes, and is counted. Source: docs/detection.md. */
#ifndef WEIR_BASELINE_H
#define WEIR_BASELINE_H

#include "weir/window.h"

#define BASELINE_RING 28
#define BASELINE_GROUPS 64
#define BASELINE_CLIENTS 24     /* of them client networks at most */
#define BASELINE_BLOB 'h'
#define BASELINE_VERSION 2
#define BASELINE_HISTORIES 32  /* of excesses, each with its runs of days: two for each test of score */
#define BASELINE_YOUNG_DAYS 5  /* a host with fewer learned days is compared with its class */
#define BASELINE_INITIAL_DAYS 8 /* what a host meets in its first days is familiar from then on: a week, and what is weekly */
#define QUARANTINE_DAYS 7

struct ring {
    uint8_t n;                 /* values present, newest last */
    uint8_t v[BASELINE_RING];  /* 1/8 octaves, 0..255 */
};

/* Daily quantities of a host that have a ring: word, what it is. */
#define FEATURE_LIST(X)                                                                                              \
    X(DAY_EXTERNAL, "external", "bytes sent outside in a day")                                                       \
    X(HOUR_MAX, "hour", "bytes sent outside in the largest hour of a day")                                           \
    X(NEW, "new", "bytes of a day to new destinations by web and shell")                                             \
    X(FAR, "far", "the same, to countries that are new as well")                                                     \
    X(ODD, "odd", "bytes of a day to new destinations by anything else")                                             \
    X(SLOW, "slow", "bytes to one young destination since it was first seen")                                        \
    X(SLOW_FAR, "slow-far", "the same, in a country that is new as well")                                            \
    X(SPLIT, "split", "number of new destinations that got more than a little")                                      \
    X(SERVED, "served", "bytes of a day to the client network that got most")                                        \
    X(SERVED_NEW, "served-new", "bytes of a day to the new client network that got most")                            \
    X(SUBNET, "subnet", "bytes of a day to a new subnet of ours")                                                    \
    X(BEACON, "beacon", "hours of two days in which one young destination was called")                               \
    X(BEACON_FAR, "beacon-far", "the same, in a country that is new as well")
#define FEATURE_ENUM(id, word, text) FEATURE_##id,
enum baseline_feature { FEATURE_LIST(FEATURE_ENUM) FEATURE_COUNT };
const char *baseline_feature_word(enum baseline_feature f);

struct baseline_group {
    uint64_t group;               /* without country: group_network() */
    uint16_t first_day, last_day; /* days since 1970 */
    uint16_t days;                /* days seen, saturating */
    uint16_t born;                /* learned days of the host when it was first seen */
    uint32_t hours;               /* bit per hour of its last day that had bytes */
    uint64_t total;               /* bytes since it was first seen */
    struct ring ring;             /* bytes of the days on which it was seen */
};
/* What is usual at an hour: means of lg(bytes) in 1/32 octaves by kind of day (0 weekday, 1 weekend) and by day of the week, and
 * how far hours lie from them. */
struct baseline_profile {
    uint16_t mean[2][24], week[7][24];
    uint8_t days[2], weeks[7];    /* learned, saturating */
    uint8_t count[24];            /* residuals of each hour of the day, halved when over eight weeks */
    uint32_t squares[24];         /* their sums of squares, in 1/1024 octaves squared */
};
/* A test that is above its reference for days on end counts once for the calibration, with its largest excess. */
struct baseline_run {
    uint16_t day;                 /* on which it counts; 0: no run */
    uint16_t last_day;            /* last day above the reference */
    uint8_t excess;               /* 1/8 spreads */
};
struct baseline_flag { uint64_t group; uint16_t day; uint8_t value; }; /* value: 1/8 octaves, what it is learned as */
#define BASELINE_FLAGS 16
#define BASELINE_FOR_EVER UINT16_MAX /* the day of a flag whose quarantine does not end: a person said so */
struct baseline_country { uint16_t country, last_day; };
#define BASELINE_COUNTRIES 32
struct baseline {
    uint64_t host_id;
    uint64_t class_id;            /* of the last learned day; 0: none yet */
    struct ip host;
    uint16_t first_day, last_day; /* first and last learned day; 0 = none */
    uint16_t days;                /* learned days */
    uint8_t anchor, anchor_days;  /* usual external bytes of a day long ago, 1/8 octaves; learned days since it moved */
    uint32_t evicted;             /* groups that went for lack of room */
    struct ring feature[FEATURE_COUNT];
    struct baseline_profile profile;
    struct baseline_run run[BASELINE_HISTORIES];
    uint8_t flags;                /* groups in quarantine, ascending; the oldest goes first */
    struct baseline_flag flag[BASELINE_FLAGS];
    uint8_t countries;            /* of initiated groups, ascending; the one unseen longest goes first */
    struct baseline_country country[BASELINE_COUNTRIES];
    uint16_t groups;
    struct baseline_group group[BASELINE_GROUPS]; /* ascending by group */
};

double lg_bytes(uint64_t bytes);       /* octaves */
uint8_t lg_round(uint64_t bytes);      /* 1/8 octave, nearest, capped at 255 */
uint8_t lg_eighths(double octaves);    /* the same of octaves */
double lg_unround(uint8_t v);
uint64_t lg_to_bytes(double octaves);  /* inverse, rounded */

void baseline_init(struct baseline *b, uint64_t host_id, struct ip host);
const struct baseline_group *baseline_find(const struct baseline *b, uint64_t group);
/* Familiar: seen on >= 5 days, or on >= 2 days and first seen >= 10 days ago; or met in the first days of the host. */
bool baseline_familiar(const struct baseline *b, uint64_t group, uint16_t today);
bool baseline_quarantined(const struct baseline *b, uint64_t group, uint16_t today);
bool baseline_knows_subnet(const struct baseline *b, uint64_t subnet);  /* group_subnet() of an internal group */
bool baseline_knows_country(const struct baseline *b, uint16_t country);
/* The largest, the second largest ... of a ring; 0 when n <= rank. */
uint8_t ring_rank(const struct ring *r, unsigned rank);
void ring_push(struct ring *r, uint8_t v);
/* Expected lg(bytes) of an hour of that day, octaves, and the spread of hours around it; false: no history for that. */
bool profile_expect(const struct baseline_profile *p, uint16_t day, unsigned hour, double *octaves);
double profile_spread(const struct baseline_profile *p, unsigned hour, double prior, double prior_weight, double host_weight);

/* The subnet of an internal group as a key: /24 for IPv4, for IPv6 the hashed address itself. 0 for other groups. */
uint64_t group_subnet(uint64_t group);

/* One closed day, and what scoring saw in it. */
struct baseline_lesson {
    const struct host_day *day;
    uint64_t class_id;
    uint8_t feature[FEATURE_COUNT];   /* today's values, 1/8 octaves */
    uint32_t features;                /* bit per feature that is to be learned */
    const struct baseline_flag *flagged; size_t flagged_n; /* groups that were raised, ascending: in quarantine from now on */
    bool hours;                       /* the hours are to be learned */
};
/* What changed in what the host knows, for the counts of its class: networks of initiated groups, subnets of ours, country keys. When the
 * class has changed, all that the old one counted and all that the new one counts from now on. */
#define BASELINE_KEYS (BASELINE_GROUPS + BASELINE_COUNTRIES)
struct baseline_changes { uint64_t added[BASELINE_KEYS], removed[BASELINE_KEYS]; size_t added_n, removed_n; };
/* Learn what has been in quarantine long enough, before anything else is done on that day. */
void baseline_release(struct baseline *b, uint16_t today, struct baseline_changes *out);
/* What a raised day kept from being learned, for the day that a person says what it was. */
struct baseline_held {
    uint16_t day;
    bool hours, creep;            /* hour-volume, creep raised it */
    uint32_t gap_hours;
    uint64_t hour_out[24];
    size_t groups;                /* that were flagged, the largest ones */
    struct { uint64_t group; uint8_t value; } group[BASELINE_GROUPS]; /* all that they got, 1/8 octaves, largest first */
};
/* It was benign: its groups leave quarantine and are learned in full, as if the host had met them on its first day; the hours and the level of
 * the day, if they raised it. A person's word counts as two days, for from two weeks on the second largest is the reference. */
void baseline_confirm(struct baseline *b, const struct baseline_held *held, uint16_t today);
/* It was an attack: its groups are in quarantine for ever, and what was learned of those met since first_day is gone. */
void baseline_refuse(struct baseline *b, const struct baseline_held *held, uint16_t first_day);
/* Nobody says so any more of a flag that is for ever and not among kept[]: its quarantine begins anew. */
void baseline_reprieve(struct baseline *b, const uint64_t *kept, size_t n, uint16_t today);
/* What a class is told when `before` has become `after`. */
void baseline_compare(const struct baseline *before, const struct baseline *after, struct baseline_changes *out);
/* Everything goes; out->removed is what its class counted of it. */
void baseline_forget(struct baseline *b, struct baseline_changes *out);
static inline uint64_t country_key(uint16_t country) { return country; } /* of kind GROUP_NONE, so no group's */
/* Learn one closed day; days must come in ascending order (an older one is ignored and changes nothing). NOMEM: nothing was learned. */
WEIR_MUST_USE enum weir_err baseline_learn(struct baseline *b, const struct baseline_lesson *lesson, struct baseline_changes *out);

WEIR_MUST_USE enum weir_err baseline_encode(const struct baseline *b, struct buffer *out);
WEIR_MUST_USE enum weir_err baseline_decode(struct slice blob, struct baseline *out); /* CORRUPT, VERSION */

/* ---- a class of hosts: those of one role or subnet, all hosts of the store, or all young ones ---- */
#define CLASS_BLOB 'f'
#define CLASS_VERSION 1
#define CLASS_FLEET 1ULL /* id of the class of all hosts */
#define CLASS_YOUNG 2ULL /* id of the class of hosts younger than BASELINE_YOUNG_DAYS */
#define CLASS_REST 3ULL  /* id of the class of hosts whose own class found no room */
#define CLASS_GROUPS_MAX 262144
#define CALIBRATION_DAYS 28
#define CALIBRATION_KEPT 1024 /* largest excesses of a test and day; more are counted only */

struct class_group {
    uint64_t group;     /* network of an initiated group, a subnet, or a country */
    uint32_t hosts;     /* that know it */
    uint16_t last_day;  /* of the reference */
    uint8_t reference;  /* second largest host's day, 1/8 octaves, slowly decaying */
    uint8_t top[2];     /* two largest hosts of the day being learned; not stored */
};
struct class_state; /* opaque */
struct class_state *class_new(uint64_t class_id); /* NULL: out of memory */
void class_free(struct class_state *c);
uint64_t class_id(const struct class_state *c);
uint32_t class_hosts(const struct class_state *c);  /* that learned on the last closed day */
uint16_t class_last_day(const struct class_state *c); /* the last closed one with a host; 0: none */
uint16_t class_days(const struct class_state *c);   /* closed days with at least one host */
const struct class_group *class_find(const struct class_state *c, uint64_t group); /* or NULL */
/* Known to 3 hosts or more; to 2 in a class of fewer than 8. */
bool class_shares(const struct class_state *c, uint64_t group);
/* Upper quartile over its grown hosts of what they would be compared with in this feature, 1/8 octaves. */
uint8_t class_quartile(const struct class_state *c, enum baseline_feature f);

/* ---- what a closing day teaches a class; everything commutes until class_close ---- */
WEIR_MUST_USE enum weir_err class_change(struct class_state *c, uint64_t group, int hosts); /* more or fewer hosts know it; NOMEM */
void class_note_amount(struct class_state *c, uint64_t group, uint8_t eighths);       /* one host's day to a group that the class knows */
void class_note_host(struct class_state *c, const uint8_t reference[FEATURE_COUNT]);  /* a grown host learned; NULL: a young one */
/* A host-day was judged; excess > 0 counts, replaced: what the same run of days counted before (day 0: nothing). */
WEIR_MUST_USE enum weir_err class_note_excess(struct class_state *c, unsigned history, uint16_t day, uint8_t excess, struct baseline_run replaced);
WEIR_MUST_USE enum weir_err class_close(struct class_state *c, uint16_t day); /* NOMEM */

/* Excesses of one kind over the last 28 days before `day`: host-days judged, how many were above the reference, the largest of them descending. */
struct class_history { uint64_t host_days, above; uint8_t *excess; size_t n; };
WEIR_MUST_USE enum weir_err class_history(const struct class_state *c, unsigned history, uint16_t day, struct class_history *out); /* NOMEM; free out->excess */

WEIR_MUST_USE enum weir_err class_encode(const struct class_state *c, struct buffer *out);
WEIR_MUST_USE enum weir_err class_decode(struct slice blob, struct class_state **out); /* CORRUPT, VERSION, NOMEM */

#endif
