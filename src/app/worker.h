/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: each takes objects of a range, sums them alone, and merges the sums of a whole object under one lock. */
#ifndef WEIR_APP_WORKER_H
#define WEIR_APP_WORKER_H

#include "app/run.h"

/* Count objects first..end-1 of the list that are not marked duplicate. INTERRUPTED: those merged so far are whole. */
enum weir_err workers_count(struct run *run, size_t first, size_t end, unsigned threads, struct fault *fault);

bool run_counted_already(struct run *run, const struct sha256 *id); /* in this range, or by the ledger */

#endif
