/* What a webhook's receiver may answer, in two portions: the first byte tells where it is cut. Claims: no byte past it is read; whole or cut, the
 * same bytes say the same; a status has three digits and is no interim one; nothing is left that a call without more bytes would take. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "sink/channel_private.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Exactly as large as what it holds. */
static void come(struct buffer *b, const uint8_t *bytes, size_t n)
{
    char *exact = malloc(b->n + n + 1);
    CLAIM(exact);
    if (b->n)
        memcpy(exact, b->p, b->n);
    if (n)
        memcpy(exact + b->n, bytes, n);
    free(b->p);
    b->p = exact;
    b->n += n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct buffer whole = {0}, parts = {0};
    struct webhook_answer a = {0, 0, 0}, b = {0, 0, 0};
    size_t cut = n ? bytes[0] : 0;
    bytes += n > 0;
    n -= n > 0;
    cut = cut < n ? cut : n;
    come(&whole, bytes, n);
    come(&parts, bytes, cut);
    bool done = webhook_answer_read(&whole, &a);
    if (!webhook_answer_read(&parts, &b)) {
        come(&parts, bytes + cut, n - cut);
        CLAIM(webhook_answer_read(&parts, &b) == done);
    }
    if (done) {
        CLAIM(a.status == b.status && a.retry_after_s == b.retry_after_s && a.retry_after_s <= 1000000);
        CLAIM(a.status <= 999 && (a.status < 100 || a.status > 199));
    } else {
        CLAIM(!memmem(whole.p, whole.n, "\r\n\r\n", 4));
    }
    free(whole.p);
    free(parts.p);
    return 0;
}
