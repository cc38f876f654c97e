/* SPDX-License-Identifier: Apache-2.0 */
/* Where two documents differ, for people. */
#ifndef WEIR_APP_JSON_DIFF_H
#define WEIR_APP_JSON_DIFF_H

#include "weir/base.h"

/* A line for each place that differs, "  unmapped.weir.days[0].score: 6.280 -> 5.100", at most `most` of them, escaped for a terminal. The number of
 * places. What is no JSON differs as a whole. */
size_t json_diff(struct slice before, struct slice after, size_t most, struct buffer *out);

#endif
