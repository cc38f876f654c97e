/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline: the only place that knows more than two rooms.
 *
 *   list -> [worker: source, decode, flow, window of one object]* -> merge -> judge (score, evidence, finding, learn) -> commit
 *
 * A run is cut into ranges of objects. At the end of a range every day that can get no more records is judged and learned,
 * and one commit makes ledger, windows, baselines and findings stand together. Killed between two commits, a run starts
 * again from the last one: objects in the ledger are passed over. */
#ifndef WEIR_APP_PIPELINE_H
#define WEIR_APP_PIPELINE_H

#include "app/key_set.h"
#include "weir/app.h"
#include "weir/decode.h"
#include "weir/finding.h"
#include "weir/source.h"
#include "weir/store.h"
#include "weir/window.h"

/* ---- counters of a run: `--summary` prints each ---- */
struct run_counts {
    uint64_t objects_listed, objects_done, objects_duplicate, objects_skipped;
    uint64_t objects_bad_source[SOURCE_REJECT_COUNT], objects_bad_text[BAD_COUNT];
    struct decode_counts records;            /* of accepted objects */
    uint64_t records_in_rejected_objects;    /* read, then not counted with their object */
    uint64_t records_late, records_future;   /* counted, but not summed: their day is closed, or not yet */
    uint64_t flows[FLOW_VERDICTS], flow_bytes[FLOW_VERDICTS];
    uint64_t bytes_stored, bytes_inflated;
    uint64_t source_notes[8];                /* by bit of enum source_note */
    uint64_t hosts, host_days, interfaces, folded, suspected_forwarders, unresolved_bytes;
    uint64_t findings, findings_new;
    uint64_t missing_hours, silent_interfaces; /* see coverage.h */
    uint64_t findings_by_severity[6];        /* new ones, by OCSF's severity_id; 0: not told */
    uint64_t days_closed, checkpoints;
    bool first_day;                          /* of a store: none is closed yet */
    int64_t first_s, last_s;                 /* first start and last end of the records; 0 = none */
    double seconds;
    uint64_t store_rollbacks, store_reconnects, store_unreplicated;
    double store_waited_s;
};
uint64_t run_records_read(const struct run_counts *c);
uint64_t run_records_counted(const struct run_counts *c);
uint64_t run_records_rejected(const struct run_counts *c);
uint64_t run_objects_rejected(const struct run_counts *c);
void run_counts_add(struct run_counts *to, const struct run_counts *from);
/* One JSON object, one line. */
void run_summary_json(const struct run_counts *c, struct buffer *out);
/* A few lines for people. */
void run_summary_text(const struct run_counts *c, struct buffer *out);

/* ---- reading one object into a decoder ---- */
struct object_reader;
struct object_reader *object_reader_new(const struct source_limits *limits, struct decoder *d);
void object_reader_free(struct object_reader *r);
struct object_outcome {
    enum weir_err err;           /* OK: the object is whole and its text could be read */
    enum source_reject why;
    enum decode_bad bad;
    unsigned notes;
    uint64_t stored, inflated;
    struct sha256 id;
    struct fault fault;
};
/* ahead: inflate in a second thread. progress may be NULL. */
void object_read(struct object_reader *r, const struct object *o, bool ahead, struct progress *progress, struct object_outcome *out);

/* ---- records to flows: shared by the sums and by the search for evidence ---- */
struct attribution {
    struct flow_rules rules;
    int64_t future_s;         /* records that start later are not summed */
    uint16_t closed_through;  /* last closed day */
    struct window *window;    /* interfaces and own addresses; with learns */
    struct slice flow_log;
    void *ctx;
    void (*flow)(void *ctx, uint32_t interface, const struct record *r, const struct flow *f, enum flow_verdict v);
    void (*gap)(void *ctx, uint32_t interface, const struct record *r);
    struct run_counts *counts; /* of this object only */
    struct key_set conflicts; /* interfaces without an own address in this object */
    struct key_set *quiet;    /* unless NULL, gets the interfaces whose records leave no sums, by coverage_key */
    uint32_t quiet_last; uint16_t quiet_day; /* put there last */
    bool nomem;               /* out of memory: what was attributed must not be used */
    bool hinted;              /* own addresses from earlier objects are in use */
    bool again;               /* an own address was contradicted: read the object again */
    uint32_t interfaces_seen, last;
    char last_account[64], last_id[64];
    size_t last_account_n, last_id_n;
    bool last_vpc; /* the last record told its VPC */
    uint32_t *captured; size_t captured_n, captured_cap; /* interfaces of captured hosts in this object */
    uint32_t *captured_in, captured_ins, object_no;      /* by interface: the last object that had it */
};
void attribution_begin(struct attribution *a, const struct object *o); /* a new object */
void attribution_again(struct attribution *a);                         /* the same object once more, until it asks no more */
void attribution_fini(struct attribution *a);
void attribution_record(void *attribution, const struct record *r);    /* a decode_sink emit */
/* A record of a capture: take() gets it once for each end that is ours; if none is, it is counted as of unknown owner. */
void attribution_captured(struct attribution *a, const struct record *r, void (*take)(void *ctx, const struct record *r), void *ctx);

/* ---- what the store holds besides windows and baselines ---- */
struct ledger_entry {
    struct sha256 id;
    struct slice path, key;
    uint64_t stored, records;
    int64_t first_s, last_s;
    uint64_t counted; /* records in front that an earlier, shorter stage of the object had */
};
enum weir_err ledger_put(struct store *s, const struct ledger_entry *e, struct fault *fault);
enum weir_err ledger_get(struct store *s, const struct sha256 *id, struct buffer *keep, struct ledger_entry *out, struct fault *fault);
/* What the ledger calls an object (a sink_object_name, ctx is the store). Not to know it is no error: nothing is added then. */
void ledger_name(void *store, const struct sha256 *object, struct buffer *out);
bool ledger_has(struct store *s, const struct sha256 *id);
/* Which object lies where, for objects that are far: so that one that was counted is known without being fetched. NOTFOUND: not known, or
 * another content lies there now. */
enum weir_err ledger_locate(struct store *s, const struct object *o, struct sha256 *id, struct fault *fault);
enum weir_err ledger_put_location(struct store *s, const struct object *o, const struct sha256 *id, struct fault *fault);
/* The objects with records of a day: append and read. */
enum weir_err ledger_day_get(struct store *s, uint16_t day, struct buffer *ids, struct fault *fault);
enum weir_err ledger_day_put(struct store *s, uint16_t day, struct slice ids, struct fault *fault);

#define OPEN_FINDINGS_MAX (4u << 20) /* 32 MiB in the store */
#define RUN_OPEN_DAYS_MAX 400
struct run_state { /* kind 'm': what a next run must know */
    int64_t watermark_s;      /* last record end believed */
    uint16_t closed_through;  /* days up to this one are judged and learned */
    uint16_t open_day[RUN_OPEN_DAYS_MAX]; size_t open_days;
    uint64_t *open_finding; size_t open_findings, open_findings_cap; /* hosts whose finding is not closed, ascending */
};
enum weir_err run_state_get(struct store *s, struct run_state *out, struct fault *fault); /* all zero if there is none */
enum weir_err run_state_put(struct store *s, const struct run_state *st, struct fault *fault);
/* That host's finding is open. LIMIT: more than OPEN_FINDINGS_MAX. */
enum weir_err run_state_add_finding(struct run_state *st, uint64_t host_id);
/* How the baselines of this store group destinations: enum context_grouping; 0 if nothing says so. */
enum weir_err grouping_get(struct store *s, unsigned *out, struct fault *fault);
enum weir_err grouping_put(struct store *s, unsigned grouping, struct fault *fault);
void run_state_free(struct run_state *st);
enum weir_err windows_load(struct store *s, const struct run_state *st, struct window *w, struct fault *fault);
enum weir_err windows_put(struct store *s, struct window *w, unsigned threads, struct fault *fault); /* dirty buckets */
enum weir_err windows_delete(struct store *s, uint16_t day, struct fault *fault);

/* ---- the run: open, feed it lists of objects, close. One commit or more a feed; between two feeds everything is committed. ---- */
struct store;
struct run;
/* Loads the state and the open windows of the store, and what the operator knows. The app, its configuration and the store must outlive the run. */
WEIR_MUST_USE enum weir_err run_open(struct app *app, struct store *store, struct run **out, struct fault *fault);
/* From now on processes that can do nothing else read the objects, see parser.h; before any thread is started. */
WEIR_MUST_USE enum weir_err run_isolate(struct run *run, struct fault *fault);
void run_close(struct run *run); /* what is not committed is forgotten; NULL is fine */

enum feed_lost { FEED_LOST_DEAD = 1, /* the process that read it died, or hung */ FEED_LOST_AWAY, /* it cannot be fetched now */ FEED_MISSING /* it is not there any more, or refused to us: rejected, and told */ };
struct feed {
    struct object_list *list; /* sorted; of the caller */
    bool known_first;   /* hash each object and ask the ledger before it is read; else one that was counted before is found out by reading it */
    bool judge_open;    /* at the end, judge the days that stay open too */
    uint8_t *lost;      /* by index, enum feed_lost: objects that were not counted and come again. Only with run_isolate */
    int64_t waiting_s;  /* the least bucket of objects that wait to be fed later; INT64_MAX: none waits, 0: one that tells no bucket */
};
/* Read, sum, judge and commit the objects of a list. INTERRUPTED: a signal came, what is committed stays. After any other error the run
 * holds what is not committed: only close it; a run that is opened anew goes on from the last commit. */
WEIR_MUST_USE enum weir_err run_feed(struct run *run, const struct feed *feed, struct fault *fault);
/* Judge the open days and commit. As run_feed without objects. */
WEIR_MUST_USE enum weir_err run_judge(struct run *run, struct fault *fault);
bool run_unjudged(const struct run *run); /* something was counted, or the run opened, since the open days were judged */
double run_judging_s(const struct run *run); /* how long judging the open days took, the last time */
const struct run_counts *run_counted(const struct run *run); /* since the run was opened; good until it is closed */
int64_t run_watermark_s(const struct run *run);
struct window_stats run_window_stats(const struct run *run);

/* One run from open to close. The counters are filled whatever comes back. *first_s, *last_s: time range of the objects given, new or
 * known; 0, 0 if none. */
enum weir_err pipeline_run(struct app *app, struct store *store, struct object_list *list, struct run_counts *counts, int64_t *first_s,
                           int64_t *last_s, struct fault *fault);

#endif
