/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of `weir policy`. Both write to *out what stands on standard output. */
#ifndef WEIR_APP_POLICY_TOOL_H
#define WEIR_APP_POLICY_TOOL_H

#include "app/inventory.h"
#include "app/pipeline.h"

struct policy_tool { /* what both need; the inventory may be NULL */
    struct app *app;
    struct object_list *list;
    const struct inventory *inventory;
};
/* A policy under which the flows of these objects break no rule, as YAML. */
WEIR_MUST_USE enum weir_err policy_propose(const struct policy_tool *tool, struct run_counts *counts, struct buffer *out, struct fault *fault);
/* What in these objects breaks the configured policy, in the configured format. */
WEIR_MUST_USE enum weir_err policy_check(const struct policy_tool *tool, struct run_counts *counts, struct buffer *out, struct fault *fault);

#endif
