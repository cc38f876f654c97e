/* SPDX-License-Identifier: Apache-2.0 */
/* source_s3 - objects in S3 and what speaks like it. Who calls this room need not know: a PATH that begins with s3:// is listed by
 * object_list_add and opened by source_open as any other, and the object has the id that its file would have. What stands here is what a
 * program must say once, and what makes it faster.
 *
 * The bytes of an object come into an unlinked temporary file, by one of a few threads, and are read from it while they come: so a
 * connection that breaks goes on where it broke, and reading twice asks nobody twice. Requests are signed (Signature Version 4), go
 * over TLS unless to this machine, follow no redirect, and say which content is wanted (If-Match).
 * Bounded: S3_AHEAD_BYTES of objects that nobody reads yet, or one larger; S3_CONNECTIONS; a page of a listing. */
#ifndef WEIR_SOURCE_S3_H
#define WEIR_SOURCE_S3_H

#include "weir/source.h"

#define S3_CONNECTIONS 8
#define S3_AHEAD_BYTES (32u << 20)
#define S3_AHEAD_OBJECTS 64

struct s3_access {      /* copied */
    const char *region;   /* "": that of the environment (AWS_REGION), of the shared files, else us-east-1 */
    const char *endpoint; /* "": of AWS; else https://HOST[:PORT], or http:// on this machine, and buckets in the path */
    const char *ca_file;  /* "": what the system trusts */
    char *const *env;     /* where credentials are looked for first */
};
/* Once, before the first PATH with s3:// and before threads. Asks nobody and loads nothing. USAGE: the endpoint cannot be. */
WEIR_MUST_USE enum weir_err s3_allow(const struct s3_access *access, struct fault *fault);
void s3_end(void); /* the threads end, all is forgotten */

bool path_is_far(struct slice path); /* s3://... */
/* These objects of the list are opened soon, in about this order, but for those that skip[i] marks (NULL: none). Those that are far begin to come. The list
 * stays as it is until source_expect_none, or the next call. */
void source_expect(const struct object_list *list, size_t first, size_t end, const uint8_t *skip);
void source_expect_none(void);

#endif
