/* SPDX-License-Identifier: Apache-2.0 */
/* score - one host-day against its baseline, its class and the other hosts of the day: named parts out. One file per test.
 *
 * A part says for one test: what was observed, what was expected (reference and spread), the excess u in spreads, the
 * rate at which a benign host-day of this kind reaches that, and the share of the budget the test owns. A test raises when
 * rate <= threshold. Tests work on day-to-date sums hour by hour, hence monotone: they may fire early, and
 * more bytes never un-fire them. (Judging withdraws a claim all the same when later records show a forwarder, or what all hosts did.)
 *
 * A day is judged in two passes over its hosts: the survey, from which it is known what many hosts did at once, and the
 * judgement. Both are functions of sums, baselines and classes of closed days, so a day can be judged again at any time.
 * Rules (a ceiling, a listed network, a policy) are no statistics: they raise always and own no budget. Source: docs/detection.md. */
#ifndef WEIR_SCORE_H
#define WEIR_SCORE_H

#include "weir/baseline.h"
#include "weir/window.h"

/* id, word, what is measured */
#define SCORE_TEST_LIST(X)                                                                                           \
    X(HOUR_VOLUME, "hour-volume", "external bytes sent in one hour")                                                \
    X(GROUP_VOLUME, "group-volume", "bytes of the day to a destination the host knows")                             \
    X(NEW_DESTINATION, "new-destination", "bytes of the day to destinations new to the host and its class")          \
    X(NEW_FAR, "new-far", "bytes of the day to new destinations in countries new to the host and its class")         \
    X(CLASS_DESTINATION, "class-destination", "bytes of the day to a destination new to the host but not to its class") \
    X(ODD_PROTOCOL, "odd-protocol", "bytes of the day to new destinations by DNS, ICMP or no usual service")         \
    X(SLOW, "slow", "bytes to a young destination since it was first seen, without its largest day")                \
    X(SLOW_FAR, "slow-far", "the same, to a destination in a country new to the host and its class")                \
    X(SPLIT, "split", "number of new destinations that got more than 4 MB in the day")                              \
    X(SERVED_VOLUME, "served-volume", "bytes of the day served to one client network")                              \
    X(SERVED_NEW, "served-new", "bytes of the day served to one new client network")                                \
    X(INTERNAL_PAIR, "internal-pair", "bytes of the day to a host of ours that the host knows")                     \
    X(INTERNAL_SUBNET, "internal-subnet", "bytes of the day to a subnet of ours that is new to the host and its class") \
    X(BEACON, "beacon", "hours of two days in which a young destination was called")                                \
    X(BEACON_FAR, "beacon-far", "hours of two days in which a young destination in a new country was called")         \
    X(CREEP, "creep", "external bytes of the day, against what was usual long ago")
/* Rules: what the operator forbids, not what is unusual. */
#define SCORE_RULE_LIST(X)                                                                                           \
    X(THREAT_LIST, "threat-list", "bytes of the day to networks on the list of threats")                            \
    X(POLICY, "policy", "bytes of the day, both ways, of connections that a rule of the policy does not allow")      \
    X(CEILING, "ceiling", "external bytes of the day above the ceiling of the host's role")                          \
    X(DNS_TUNNEL, "dns-tunnel", "bytes of different names below one domain, asked for in the day by DNS")           \
    X(ECHO_TUNNEL, "echo-tunnel", "bytes of the day that ICMP echoes carried outside beyond those of a usual ping")  \
    X(CLEAR_TEXT, "clear-text", "bytes of the day that a sensitive host sent outside in the clear, or by TLS below 1.2")  \
    X(ODD_PORT, "odd-port", "bytes of the day that went outside by a protocol on a port that is not its own")
#define SCORE_TEST_ENUM(id, word, text) SCORE_##id,
/* Below SCORE_STATISTICAL_COUNT: tests with a share of the budget, a history and a rate; from there on rules. */
enum score_test { SCORE_TEST_LIST(SCORE_TEST_ENUM) SCORE_STATISTICAL_COUNT, SCORE_BEFORE_RULES = SCORE_STATISTICAL_COUNT - 1,
                  SCORE_RULE_LIST(SCORE_TEST_ENUM) SCORE_TEST_COUNT };
static inline bool score_test_is_rule(enum score_test test) { return test >= SCORE_STATISTICAL_COUNT; }
#define SCORE_STRATA 2
#define SCORE_HISTORIES (SCORE_STRATA * SCORE_STATISTICAL_COUNT) /* history of a test's stratum: SCORE_STRATA * test + stratum */
_Static_assert(SCORE_HISTORIES <= BASELINE_HISTORIES, "a run of days for each");
const char *score_test_word(enum score_test test);
const char *score_test_text(enum score_test test);
bool score_test_counts(enum score_test test); /* it counts destinations or hours, not bytes */
double score_test_count(enum score_test test, double y); /* how many, from the scale of such a test */
unsigned score_test_factor(enum score_test test); /* how many times each byte counts on the scale of the test: mostly 1 */

struct score_part {
    enum score_test test;
    bool raised;
    uint8_t stratum;           /* 0: compared with nothing like it in the past (a quiet or short history); 1: with something */
    uint64_t group;            /* the destination group it speaks of; 0 = several, or the whole host */
    uint64_t observed_bytes;   /* also where something else is counted: the bytes behind it */
    uint32_t observed_count;   /* destinations or hours, for the tests that count them */
    uint64_t reference_bytes;  /* what the excess is measured from: 2^reference, never under the floor */
    uint64_t floor_bytes;
    uint64_t largest_bytes;    /* the largest value in the history (0 if none) */
    uint32_t history_days;     /* values in the ring */
    double observed, reference, spread; /* octaves: lg(b) = log2(1 + b/65536), or the scale of the test */
    double common;             /* excess that the class, or the users of the group, showed as well: taken off */
    double excess;             /* u = (observed - reference) / spread - common */
    double rate;               /* benign host-days that reach u, per host-day */
    double share;              /* w of the test, all tests sum to 1 */
    double threshold;          /* share * budget, divided by the strata that a host-day can be raised in */
    uint8_t since_hour;        /* first hour (0..23) at whose end the day-to-date sum raised; 24 = did not */
    uint8_t from_hour, to_hour; /* hours (inclusive) whose bytes the part counts */
    struct slice rule;         /* of a policy: the name of the rule. Borrowed */
};

#define SCORE_PARTS_MAX 64
struct score {
    double value; /* -log10(min rate/share): 3 means one in a thousand host-days */
    double budget; /* false findings per host-day */
    bool raised, learning; /* learning: history shorter than a week */
    bool unusual;          /* a test raised it, not only a rule */
    uint32_t host_days; /* days of history of this host */
    size_t n;
    struct score_part part[SCORE_PARTS_MAX]; /* raised parts first, then by rate, group */
};

struct score_model; /* constants; see models/ */
extern const struct score_model score_model_default;
const char *score_model_version(const struct score_model *m); /* "egress-3" */
double score_test_share(const struct score_model *m, enum score_test test); /* of the budget; all tests sum to 1. Not of a rule */
/* The smallest floor: on a host-day that sent less, inside and outside together, only the tests that count hours or the bytes of earlier days
 * can raise, whatever the baseline. */
uint64_t score_min_bytes(const struct score_model *m);

/* ---- how often: the calibration of a class ---- */
struct score_calibration; /* opaque */
/* From the histories of the class, or of the young hosts, mixed with those of the fleet, as of that day. While the fleet is young (or NULL) the
 * priors of the model speak alone. NULL: out of memory. */
struct score_calibration *score_calibration_new(const struct score_model *m, const struct class_state *class, const struct class_state *fleet, uint16_t day);
void score_calibration_free(struct score_calibration *c);
/* Benign host-days that reach an excess of u > 0, per host-day; 1 for u <= 0. */
double score_rate(const struct score_calibration *c, enum score_test test, unsigned stratum, double u);

/* ---- what all hosts of the day did ---- */
struct score_survey; /* opaque */
struct score_survey *score_survey_new(const struct score_model *m); /* NULL: out of memory */
void score_survey_free(struct score_survey *v);
/* All hosts have been surveyed: from now on it answers. fleet: tells how many hosts know a group; may be NULL. */
WEIR_MUST_USE enum weir_err score_survey_end(struct score_survey *v, const struct class_state *fleet, const struct score_calibration *calibration);

/* ---- one host-day ---- */
struct scorer; /* opaque: what is worked out about one host-day; reused for the next */
struct scorer *scorer_new(const struct score_model *m); /* NULL: out of memory */
void scorer_free(struct scorer *s);
/* Take up a host-day. survey: NULL in the first pass, ended in the second. fleet_days: closed days of the fleet. class: may be NULL. All borrowed
 * until the next call. NOMEM. */
WEIR_MUST_USE enum weir_err scorer_take(struct scorer *s, const struct host_day *day, const struct baseline *b, const struct class_state *class,
                                        unsigned fleet_days, const struct score_survey *survey);
/* First pass: tell the survey of it. *above: some test is above its reference, so that the host must be judged. NOMEM. */
WEIR_MUST_USE enum weir_err scorer_survey(struct scorer *s, struct score_survey *survey, bool *above);
/* Tests that say nothing, as bits; their shares of the budget stay unspent. */
void scorer_leave_out(struct scorer *s, uint32_t tests);
/* Second pass. budget: false findings per host-day. */
void scorer_judge(struct scorer *s, const struct score_calibration *c, double budget, struct score *out);
/* Rules. What a host-day breaks is raised whatever its history: no rate, no share, also on the first day. */
struct score_rules {
    uint64_t ceiling;       /* external bytes of a day; 0: none */
    const char *(*rule_name)(const void *policy, uint64_t group); /* of a group of host_day.broken; NULL when the rule is gone */
    const void *policy;
    bool sensitive;         /* the role of the host is */
};
bool score_rules_broken(const struct score_model *m, const struct score_rules *r, const struct host_day *day);
/* After scorer_judge: its parts are added. */
void score_rules_judge(const struct score_model *m, const struct score_rules *r, const struct host_day *day, struct score *out);
/* Bit i: part i of *score counts bytes that went to day->group[group] in that hour. For evidence. */
uint64_t scorer_covers(const struct scorer *s, const struct score *score, size_t group, unsigned hour);
/* What the day teaches: values of the features (see baseline_lesson), and after the judgement the largest excess of each history in 1/8 spreads,
 * 0 when nothing was above. */
struct score_lesson {
    uint8_t feature[FEATURE_COUNT], excess[SCORE_HISTORIES];
    bool judged[SCORE_HISTORIES]; /* the host-day counts in this history */
};
void scorer_lesson(const struct scorer *s, struct score_lesson *out);
/* The excess at which a test raises: what a raised day counts for in the calibration, 1/8 spreads. */
uint8_t score_alarm(const struct score_calibration *c, enum score_test test, unsigned stratum, double threshold);
/* Bytes that the host usually sends outside in each hour of that day, and what is much for it (two spreads more). False: no history. */
bool score_hour_band(const struct score_model *m, const struct baseline *b, uint16_t day, uint64_t usual[24], uint64_t high[24]);
/* What the class is told of a grown host: its reference in each feature, 1/8 octaves. */
void score_references(const struct score_model *m, const struct baseline *b, uint8_t reference[FEATURE_COUNT]);

#endif
