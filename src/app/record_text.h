/* SPDX-License-Identifier: Apache-2.0 */
/* A record that never was a line (of a capture, of Parquet, of JSON) in the words of a flow log, so that it can be shown and read again. */
#ifndef WEIR_APP_RECORD_TEXT_H
#define WEIR_APP_RECORD_TEXT_H

#include "weir/decode.h"

#define RECORD_TEXT_COLUMNS "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags"
void record_text(const struct record *r, struct buffer *out);

#endif
