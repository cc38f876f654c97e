/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a person asked for: made for the owner only, whole or not there. */
#ifndef WEIR_APP_OUT_FILE_H
#define WEIR_APP_OUT_FILE_H

#include "weir/base.h"

/* Written beside as PATH.tmp, synced, renamed over what is there. IO with the reason. */
WEIR_MUST_USE enum weir_err out_file(const char *path, struct slice bytes, struct fault *fault);
/* A new file `name` in the directory dir_fd, synced; one that is there is not touched: EXISTS. */
WEIR_MUST_USE enum weir_err out_file_new(int dir_fd, const char *name, struct slice bytes, struct fault *fault);
/* The whole file, at most max bytes. NOTFOUND, LIMIT, or IO: not a regular file, not readable. dir_fd may be AT_FDCWD. */
WEIR_MUST_USE enum weir_err in_file(int dir_fd, const char *name, size_t max, struct buffer *out, struct fault *fault);

#endif
