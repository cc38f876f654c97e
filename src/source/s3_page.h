/* What S3 says in XML: a page of a listing, and an error. Untrusted: no document type (hence no entities), no deep nesting, caps on all. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_S3_PAGE_H
#define SOURCE_S3_PAGE_H

#include <weir/base.h>

#define S3_KEY_MAX 4096 /* S3 has 1024 */
#define S3_ETAG_MAX 128
#define S3_TOKEN_MAX 4096

struct s3_entry { /* borrowed until the callback returns */
    struct slice key, etag; /* etag with its quotes, as If-Match takes it */
    uint64_t size;
    bool folder; /* a common prefix: no etag, no size */
};
struct s3_page {
    bool more;
    char token[S3_TOKEN_MAX]; /* when there is more */
    size_t entries;
};
/* each() in the order of the page; not OK ends it and is returned. CORRUPT: no such page, or one beyond a cap. */
typedef enum weir_err s3_each(void *ctx, const struct s3_entry *e);
WEIR_MUST_USE enum weir_err s3_page_read(struct slice xml, s3_each *each, void *ctx, struct s3_page *out, struct fault *fault);

/* A key that is encoded like a form. False: it is not, or is too long. */
bool s3_key_decode(struct slice s, char *out, size_t cap, size_t *n);

struct s3_error { char code[64], text[256], region[64]; };
/* Whatever can be read of it; "" where nothing is told. */
void s3_error_read(struct slice xml, struct s3_error *out);

#endif
