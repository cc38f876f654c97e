/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of a run share: the ranges (pipeline.c), judging (judge.c) and the search for evidence (evidence.c). */
#ifndef WEIR_APP_RUN_H
#define WEIR_APP_RUN_H

#include <limits.h>

#include "app/context.h"
#include "app/coverage.h"
#include "app/dossier.h"
#include "app/growth.h"
#include "app/pipeline.h"

struct fresh_object { /* counted in this run, not yet committed */
    size_t index;     /* in the list */
    size_t first_day, days; /* that it has sums of, in run.fresh_day */
    struct ledger_entry entry;
};

struct known_object { /* given again in this run, under a name that may be new */
    struct sha256 id;
    size_t index;
    uint64_t counted; /* of its ledger entry */
};

struct day_objects { /* the ledger's index of one day, read once, appended to */
    uint16_t day;
    bool changed;
    struct buffer ids;
};

struct run {
    struct app *app;
    struct store *store;
    struct context *context;
    struct source_limits limits;
    struct layout layout; bool layout_given;
    char config_hash[17];
    char folder[PATH_MAX]; /* that relative paths start from */
    int64_t future_s;
    const struct feed *feed;  /* in hand; NULL between two, as the four below */
    struct object_list *list;
    uint8_t *duplicate; /* by index in the list */
    struct window *window;
    struct run_state state;
    struct run_counts counts;
    struct coverage coverage;
    struct fresh_object *fresh; size_t fresh_n, fresh_cap;
    uint16_t *fresh_day; size_t fresh_days, fresh_days_cap;
    struct known_object *known; size_t known_n; /* by id */
    struct known_object *found; size_t found_n, found_cap; /* far ones that proved to be counted already: the ledger gets to know where they lie */
    struct growths growths;
    struct progress *progress;
    struct day_objects *day; size_t days, days_cap;
    int64_t touched_first_s, touched_last_s; /* time range of the objects given, counted before or now */
    int64_t lost_s;      /* the least bucket of the feed's objects that were lost; as feed.waiting_s */
    bool unjudged;
    double judging_s;
    struct parsers *parsers;  /* processes that read the objects; NULL: threads do */
    /* In such a process: what was counted of one object; its sums are the window, its entry is the last of fresh. */
    enum weir_err (*tell)(struct run *run, const struct coverage_object *covers, struct decode_growth growth);
    uint64_t pass_over;       /* records of the object that were counted before, if it grows; 0 in the run itself */
    struct buffer told;
};

/* ---- evidence.c: who and where, by reading the objects of a day again for the few hosts that were raised ---- */
struct covered { uint64_t group, parts; }; /* bit i: part i of the score counts its bytes, at least in some hour */
struct judged { /* one raised host-day */
    struct host_day host; /* texts in the arena; no groups */
    struct baseline baseline;
    struct score score;
    struct slice region;    /* from the names of the objects */
    struct covered *covered; size_t covered_n; /* in the arena, ascending */
    uint64_t claimed[24];   /* bytes of groups and hours that a raised part covers */
    uint32_t hours;         /* bit per hour that is looked at again */
    bool broke_policy;      /* covered has groups of the policy */
    struct baseline_held *held; /* what the closing day kept from being learned, in the arena; NULL while it is open */
    struct dossier_day *day; /* result, in the arena */
    struct evidence *evidence; /* inner state of the search */
};
/* Bit i: raised part i counts bytes that the host sent to this group in this hour. */
uint64_t judged_covers(const struct judged *j, uint64_t group, unsigned hour);
/* Fill claimed and hours from the day and what was raised; before evidence_collect. */
void evidence_claim(struct judged *j, const struct host_day *d);
enum weir_err evidence_collect(struct run *run, uint16_t day, struct judged *judged, size_t n, struct arena *arena, struct fault *fault);

/* ---- judge.c ---- */
/* Score the hosts of a day; closing: learn them too, and close the findings that had a quiet day. */
enum weir_err judge_day(struct run *run, uint16_t day, bool closing, struct fault *fault);

/* ---- pipeline.c, for evidence.c and worker.c ---- */
void run_flow_rules(const struct run *run, struct flow_rules *out);

/* ---- known.c ---- */
/* Mark what needs no reading: twins in the list, and what the ledger knows when the feed asks for that. */
enum weir_err run_find_duplicates(struct run *run, struct fault *fault);
/* An object of the list that was read and proved to be counted already. */
void run_note_found(struct run *run, size_t index, const struct sha256 *id);
enum weir_err run_put_ledger(struct run *run, struct fault *fault); /* the fresh objects, and the index of their days */
void run_forget_day(struct run *run, uint16_t day);                 /* closed: nothing more is appended to its index */
/* *out is valid until the next call. */
enum weir_err run_day_objects(struct run *run, uint16_t day, struct day_objects **out, struct fault *fault);
/* The object behind an id: from the list in hand, else by the path in the ledger. False: nobody knows it. */
bool run_object(struct run *run, const struct sha256 *id, struct buffer *keep, struct object *out);

#endif
