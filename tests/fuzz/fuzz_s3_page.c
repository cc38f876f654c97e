/* SPDX-License-Identifier: Apache-2.0 */
/* What a store of objects answers: a page of a listing, and an error. */
#include <stdlib.h>

#include "source/s3_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum weir_err look_at(void *ctx, const struct s3_entry *e)
{
    size_t *n = ctx;
    if (e->key.n > S3_KEY_MAX || e->etag.n >= S3_ETAG_MAX)
        abort();
    for (size_t i = 0; i < e->key.n; i++)
        *n += (unsigned char)e->key.p[i];
    return WEIR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault;
    struct s3_page page;
    struct s3_error error;
    size_t n = 0;
    char *copy = malloc(size ? size : 1); /* of the exact size, so that a read beyond it is seen */
    if (!copy)
        return 0;
    for (size_t i = 0; i < size; i++)
        copy[i] = (char)data[i];
    enum weir_err err = s3_page_read((struct slice){copy, size}, look_at, &n, &page, &fault);
    if (err && err != WEIR_CORRUPT && err != WEIR_NOMEM)
        abort();
    s3_error_read((struct slice){copy, size}, &error);
    free(copy);
    return 0;
}
