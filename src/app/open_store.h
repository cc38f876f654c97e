/* SPDX-License-Identifier: Apache-2.0 */
/* The store that is configured, opened with what is configured for it: the one place where both meet. */
#ifndef WEIR_APP_OPEN_STORE_H
#define WEIR_APP_OPEN_STORE_H

#include "weir/app.h"
#include "weir/finding.h"
#include "weir/store.h"

WEIR_MUST_USE enum weir_err open_store(const struct app *app, enum store_mode mode, struct store **out, struct fault *fault);
/* Is a shared store older than when this machine last wrote to it, at *was? */
bool store_went_back(const struct app *app, const struct store *s, struct store_position *was);
void store_rollback_uid(const struct store_position *was, const struct store *s, char out[FINDING_UID_MAX]);
/* The operational finding that says so, committed; nothing if it stands there already. Opening to write does this. */
WEIR_MUST_USE enum weir_err store_file_rollback(struct store *s, const struct store_position *was, struct fault *fault);
/* Make the folders that lead to a file of ours; path is changed and put back. What fails shows when the file is opened. */
void state_folders(char *path);
/* After a run, and a service after each commit: how far it is now. */
void store_remember(const struct app *app, const struct store *s);
WEIR_MUST_USE enum weir_err survey_store(const struct app *app, store_survey_each *each, void *ctx, struct fault *fault);

#endif
