/* SPDX-License-Identifier: Apache-2.0 */
/* window - flows to sums: per host and day, per destination group and hour, bytes out and in.
 *
 * Everything in it commutes: saturating sums, ors, minima. So objects may be summed alone, in any order, by any thread,
 * and merged. The same type holds one object's sums and a whole run's.
 * Bounded: at most max_groups small groups a host-day. Beyond, groups are sampled by the level of a stable hash (Gibbons' distinct
 * sampling): a group stays while its hash has `level` leading zero bits, the level is the smallest that fits, the rest
 * is summed in GROUP_REST. What stays is a function of the set, not of the order, and kept * 2^level estimates the
 * number of groups. Records of at least 1 MiB are summed apart (GROUP_BIG) and never folded: a flood cannot hide a bulk.
 * Source: Gibbons, "Distinct sampling for highly-accurate answers to distinct values queries", VLDB 2001. */
#ifndef WEIR_WINDOW_H
#define WEIR_WINDOW_H

#include "weir/flow.h"

#define WINDOW_BIG_BYTES (1u << 20)
#define WINDOW_BUCKETS 256
#define WINDOW_BLOB 'w'

struct window_limits {
    uint32_t max_groups;     /* small groups per host-day before sampling, default 4096 */
    uint32_t max_big_groups; /* big groups per host-day, sampled by the same rule, default 65536 */
    uint32_t max_hosts;      /* host-days; beyond: flows are not kept and counted as folded */
};
extern const struct window_limits window_default_limits;

struct window;
/* learns: keep what is learned of own addresses (for the sums of one object). */
struct window *window_new(const struct window_limits *limits, bool learns);
void window_free(struct window *w);
void window_reset(struct window *w); /* empty, memory kept */
/* Empty of sums, but the names of interfaces and their own addresses learned so far stay: for the next object. When a record contradicts
 * what was learned from other objects, reset and read the object again; what only a hint settles counts only if the day proves it, as
 * without the hint: hints save time and never decide. */
void window_reuse(struct window *w);
uint64_t window_memory_bytes(const struct window *w);

/* One network interface as the logs name it, under one flow log. */
struct interface_name { struct slice account, id, flow_log, vpc; };
#define WINDOW_NO_INTERFACE UINT32_MAX
/* Its number, given on first sight; WINDOW_NO_INTERFACE at a limit. Callers remember the last one. */
uint32_t window_interface(struct window *w, const struct interface_name *name);
void window_name(const struct window *w, uint32_t interface, struct interface_name *out);
/* What is learned of its own address in this family; only with learns. Valid until the next window_interface. */
struct flow_own *window_own(struct window *w, uint32_t interface, bool v4);
/* A record of that time proves that the interface forwards: that day its egress is charged to nobody. */
void window_set_forwards(struct window *w, uint32_t interface, int64_t start_s);

/* Add one attributed flow (CHARGED, HINTED or PENDING). LIMIT: not kept, counted as folded. */
WEIR_MUST_USE enum weir_err window_add(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict);
/* A flow that was added breaks a rule of the policy: its bytes, both ways, are summed in this group of its host (group_policy). */
WEIR_MUST_USE enum weir_err window_add_broken(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict, uint64_t group);
/* What packets show of a flow that was added, see flow_seen_next. */
WEIR_MUST_USE enum weir_err window_add_seen(struct window *w, uint32_t interface, const struct flow *f, enum flow_verdict verdict, const struct flow_seen *seen);
/* A hole in the evidence: SKIPDATA at this interface at that time. */
WEIR_MUST_USE enum weir_err window_add_gap(struct window *w, uint32_t interface, int64_t start_s);
/* Add all of src to dst; src keeps its sums (and notes which interface is which in dst). Commutes, associative. NOMEM or LIMIT. */
WEIR_MUST_USE enum weir_err window_merge(struct window *dst, struct window *src);

/* Merge src into dst and leave src without sums, but with all that it has learned: for the parts of one large object, so that most adding is
 * done in a window that fits the caches. */
WEIR_MUST_USE enum weir_err window_flush(struct window *dst, struct window *src);
uint64_t window_cells(const struct window *w); /* groups held now */

/* ---- reading: one host-day, assembled over subscriptions, pending pairs settled, small and big added up ---- */
struct host_group {
    uint64_t group;          /* plain */
    uint64_t bytes_out, bytes_in;
    uint64_t hour[24];       /* bytes out by hour of the record's start */
};
struct host_day {
    uint64_t host_id;        /* stable hash of (account, interface, address) */
    struct slice account, interface, vpc;
    struct slice flow_log;   /* empty when there are several, or none has a name */
    struct ip host;
    int64_t day_s;
    bool forwarder;          /* its egress is charged to nobody */
    bool suspected;          /* a forwarder by its sums only */
    uint32_t gap_hours;      /* bit per hour with SKIPDATA */
    uint64_t gaps;           /* SKIPDATA records */
    uint8_t level;           /* 0: every group was kept */
    uint64_t external_out, external_in, internal_out, internal_in, rest_out;
    uint64_t hour_out[24];   /* external bytes out */
    uint64_t hour_in[24];    /* external bytes in */
    const struct host_group *group; size_t groups; /* ascending by group */
    const struct host_group *broken; size_t rules_broken; /* of the policy: bytes_out and hour both ways, bytes_in those that came
                                                           * in. And what packets show: bytes_in is its count */
};
/* Call each host-day of day (00:00 UTC) that sent at least that many bytes or broke a rule, in ascending host_id; borrowed until return. A non-OK
 * result stops and is returned. */
typedef enum weir_err window_each(void *ctx, const struct host_day *day);
WEIR_MUST_USE enum weir_err window_each_host(struct window *w, int64_t day_s, uint64_t at_least, window_each *each, void *ctx);
/* Of these only those that broke a rule or are suspected to forward: most hosts then need no more than a look. */
WEIR_MUST_USE enum weir_err window_each_suspect(struct window *w, int64_t day_s, uint64_t at_least, window_each *each, void *ctx);
/* How many hosts sent or got anything on that day. */
uint64_t window_hosts(struct window *w, int64_t day_s);
/* Days present, ascending; returns how many (writes at most max). */
size_t window_days(const struct window *w, int64_t *day_s, size_t max);
WEIR_MUST_USE enum weir_err window_drop_day(struct window *w, int64_t day_s); /* gives the memory back */

struct window_stats { uint64_t interfaces, host_days, cells, folded, unresolved_bytes, suspected_forwarders; };
struct window_stats window_stats(const struct window *w);

/* ---- stored form: one blob per (day, bucket of host_id); decoding merges ---- */
/* Merged into since the last window_clean? */
bool window_bucket_dirty(const struct window *w, int64_t day_s, unsigned bucket);
void window_clean(struct window *w); /* all is stored: gives back the memory that storing took */
/* Put a day in order, as encoding and reading do by themselves. After it, until the window changes, several threads may encode
 * buckets of that day. */
WEIR_MUST_USE enum weir_err window_arrange(struct window *w, int64_t day_s);
WEIR_MUST_USE enum weir_err window_encode(struct window *w, int64_t day_s, unsigned bucket, struct buffer *out);
WEIR_MUST_USE enum weir_err window_decode(struct window *w, struct slice blob);

#endif
