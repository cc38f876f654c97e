/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of `weir policy`. Both write to *out what stands on standard output. */
#ifndef WEIR_APP_POLICY_TOOL_H
#define WEIR_APP_POLICY_TOOL_H

#include "app/pipeline.h"

/* A policy under which the flows of these objects break no rule, as YAML. */
WEIR_MUST_USE enum weir_err policy_propose(struct app *app, struct object_list *list, struct run_counts *counts, struct buffer *out, struct fault *fault);
/* What in these objects breaks the configured policy, in the configured format. */
WEIR_MUST_USE enum weir_err policy_check(struct app *app, struct object_list *list, struct run_counts *counts, struct buffer *out, struct fault *fault);

#endif
