/* SPDX-License-Identifier: Apache-2.0 */
/* Private to app: a file of findings that a sink has written, line by line against its chain. */
#ifndef WEIR_APP_VERIFY_FILE_H
#define WEIR_APP_VERIFY_FILE_H

#include "weir/app.h"

/* An exit code; what was found is said. sealed: a seal was given, which such a file has not. */
int verify_findings_file(struct app *app, const char *path, bool sealed);

#endif
