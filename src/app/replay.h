/* SPDX-License-Identifier: Apache-2.0 */
/* Runs over past logs in a state of their own, for `weir replay` and `weir diff`. */
#ifndef WEIR_APP_REPLAY_H
#define WEIR_APP_REPLAY_H

#include "app/outbox.h"
#include "app/pipeline.h"

struct replay_span {
    int64_t from_s, to_s; /* objects whose bucket lies before or not before are left out; those without one stay */
    int64_t at_s;         /* not 0: what was known at that time */
};
/* Leave out of the list what lies outside, and set the clock of the run. */
void replay_limit(struct app *app, struct object_list *list, const struct replay_span *span);

/* A store that ends with its handle: empty, or a copy of the one at snapshot (a path, or sqlite:PATH; NULL: none). */
WEIR_MUST_USE enum weir_err replay_state(const char *snapshot, struct store **out, struct fault *fault);

/* The hash of the configuration that findings made now would carry; that of the keys alone when a file that they name cannot be read. */
void hash_in_force(const struct config *c, char hash[17]);

/* Count in own, from nothing, what the live store counted, and compare these findings. at: where the objects are now, or NULL: where the ledger
 * says. An exit code: DONE if all are identical, REJECTED if one is not. */
int replay_verify(struct app *app, struct store *live, struct store *own, struct object_list *at, const struct outbox *findings);

#endif
