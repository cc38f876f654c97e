/* SPDX-License-Identifier: Apache-2.0 */
/* Files that an operator brings beside the logs: read whole, with a limit, plain or gzip; and places in text, so that whatever
 * is wrong is told with line and column. */
#ifndef WEIR_APP_DATA_FILE_H
#define WEIR_APP_DATA_FILE_H

#include "weir/base.h"

/* What was found in such a file, for `weir check`. */
struct data_about {
    bool given;           /* configured at all */
    const char *form;     /* "MaxMind DB", "ip2asn table", ...; a literal */
    uint64_t entries;     /* as they stand in the file */
    int64_t made_s;       /* what the file says of its age, else when it was changed */
    struct sha256 id;     /* of the bytes as stored */
};

/* USAGE with a fault that names the file: unreadable, damaged, over max bytes. out: initialised with at least max bytes. */
WEIR_MUST_USE enum weir_err data_file_read(const char *path, uint64_t max, struct buffer *out, struct data_about *about, struct fault *fault);
/* Id and time only, for what another library reads. */
WEIR_MUST_USE enum weir_err data_file_identify(const char *path, struct data_about *about, struct fault *fault);

/* Text taken line by line, each line cut into columns. */
struct lines {
    const char *path;     /* for messages */
    struct slice rest, line;
    unsigned long number; /* of line, from 1 */
};
bool lines_next(struct lines *l); /* without the newline and a carriage return before it */
/* "list 'PATH': line 3, column 9: REASON"; at: where in l->line it stands. Returns USAGE. */
enum weir_err lines_refuse(const struct lines *l, const char *what, const char *at, struct fault *fault, const char *format, ...) WEIR_PRINTF(5, 6);
/* Up to the separator (or the end of *rest); *rest stands behind it. */
struct slice column_next(struct slice *rest, char separator);

#endif
