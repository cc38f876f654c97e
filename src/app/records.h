/* SPDX-License-Identifier: Apache-2.0 */
/* The original records of a finding: the objects that it names are read once more, and the lines that it names are handed out as they
 * stood. */
#ifndef WEIR_APP_RECORDS_H
#define WEIR_APP_RECORDS_H

#include "app/pipeline.h"

enum records_state { RECORDS_READ, RECORDS_GONE, RECORDS_CHANGED }; /* GONE: not found or not readable; CHANGED: other bytes than those counted */
const char *records_state_word(enum records_state state);           /* "read" */

struct records { /* of one object; borrowed until the call returns */
    struct sha256 id;
    struct slice key, path;  /* path empty: nobody knows where it is */
    uint64_t stored;         /* bytes of the object, as counted; 0: not known */
    enum records_state state;
    uint64_t n, bytes;       /* records found, and the sum of their bytes */
    struct slice columns;    /* their names, empty when the object is no table of text */
    struct slice text;       /* the records, each ended by a newline */
    const uint64_t *line;    /* n line numbers */
};
typedef enum weir_err records_each(void *ctx, const struct records *r, struct fault *fault);
/* Each object that the finding (JSON) names, in the order of its first naming. at: where objects are now, or NULL: where the ledger of the
 * store says. store may be NULL when at is given. */
WEIR_MUST_USE enum weir_err records_of(struct app *app, struct store *store, const struct object_list *at, struct slice finding, records_each *each,
                                       void *ctx, struct fault *fault);

#endif
