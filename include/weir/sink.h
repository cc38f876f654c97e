/* SPDX-License-Identifier: Apache-2.0 */
/* sink - claims to the world: finding JSON (OCSF) to a stream as table, json, ndjson, csv or ocsf.
 *
 * The input is the finding's JSON text, as stored; a sink never computes. Every text value passes the escaping of its
 * target. Data to the stream given, nothing else is written. */
#ifndef WEIR_SINK_H
#define WEIR_SINK_H

#include <stdio.h>

#include "weir/finding.h"

enum sink_format { SINK_TABLE, SINK_JSON, SINK_NDJSON, SINK_CSV, SINK_OCSF };
WEIR_MUST_USE enum weir_err sink_format_parse(struct slice word, enum sink_format *out);

struct sink_style {
    bool colour;       /* severity is a word anyway */
    unsigned width;    /* columns of the terminal; 0 = do not wrap */
    bool pretty;       /* json formats: indented */
    const char *store; /* what --store must name to find these again, for the commands that are offered; NULL: the default store, "": they are kept nowhere */
};
/* Throughout: a reader that has closed its pipe had enough. That is no failure; the stream's error is cleared and the rest goes nowhere.
 * ndjson and ocsf: one OCSF object a line. json: the same objects as one JSON array, an object a line. csv: RFC 4180, one row per finding and
 * peer. table: for people; "no findings" on an empty set. Create, add each finding, close (writes the end). IO, with the reason, when the stream failed. */
struct sink;
struct sink *sink_new(FILE *out, enum sink_format format, struct sink_style style);
WEIR_MUST_USE enum weir_err sink_add(struct sink *s, struct slice finding_json, struct fault *fault);
WEIR_MUST_USE enum weir_err sink_close(struct sink *s, struct fault *fault); /* frees s */
/* `weir explain`: what was seen, what was expected, each part with its numbers, history, threshold, places (object, lines) whose
 * bytes add up to the claim (the sum is written out), what is not known. name_of (may be NULL) turns an object id into the names the ledger knows. */
typedef void sink_object_name(void *ctx, const struct sha256 *object, struct buffer *out);
WEIR_MUST_USE enum weir_err sink_explain(FILE *out, struct slice finding_json, struct sink_style style, bool all_lines,
                                         sink_object_name *name_of, void *ctx, struct fault *fault);
/* `weir report`: findings as one HTML document that needs nothing but itself; with an index when there are several. It holds no time of
 * making: the same findings give the same bytes. Add each, then end, which may be asked for again. */
struct report;
struct report *report_new(void); /* NULL: out of memory */
void report_free(struct report *r);
WEIR_MUST_USE enum weir_err report_add(struct report *r, struct slice finding_json, sink_object_name *name_of, void *ctx, struct fault *fault);
WEIR_MUST_USE enum weir_err report_end(const struct report *r, struct buffer *out);
/* The breach clock of a finding, one JSON object: bytes out at least and at most by peer, first and last, when sixty days are over. */
WEIR_MUST_USE enum weir_err sink_clock(struct slice finding_json, struct buffer *out, struct fault *fault);

#endif
