/* Private to app: the findings in the store as they stand now. The outbox holds every version of every finding in the
 * order of the commits; the last one of a uid is its present state. Only uids are kept in memory, never the findings.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_APP_OUTBOX_H
#define WEIR_APP_OUTBOX_H

#include "weir/store.h"

#define OUTBOX_FINDINGS_MAX 4000000

struct outbox_entry {
    uint64_t seq;               /* of the last version */
    int64_t start_ms;           /* when the finding begins */
    char uid[STORE_ID_MAX + 1]; /* hexadecimal, without "wf1-" */
};
struct outbox { /* ascending by start, uid; each uid once */
    struct outbox_entry *entry;
    size_t n, cap;
};
/* Fold the outbox; free with outbox_fini whatever comes back. LIMIT, NOMEM or the store's error. */
WEIR_MUST_USE enum weir_err outbox_fold(struct store *s, struct outbox *out, struct fault *fault);
void outbox_fini(struct outbox *o);
/* The present state of each entry in order. A non-OK result of each stops and is returned. */
typedef enum weir_err outbox_each(void *ctx, struct slice json);
WEIR_MUST_USE enum weir_err outbox_show(struct store *s, const struct outbox *o, outbox_each *each, void *ctx, struct fault *fault);
/* Open the store of the configuration to read. On failure says why, and *code is what to exit with; a store that does not exist yet is a usage error. */
struct app;
struct config;
struct store *outbox_open(struct app *app, int *code);
struct store *outbox_open_to_write(struct app *app, int *code); /* one that is not there is not made */

/* ---- outbox_find.c: a finding by the beginning of its uid. An exit code, with what is wrong said. ---- */
int outbox_id_check(struct app *app, const char *id);
int outbox_find(struct app *app, struct outbox *all, const char *id, struct outbox_entry **out);

/* ---- cmd_report.c, for evidence: the page of these findings ---- */
WEIR_MUST_USE enum weir_err report_of(const struct config *c, struct store *s, const struct outbox *chosen, struct buffer *out, struct fault *fault);

/* ---- cmd_findings.c, for batch ---- */
/* Show, in the form that the configuration asks for, the findings that overlap [since_s, until_s]; 0, 0: none. host: only of that one, or NULL. also: and the finding of this uid, or NULL. *shown counts them; *failing if
 * one has at least that severity (0: none asked for). */
WEIR_MUST_USE enum weir_err findings_show_between(struct app *app, struct store *s, int64_t since_s, int64_t until_s, const struct ip *host, const char *also,
                                                  unsigned severity, uint64_t *shown, bool *failing, struct fault *fault);
/* A time given with an option, or a day alone, which begins at 00:00 UTC; NULL leaves *out. USAGE. */
WEIR_MUST_USE enum weir_err findings_time(const char *name, const char *text, int64_t *out, struct fault *fault);
/* A severity word given with an option, to its number; NULL stays 0. USAGE with the nearest word. */
WEIR_MUST_USE enum weir_err findings_severity(const char *word, const char *option, unsigned *out, struct fault *fault);

#endif
