/* SPDX-License-Identifier: Apache-2.0 */
/* Spool: an object that must be read at any place and is too large for memory, in an unlinked temporary file. */
#ifndef APP_SPOOL_H
#define APP_SPOOL_H

#include "weir/base.h"

struct spool {
    int fd; /* -1: none yet */
    uint64_t bytes;
};
void spool_fini(struct spool *s);
void spool_clear(struct spool *s); /* for the next object; the file is kept, its space is given back */
enum weir_err spool_add(struct spool *s, const char *p, size_t n, struct fault *fault);
enum weir_err spool_read(const struct spool *s, uint64_t at, void *out, size_t n, struct fault *fault); /* within bytes */

#endif
