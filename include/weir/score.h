/* SPDX-License-Identifier: Apache-2.0 */
/* score - one window against one baseline: named parts out. Pure functions, one file per test, each with its formula.
 *
 * A part says for one test: what was observed, what was expected (reference and spread), the excess u in spreads, the
 * rate at which a benign host-day of this kind reaches that, and the share of the budget the test owns. A test raises when
 * rate <= weight_share * budget. Tests work on day-to-date sums hour by hour, hence monotone: they may fire early, and
 * more bytes never un-fire them. (Judging withdraws a claim all the same when later records show a forwarder, or more hosts share a weekly
 * budget.) Source: docs/detection.md. */
#ifndef WEIR_SCORE_H
#define WEIR_SCORE_H

#include "weir/baseline.h"
#include "weir/window.h"

#define SCORE_TEST_LIST(X)                                                                                           \
    X(HOUR_VOLUME, "hour-volume", "external bytes sent in one hour")                                                \
    X(GROUP_VOLUME, "group-volume", "bytes of the day to a destination the host knows")                             \
    X(NEW_DESTINATION, "new-destination", "bytes of the day to destinations the host never used")                   \
    X(SERVED_VOLUME, "served-volume", "bytes of the day served to one client network")
#define SCORE_TEST_ENUM(id, word, text) SCORE_##id,
enum score_test { SCORE_TEST_LIST(SCORE_TEST_ENUM) SCORE_TEST_COUNT };
const char *score_test_word(enum score_test test);
const char *score_test_text(enum score_test test);

struct score_part {
    enum score_test test;
    bool raised;
    uint64_t group;            /* the destination group it speaks of; 0 = the whole host */
    uint64_t observed_bytes;
    uint64_t reference_bytes;  /* what the excess is measured from: 2^reference, never under the floor */
    uint64_t floor_bytes;
    uint64_t largest_bytes;    /* the largest value in the history (0 if none) */
    uint32_t history_days;     /* values in the ring */
    double observed, reference, spread; /* octaves: lg(b) = log2(1 + b/65536) */
    double excess;             /* u = (observed - reference) / spread */
    double rate;               /* benign host-days that reach u, per host-day */
    double share;              /* w of the test, all tests sum to 1 */
    double threshold;          /* share * budget */
    uint8_t since_hour;        /* first hour (0..23) at whose end the day-to-date sum raised; 24 = did not */
    uint8_t from_hour, to_hour; /* hours (inclusive) whose bytes the part counts */
};

#define SCORE_PARTS_MAX 64
struct score {
    double value; /* -log10(min rate/share): 3 means one in a thousand host-days */
    double budget; /* false findings per host-day */
    bool raised, learning; /* learning: history shorter than a week */
    uint32_t host_days; /* days of history of this host */
    size_t n;
    struct score_part part[SCORE_PARTS_MAX]; /* raised parts first, then by rate, group */
};

struct score_model; /* constants; see models/ */
extern const struct score_model score_model_default;
const char *score_model_version(const struct score_model *m); /* "egress-1" */

/* Score one host-day. budget: false findings per host-day. Uses only its arguments. */
void score_day(const struct score_model *m, double budget, const struct host_day *day, const struct baseline *b, struct score *out);
/* No test can raise, whatever the baseline, on a host-day that sent less outside: the smallest floor. */
uint64_t score_min_bytes(const struct score_model *m);
/* Does the part count bytes that the host sent to this group in this hour? For evidence. */
bool score_covers(const struct score_part *p, const struct baseline *b, uint16_t today, uint64_t group, unsigned hour);

#endif
