/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about the logs themselves, see finding_notice: hours of a day in which a flow log brought no object, told when the day is judged and
 * withdrawn when the objects come after all; and the silence of a service to which nothing comes. The first are a function of the objects, as
 * any finding is; the second depends on the clock, so it stands in the store only while it lasts. */
#ifndef WEIR_APP_GAPS_H
#define WEIR_APP_GAPS_H

#include "app/run.h"

/* Into the open batch: the gaps of the flow logs of the day as its objects stand. */
WEIR_MUST_USE enum weir_err gaps_file(struct run *run, uint16_t day, bool closing, struct fault *fault);

/* m 2: blob 'm', u64 end of the newest record when the silence was told. 0: none is told. */
WEIR_MUST_USE enum weir_err silence_get(struct store *s, int64_t *from_s, struct fault *fault);
/* A commit each. */
WEIR_MUST_USE enum weir_err silence_tell(struct store *s, int64_t from_s, struct fault *fault);
WEIR_MUST_USE enum weir_err silence_end(struct store *s, int64_t from_s, struct fault *fault);

#endif
