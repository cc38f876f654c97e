/* SPDX-License-Identifier: Apache-2.0 */
/* Suppressions: what somebody has approved, for how long and up to how much. A finding is hidden when one suppression covers all of it:
 * its host, every peer, every test that raised it, each of its days, and the bytes of each day. Hidden means: it is not sent to sinks that
 * do not ask for such, and says by what it is hidden wherever it is shown. It stays in the store, and nothing else changes: what is
 * raised, learned and held back is as without suppressions.
 *
 * A finding that fits but for its bytes has outgrown what was approved: it is shown and sent as any other, and says so. All of this is a
 * function of the finding and the configuration; the days are those of the records, no clock is asked. */
#ifndef WEIR_APP_SUPPRESS_H
#define WEIR_APP_SUPPRESS_H

#include "weir/app.h"
#include "weir/finding.h"

enum suppress_verdict { SUPPRESS_NOT, SUPPRESS_OUTGROWN, SUPPRESS_HIDDEN };
struct suppress_answer {
    enum suppress_verdict verdict;
    const struct config_suppression *by; /* NULL: NOT */
    size_t index;                        /* of it in the configuration */
    uint64_t bytes, largest;             /* of the finding; of its largest day */
    char last_day[11];                   /* "2026-03-02" */
};

struct suppressions;
/* NULL when none are configured, and when there is no memory for them: nothing is hidden then. */
struct suppressions *suppressions_new(const struct config *c);
void suppressions_free(struct suppressions *s);
struct suppress_answer suppressions_ask(const struct suppressions *s, struct slice finding_json);
/* The finding with what it is hidden by, or has outgrown: unmapped.weir.suppression, a comment, status_id 3 when it is hidden. The finding
 * itself when there is nothing to say; else *out holds it. What a person has marked keeps its status. */
struct slice suppressions_show(const struct suppressions *s, struct slice finding_json, struct buffer *out, enum suppress_verdict *verdict);

#endif
