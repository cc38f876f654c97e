/* SPDX-License-Identifier: Apache-2.0 */
/* What the evidence of a day covers: which flow logs delivered in which five minutes, which interfaces fell silent, which columns were
 * missing, how many hosts were judged. Silence is told, it never reads as zero.
 *
 *   v <day, 4 hex>  blob 'v', see coverage_blob.c
 *
 * An hour of a flow log is missing when it delivered no object in it, although it delivers in most hours: in at least 12 of that
 * day or of the day before. While the day is open only the hours before its last object can be missing. Objects without a bucket in
 * their name tell no hours. An interface is silent when it had records on the day before and has none, not even NODATA.
 * All of it are ors and sums over the set of objects; the order leaves no trace. */
#ifndef WEIR_APP_COVERAGE_H
#define WEIR_APP_COVERAGE_H

#include "app/key_set.h"
#include "weir/decode.h"
#include "weir/store.h"

#define COVERAGE_SOURCES_MAX 4096      /* flow logs of a day */
#define COVERAGE_INTERFACES_MAX 262144 /* of a day; beyond, silence is not told */
#define COVERAGE_SILENT_MAX 100        /* listed */
#define COVERAGE_NAME_MAX 64
#define COVERAGE_BUCKETS 288           /* of five minutes */

struct coverage_source { /* a flow log; both names empty: objects whose names do not tell */
    char account[COVERAGE_NAME_MAX], flow_log[COVERAGE_NAME_MAX];
    uint8_t bucket[COVERAGE_BUCKETS / 8];
    uint64_t objects;
    uint32_t missing; /* hours, once closed */
    enum coverage_gap { COVERAGE_GAP_UNKNOWN, COVERAGE_GAP_NONE, COVERAGE_GAP_TOLD } gap; /* of this run: what the store was told of them */
};
struct coverage_silent { char account[COVERAGE_NAME_MAX], interface[COVERAGE_NAME_MAX]; struct ip host; };

/* Columns that a detector wants, and what their lack costs. */
struct coverage_wish { enum decode_field field; const char *subject, *cost; }; /* subject: a row of `weir check` */
#define COVERAGE_WISHES 7
extern const struct coverage_wish coverage_wish[COVERAGE_WISHES];
unsigned coverage_lacking(const struct layout *layout); /* bit per wish; 0 for what has no columns */

struct coverage_day {
    uint16_t day;
    bool closed, changed;
    uint64_t objects, lacking[COVERAGE_WISHES]; /* objects with sums of the day, and how many of them lack the column */
    struct coverage_source *source; size_t sources, sources_cap; /* by account, flow log */
    struct key_set seen;    /* interfaces, by coverage_key */
    bool seen_all;          /* no interface was left out of seen */
    /* once closed */
    uint64_t hosts, learning, host_gap_days; /* host-days; of hosts younger than a week; with holes in their log */
    uint64_t raised, raised_by_rules;
    double budget;          /* false findings that were borne, of all hosts together */
    uint64_t silent;        /* interfaces */
    struct coverage_silent *silent_host; size_t silent_hosts; /* the first of them by host id */
};
void coverage_day_init(struct coverage_day *d, uint16_t day);
void coverage_day_fini(struct coverage_day *d);
unsigned coverage_hours(const struct coverage_source *s); /* bit per hour with an object */
WEIR_MUST_USE enum weir_err coverage_encode(const struct coverage_day *d, struct buffer *out);
WEIR_MUST_USE enum weir_err coverage_decode(struct slice blob, struct coverage_day *out); /* free *out whatever comes back */
/* NOTFOUND: nothing is known of that day. Free *out whatever comes back. */
WEIR_MUST_USE enum weir_err coverage_get(struct store *s, uint16_t day, struct coverage_day *out, struct fault *fault);

/* ---- of a run: the open days, and the last closed one ---- */
struct log;
struct coverage {
    struct coverage_day *day; size_t days, days_cap;
    uint16_t closed_through;
    uint64_t missing_hours, silent; /* of the days closed so far */
};
/* The records of the last closed day (0: none) and of those after it, up to `last`. A damaged one is told and begins anew. */
WEIR_MUST_USE enum weir_err coverage_load(struct coverage *c, struct store *s, struct log *log, uint16_t closed_through, uint16_t last, struct fault *fault);
void coverage_fini(struct coverage *c);
/* An object that was counted. */
struct coverage_object {
    struct slice account, flow_log;
    int64_t bucket_s;               /* 0: unknown */
    unsigned lacking;
    const uint16_t *day; size_t days; /* that it has sums of */
    const struct key_set *quiet;    /* interfaces with records that leave no sums, by coverage_key */
};
WEIR_MUST_USE enum weir_err coverage_add(struct coverage *c, const struct coverage_object *o);
/* Never 0; the day stands in its low 16 bits. */
uint64_t coverage_key(struct slice account, struct slice interface, uint16_t day);
/* Hours of the day without an object of this flow log; see above. */
uint32_t coverage_missing(const struct coverage *c, uint16_t day, bool closing, struct slice account, struct slice flow_log);
uint64_t coverage_missing_hours(const struct coverage *c); /* of closed and open days, each flow log for itself */

/* The day is being closed: each host once, then the day as a whole. */
struct coverage_host { struct slice account, interface; bool charged, gaps, learning; }; /* charged: it is judged, no forwarder */
WEIR_MUST_USE enum weir_err coverage_host(struct coverage *c, uint16_t day, const struct coverage_host *h);
void coverage_judged(struct coverage *c, uint16_t day, uint64_t raised, uint64_t raised_by_rules, double budget_per_host_day);
/* Into the open batch: days up to this one are closed, the others as they stand. */
WEIR_MUST_USE enum weir_err coverage_put(struct coverage *c, struct store *s, uint16_t closed_through, struct fault *fault);

#endif
