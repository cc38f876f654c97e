/* SPDX-License-Identifier: Apache-2.0 */
/* What a queue may hand out as a notification of S3. */
#include <stdlib.h>
#include <string.h>

#include "source/s3_event.h"
#include "source/s3_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum weir_err look_at(void *ctx, const struct s3_event *e)
{
    size_t *sum = ctx;
    if (e->key.n > S3_KEY_MAX || (e->etag && strlen(e->etag) >= S3_ETAG_MAX))
        abort();
    *sum += e->bucket.n;
    return WEIR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    size_t sum = 0;
    char *exact = malloc(n ? n : 1);
    if (!exact)
        return 0;
    if (n)
        memcpy(exact, bytes, n);
    enum weir_err err = s3_event_read((struct slice){exact, n}, look_at, &sum);
    if (err && err != WEIR_CORRUPT)
        abort();
    free(exact);
    return 0;
}
