/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead: the values that a walk over the hosts of a day will ask for, many in one round trip. */
#ifndef WEIR_APP_AHEAD_H
#define WEIR_APP_AHEAD_H

#include "weir/store.h"
#include "weir/window.h"

struct ahead;
struct ahead *ahead_new(struct store *s); /* NULL: out of memory */
void ahead_free(struct ahead *a);
/* The baselines of the hosts of a day. Does nothing where a read costs no round trip. */
WEIR_MUST_USE enum weir_err ahead_plan(struct ahead *a, struct window *w, int64_t day_s, uint64_t at_least);
/* As store_get of kind h: one that was planned comes from memory. What the batch has put since then is not seen: ask for a host
 * before it is learned. */
WEIR_MUST_USE enum weir_err ahead_get(struct ahead *a, uint64_t host_id, struct buffer *out, struct fault *fault);

#endif
