/* What S3 tells of new objects, as it lies in a queue: its own notification, one that SNS wrapped, or an event of EventBridge. Untrusted. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_S3_EVENT_H
#define SOURCE_S3_EVENT_H

#include <weir/base.h>

struct s3_event { /* borrowed until the callback returns */
    struct slice bucket, key; /* the bytes of the key */
    const char *etag;         /* with quotes, as listings have it; NULL: not told */
    uint64_t size;
};
typedef enum weir_err s3_event_each(void *ctx, const struct s3_event *e);
/* Each object that was made; removals, tests and the like give none. CORRUPT: no such message, or one with an object that cannot be told. */
WEIR_MUST_USE enum weir_err s3_event_read(struct slice body, s3_event_each *each, void *ctx);

#endif
