/* SPDX-License-Identifier: Apache-2.0 */
/* baseline - what is normal for one host: sums of closed days to rings of daily values. No I/O.
 *
 * Volumes live on a log scale: y = lg(b) = log2(1 + b / 65536), kept rounded to 1/8 octave in one byte (0 = nothing).
 * A ring holds the last 28 daily values; the reference is its second largest (largest while n < 14), never the mean.
 * Learning happens once a day, in day order, when the day closes; what was flagged is not learned for the quarantine.
 * At most 64 groups a host: the one unseen longest goes, and is counted. Source: docs/detection.md. */
#ifndef WEIR_BASELINE_H
#define WEIR_BASELINE_H

#include "weir/window.h"

#define BASELINE_RING 28
#define BASELINE_GROUPS 64
#define BASELINE_BLOB 'h'
#define BASELINE_VERSION 1

struct ring {
    uint8_t n;                 /* values present, newest last */
    uint8_t v[BASELINE_RING];  /* lg in 1/8 octaves, 0..255 */
};
enum baseline_feature { FEATURE_HOUR_MAX, FEATURE_DAY_EXTERNAL, FEATURE_NEW_DESTINATION, FEATURE_SERVED_MAX, FEATURE_COUNT };

struct baseline_group {
    uint64_t group;
    uint16_t first_day, last_day; /* days since 1970 */
    uint16_t days;                /* days seen, saturating */
    struct ring ring;             /* bytes of the days on which it was seen */
};
struct baseline {
    uint64_t host_id;
    struct ip host;
    uint16_t first_day, last_day; /* first and last learned day; 0 = none */
    uint16_t days;                /* learned days */
    uint32_t evicted;             /* groups that went for lack of room */
    struct ring feature[FEATURE_COUNT];
    uint16_t finding_first_day;   /* first and last day of the finding that is still open; 0 = none */
    uint16_t finding_last_day;
    uint16_t groups;
    struct baseline_group group[BASELINE_GROUPS]; /* ascending by group */
};

double lg_bytes(uint64_t bytes);       /* octaves */
uint8_t lg_round(uint64_t bytes);      /* 1/8 octave, nearest, capped at 255 */
double lg_unround(uint8_t v);
uint64_t lg_to_bytes(double octaves);  /* inverse, rounded */

void baseline_init(struct baseline *b, uint64_t host_id, struct ip host);
const struct baseline_group *baseline_find(const struct baseline *b, uint64_t group);
/* Familiar: seen on >= 5 days, or on >= 2 days and first seen >= 10 days ago; or met in the first 5 days of the host (its initial set). */
bool baseline_familiar(const struct baseline *b, uint64_t group, uint16_t today);
/* The largest, the second largest ... of a ring; 0 when n <= rank. */
uint8_t ring_rank(const struct ring *r, unsigned rank);
void ring_push(struct ring *r, uint8_t v);
/* Learn one closed day; days must come in ascending order (an older one is ignored). flagged: groups (ascending) that were raised and are not learned;
 * whole: the host's features are not learned either. */
void baseline_learn(struct baseline *b, const struct host_day *day, const uint64_t *flagged, size_t flagged_n, bool whole);

WEIR_MUST_USE enum weir_err baseline_encode(const struct baseline *b, struct buffer *out);
WEIR_MUST_USE enum weir_err baseline_decode(struct slice blob, struct baseline *out); /* CORRUPT, VERSION */

#endif
