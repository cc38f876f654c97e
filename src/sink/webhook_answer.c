/* The head of an answer in HTTP/1.1 (RFC 9112), as far as a webhook needs it: bytes of a stranger, a function of nothing else.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sink/channel_private.h"

#define RETRY_AFTER_MAX 1000000u
#define INTERIM_MAX 8 /* answers before the answer: more is a receiver that wants to keep us */

/* "HTTP/1.1 200 OK": 200; 0 if it is none. */
static unsigned status_of(struct slice head)
{
    uint64_t status = 0;
    bool http = head.n >= 12 && memcmp(head.p, "HTTP/1.", 7) == 0 && head.p[8] == ' ';
    return http && parse_u64((struct slice){head.p + 9, 3}, 999, &status) == WEIR_OK ? (unsigned)status : 0;
}

/* A number of seconds; the other form, a date, is not read: then we wait as long as we would. */
static uint64_t retry_after(struct slice head)
{
    static const char name[] = "\r\nretry-after:";
    for (size_t i = 0; i + sizeof name - 1 < head.n; i++) {
        if (!slice_eq_nocase((struct slice){head.p + i, sizeof name - 1}, SLICE_LIT("\r\nretry-after:"))) continue;
        size_t at = i + sizeof name - 1, n = 0;
        uint64_t seconds = 0;
        while (at < head.n && head.p[at] == ' ') at++;
        while (at + n < head.n && head.p[at + n] >= '0' && head.p[at + n] <= '9') n++;
        return parse_u64((struct slice){head.p + at, n}, RETRY_AFTER_MAX, &seconds) == WEIR_OK ? seconds : 0;
    }
    return 0;
}

/* Bytes of the first head in what has come, with its empty line; 0: it is not whole yet. */
static size_t head_length(const struct buffer *b)
{
    const char *end = b->n ? memmem(b->p, b->n, "\r\n\r\n", 4) : NULL;
    return end ? (size_t)(end - b->p) + 4 : 0;
}

bool webhook_answer_read(struct buffer *come, struct webhook_answer *out)
{
    for (size_t n; (n = head_length(come)) > 0;) {
        struct slice head = {come->p, n};
        unsigned status = status_of(head);
        bool interim = status >= 100 && status <= 199;
        if (!interim || out->interim++ == INTERIM_MAX) {
            out->status = interim ? 0 : status;
            out->retry_after_s = retry_after(head);
            return true;
        }
        memmove(come->p, come->p + n, come->n - n);
        come->n -= n;
    }
    return false;
}
