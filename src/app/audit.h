/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: who did what with findings, one JSON object a line, each with the hash of the one before. It only grows.
 * It is PATH-audit beside a store sqlite:PATH; for a store elsewhere, beside the default one. */
#ifndef WEIR_APP_AUDIT_H
#define WEIR_APP_AUDIT_H

#include "weir/app.h"

/* Append an entry and sync it. what: a word or two of ours; subject: an id; text: what was said. head (may be NULL) gets the hash of the entry. */
WEIR_MUST_USE enum weir_err audit_add(struct app *app, const char *what, struct slice subject, struct slice text, struct sha256 *head, struct fault *fault);
/* The same for what changes something: an exit code; not DONE means that it must not be done. */
int audit_before(struct app *app, const char *what, struct slice subject, struct slice text);
/* The same for what only reads: where the log cannot be written (an archive on a read-only medium) that is said and the work goes on. False: not
 * written. */
bool audit_note(struct app *app, const char *what, struct slice subject, struct slice text, struct sha256 *head);

struct audit_entry { /* borrowed */
    uint64_t n;
    struct slice line, time, user, what, subject, text, hash;
};
typedef enum weir_err audit_each(void *ctx, const struct audit_entry *e);
/* Read the log in order and check the chain. *n: whole entries that fit; head: the hash of the last, all zero if there is none. CORRUPT with
 * the line that does not fit; NOTFOUND: there is no log. */
WEIR_MUST_USE enum weir_err audit_read(struct app *app, audit_each *each, void *ctx, uint64_t *n, struct sha256 *head, struct fault *fault);

#endif
