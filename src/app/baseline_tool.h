/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `weir baseline`. Each writes to *out what stands on standard output. */
#ifndef WEIR_APP_BASELINE_TOOL_H
#define WEIR_APP_BASELINE_TOOL_H

#include "app/host_index.h"
#include "weir/app.h"
#include "weir/baseline.h"

enum { BASELINE_TABLE, BASELINE_JSON }; /* as output.format */

/* Everything of one host that is there. */
struct known_host {
    uint64_t id;
    char account[64], interface[64];
    struct baseline baseline;
    uint64_t bytes;           /* of its baseline, stored */
    char class[96];           /* name of its class, "" if nobody told */
    struct known_host *next;
};
/* Of one host by its index entry. NOTFOUND: it has no baseline. */
WEIR_MUST_USE enum weir_err known_host_get(struct store *s, const struct host_entry *e, struct known_host *out, struct fault *fault);

void day_text(uint16_t day, char out[TIME_TEXT_MAX]); /* "2026-03-02" */

WEIR_MUST_USE enum weir_err baseline_stats(struct store *s, unsigned format, struct buffer *out, struct fault *fault);
/* Every host with a baseline, by its id. */
WEIR_MUST_USE enum weir_err baseline_list(struct store *s, unsigned format, struct buffer *out, struct fault *fault);
/* baseline_move.c: hosts, classes and what else a new store needs to go on from there. Of both: the number of values, and of those that were
 * damaged and left out. */
struct baseline_moved { uint64_t values, damaged; };
WEIR_MUST_USE enum weir_err baseline_export(struct app *app, struct store *s, FILE *to, struct baseline_moved *moved, struct fault *fault);
/* One commit. CORRUPT or TRUNCATED: nothing was written. USAGE: the store has been used before. */
WEIR_MUST_USE enum weir_err baseline_import(struct app *app, struct store *s, FILE *from, struct baseline_moved *moved, struct fault *fault);
void baseline_show(const struct known_host *host, unsigned format, struct buffer *out);

#endif
