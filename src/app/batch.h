/* SPDX-License-Identifier: Apache-2.0 */
/* What `weir batch` and `weir replay` share. */
#ifndef WEIR_APP_BATCH_H
#define WEIR_APP_BATCH_H

#include "app/pipeline.h"

/* The objects behind the PATHs of a command line, sorted: those whose bucket lies from from_s to before to_s, and those without one. Free *out
 * whatever comes back. */
WEIR_MUST_USE enum weir_err batch_list(int argc, char **argv, int64_t from_s, int64_t to_s, struct object_list **out, struct fault *fault);
/* One run over them, its findings (host: only of that one, or NULL) on stdout and its summary on stderr. An exit code. */
int batch_run(struct app *app, struct store *store, struct object_list *list, const struct ip *host, unsigned fail_severity);

#endif
