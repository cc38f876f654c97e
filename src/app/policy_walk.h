/* SPDX-License-Identifier: Apache-2.0 */
/* All flows of a list of objects, in the order of the list, without a store: for `weir policy`. As a run counts them: an object
 * is whole or not counted, the same bytes count once, and what forwards is not told. */
#ifndef WEIR_APP_POLICY_WALK_H
#define WEIR_APP_POLICY_WALK_H

#include "app/pipeline.h"

struct flow_walk {
    void *ctx;
    void (*flow)(void *ctx, struct window *w, uint32_t interface, struct slice flow_log, const struct flow *f, enum flow_verdict v);
    void (*forget)(void *ctx);                                 /* flows since the last keep do not count */
    WEIR_MUST_USE enum weir_err (*keep)(void *ctx, struct window *w); /* they do: the object is whole and new */
};
/* NOMEM, INTERRUPTED, USAGE (input.fields), or what keep said; objects that are rejected are logged and counted. */
WEIR_MUST_USE enum weir_err walk_flows(struct app *app, struct object_list *list, const struct flow_walk *walk, struct run_counts *counts,
                                       struct fault *fault);

#endif
