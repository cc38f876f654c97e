/* SPDX-License-Identifier: Apache-2.0 */
/* A finding as it is shown to people: as stored, with what a person has marked it as, and with the suppression that hides it or that
 * it has outgrown. */
#ifndef WEIR_APP_SHOWN_H
#define WEIR_APP_SHOWN_H

#include "app/marks.h"
#include "app/suppress.h"

struct shown {
    struct marks *marks;
    struct suppressions *suppressions;
    struct buffer marked, hidden;
};
/* To be ended whatever comes back. */
WEIR_MUST_USE enum weir_err shown_begin(struct shown *s, const struct config *c, struct store *store, struct fault *fault);
void shown_end(struct shown *s);
/* Borrowed until the next call, or from json. verdict may be NULL. */
struct slice shown_of(struct shown *s, struct slice json, enum suppress_verdict *verdict);

#endif
