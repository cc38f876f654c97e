/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery: the findings outbox to the configured sinks. The outbox is the queue; each sink has a cursor in it, which is kept in the
 * store. A cursor moves only over what the receiver has, so after a crash some findings go out twice, with the same id, and none is
 * lost.
 *
 *   store's outbox -> [burst of a sink, in memory, capped] -> thread of that sink -> receiver
 *
 * One thread works with the store and calls delivery_turn again and again; it never waits for a receiver. Each sink has a thread, so one
 * that hangs holds nobody else. Time comes from the caller, so that six hours can pass in a test. */
#ifndef WEIR_APP_DELIVERY_H
#define WEIR_APP_DELIVERY_H

#include "weir/app.h"
#include "weir/sink_channel.h"
#include "weir/store.h"

struct delivery;
/* The sinks of the configuration, with their cursors. *out is NULL when none is configured. printing: standard output is taken, so sinks
 * of that type wait for another command. USAGE: a secret or an authority cannot be read. Starts no thread yet. */
WEIR_MUST_USE enum weir_err delivery_open(struct app *app, struct store *store, bool printing, struct delivery **out, struct fault *fault);
/* One step: takes what the sinks have done, hands on what is due, keeps the cursors by a commit of its own. No batch of the store
 * may be open. now_ms: any clock that only goes forward. What comes back is a failure of the store: the same call again is right. */
WEIR_MUST_USE enum weir_err delivery_turn(struct delivery *d, struct store *store, int64_t now_ms, struct fault *fault);
int delivery_fd(const struct delivery *d);         /* readable: a sink has something to tell, turn */
int64_t delivery_due_ms(const struct delivery *d); /* turn then at the latest; INT64_MAX: nothing waits */
/* Every sink has all that the outbox holds, or wants no more. */
bool delivery_done(const struct delivery *d);
/* Turn until all is delivered, or each sink that still waits has failed a few times, or the program is interrupted. */
WEIR_MUST_USE enum weir_err delivery_drain(struct delivery *d, struct store *store, struct fault *fault);
/* Ends the threads within two seconds and keeps the cursors; store may be NULL. NULL is fine. */
void delivery_close(struct delivery *d, struct store *store);

/* ---- for metrics and for people ---- */
struct delivery_state {
    const char *name, *type;
    uint64_t delivered, pending; /* findings since the start; in the outbox, not with the sink */
    uint64_t failures[CHANNEL_FAILURE_COUNT];
    int64_t waiting_ms;          /* for how long it has got none of what it waits for */
    bool disabled;               /* its receiver has answered that it wants no more */
    const char *cause;           /* of the last failure, "" when it was none */
};
size_t delivery_sinks(const struct delivery *d);
void delivery_state_of(const struct delivery *d, size_t i, int64_t now_ms, struct delivery_state *out);
bool delivery_enable(struct delivery *d, const char *name); /* try a disabled one again; false: there is none of that name */

/* For `weir check`: each configured sink, and what is wrong with its files; NULL: nothing. Nobody is called. */
typedef void delivery_survey_each(void *ctx, const struct config_sink *sink, const char *wrong);
void delivery_survey(struct app *app, delivery_survey_each *each, void *ctx);

/* ---- for batch and deliver ---- */
/* Drain and say what is left; code, or UNAVAILABLE when it was DONE or REJECTED and something waits. d may be NULL. */
int delivery_finish(struct app *app, struct delivery *d, struct store *store, int code);

#endif
