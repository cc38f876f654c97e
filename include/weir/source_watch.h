/* SPDX-License-Identifier: Apache-2.0 */
/* source_watch - objects as they come into directories: each once, and only when it is complete.
 *
 * A bucket tells nothing: there are sweeps of its listing, a page a turn. What is listed there is complete.
 * Two ways lead to an object, so that neither has to be perfect: the kernel tells (inotify), and a sweep of the whole listing
 * finds what it did not tell (a full queue, no room for more watches, a network file system, the time before the start).
 * Complete is what was renamed in. What was written in place is complete when it was closed, or when nobody told so, and then
 * has not changed for the time of rest. Symbolic links, FIFOs and the like are refused and told once.
 *
 * Invariants: an object that was taken stays with the caller until it is settled; settled as counted it does not come again
 * unless the file changes; settled otherwise it waits again. Nothing is remembered over a restart: the ledger is.
 * Bounded: at most WATCH_WAITING_MAX objects wait, what is more is found by a later sweep; 32 bytes a file that lies there. */
#ifndef WEIR_SOURCE_WATCH_H
#define WEIR_SOURCE_WATCH_H

#include "weir/source.h"

#define WATCH_WAITING_MAX 1000000

struct source_watch;
struct watch_settings {
    int64_t rest_ns;  /* unchanged for so long: complete */
    int64_t sweep_ns; /* from one sweep to the next */
    void *ctx;
    void (*refused)(void *ctx, const char *path, const char *kind); /* a "symbolic link", "FIFO"...: once for each */
    const char *queue; /* the URL of one of SQS that tells what comes into the buckets, and is told what was counted; NULL or "": none */
    int64_t (*since_s)(void *ctx); /* of buckets, objects whose name tells an earlier time are not listed; NULL: all are. Asked when a sweep begins */
};
/* The directories must exist; one may be a symbolic link. s3://BUCKET/FOLDER is swept only. Nothing is listed before the first turn. */
WEIR_MUST_USE enum weir_err source_watch_open(const char *const *dirs, size_t n, const struct watch_settings *settings, struct source_watch **out,
                                              struct fault *fault);
void source_watch_close(struct source_watch *w); /* NULL is fine */
int source_watch_fd(const struct source_watch *w); /* readable: there is something to tell; -1: the kernel tells nothing, there are sweeps only */
/* Take note of what came. now_ns never goes back; unix_ns is the clock by which files are dated. A directory that cannot be listed is IO, and the others
 * are watched on. */
WEIR_MUST_USE enum weir_err source_watch_turn(struct source_watch *w, int64_t now_ns, int64_t unix_ns, struct fault *fault);
int64_t source_watch_due_ns(const struct source_watch *w); /* when the next turn is due if nothing is told before */

/* At most max of the objects that wait, the first in canonical order; of the caller. *next_s: as feed.waiting_s, of those that go on waiting. */
WEIR_MUST_USE enum weir_err source_watch_take(struct source_watch *w, size_t max, struct object_list **out, int64_t *next_s, struct fault *fault);
/* What was taken: counted (or rejected for good), or not. */
WEIR_MUST_USE enum weir_err source_watch_settle(struct source_watch *w, const struct object_list *list, bool counted, int64_t now_ns);
/* It was not there, or refused to us: of the queue's message it counts as failed, and should it come again it is looked at anew. Before it is settled. */
void source_watch_missing(struct source_watch *w, const struct object *o);
WEIR_MUST_USE enum weir_err source_watch_settle_one(struct source_watch *w, const struct object *o, bool counted, int64_t now_ns);

/* As if it was opened anew: whatever lies there comes again, beginning with a sweep at the next turn. */
void source_watch_forget(struct source_watch *w);

struct watch_state {
    size_t waiting, resting;
    int64_t oldest_ns;  /* since when the one that came first waits; 0: none waits */
    uint64_t sweeps, found_by_sweep, not_regular, unreadable, overflows, unwatched; /* folders without a watch */
};
struct watch_state source_watch_state(const struct source_watch *w);

#endif
