/* SPDX-License-Identifier: Apache-2.0 */
/* One day being judged: judge.c (the two passes), lesson.c (what the day teaches), filing.c (findings). */
#ifndef WEIR_APP_JUDGE_H
#define WEIR_APP_JUDGE_H

#include "app/ahead.h"
#include "app/classes.h"
#include "app/host_index.h"
#include "app/marks.h"
#include "app/run.h"

/* What a baseline is not as it was stored: released from quarantine by time, or by what a person said. */
struct released { struct baseline_changes by_time, by_mark; };

struct judging {
    struct run *run;
    struct fault *fault;
    uint16_t day;
    bool closing;
    double budget;
    unsigned fleet_days;            /* closed before this one */
    struct classes *classes;
    struct marks *marks;
    struct host_index *index;       /* while closing */
    struct scorer *scorer;
    struct score_survey *survey;
    uint64_t raised, raised_by_rules; /* host-days */
    uint64_t *above; size_t above_n, above_cap, above_next; /* hosts to be judged, ascending */
    struct arena *arena;
    struct judged *judged; size_t n, cap;
    struct buffer blob;
    struct ahead *ahead;            /* baselines of the hosts of the day */
};

/* The word that the class of a host goes by, empty when there is none. */
struct slice class_word(const struct run *run, const struct host_day *d);
/* The scorer holds the host-day. Learn it, and tell its class. released: what quarantine gave back today. held, unless NULL: what a raised day
 * kept from being learned. */
enum weir_err lesson_learn(struct judging *g, const struct host_day *d, struct baseline *b, const struct class_entry *class, const struct score *score,
                           const struct released *released, struct baseline_held *held);

/* Evidence is collected: into the dossier of the host, and its finding out. */
enum weir_err file_judged(struct judging *g, const struct judged *j);
/* The finding, closed by what came since. Sets out->err if it is not of our making. */
void finding_withdrawn(struct slice json, struct buffer *out);
/* Findings that are open, of hosts that this day did not raise: withdrawn, closed, or left. */
enum weir_err settle_open_findings(struct judging *g);

#endif
