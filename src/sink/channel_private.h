/* What the channels share: the outcome of a failure, waiting with a deadline, a connection.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_SINK_CHANNEL_PRIVATE_H
#define WEIR_SINK_CHANNEL_PRIVATE_H

#include <sys/socket.h>

#include "weir/sink_channel.h"

struct channel_ops {
    enum weir_err (*open)(const struct channel_place *place, void **state, struct fault *fault);
    void (*send)(void *state, const struct parcel *parcel, size_t n, struct channel_outcome *out);
    void (*close)(void *state);
};
extern const struct channel_ops channel_file, channel_stdout, channel_syslog, channel_webhook;

/* Note why it failed, once: the first failure stays. */
void channel_fail(struct channel_outcome *out, enum channel_failure why, const char *format, ...) WEIR_PRINTF(3, 4);

/* A moment of the monotonic clock until which something may wait. */
struct deadline {
    int64_t at_ms;
    int stop_fd;
};
struct deadline deadline_in(unsigned seconds, int stop_fd);
bool deadline_stopped(int stop_fd);
/* Wait until fd is ready for events (poll.h): NONE, TIMEOUT, STOPPED or IO. */
enum channel_failure deadline_wait(const struct deadline *d, int fd, short events);

/* ---- wire.c: bytes to one host, over TLS or on this machine ---- */
/* Off the machine only encrypted; never to addresses of no host and those of a cloud's metadata. Text says why not. */
bool channel_may_reach(const struct sockaddr *address, bool encrypted, struct fault *fault);

struct wire_keys; /* authorities and our certificate */
WEIR_MUST_USE enum weir_err wire_keys_new(const struct channel_place *place, struct wire_keys **out, struct fault *fault);
void wire_keys_free(struct wire_keys *k);

struct wire;
/* NULL when it cannot be reached; then *out tells why. */
struct wire *wire_open(const struct channel_url *url, const struct wire_keys *keys, const struct channel_place *place, struct channel_outcome *out);
bool wire_write(struct wire *s, struct slice bytes, struct channel_outcome *out);
/* What has come, at least one byte, behind what is in *into. False also at the end. */
bool wire_read(struct wire *s, struct buffer *into, struct channel_outcome *out);
/* Say that nothing more comes, and wait until the other end has read all and ends too: only then it has what was written. */
bool wire_finish(struct wire *s, struct channel_outcome *out);
void wire_close(struct wire *s);

/* ---- webhook_answer.c ---- */
#define WEBHOOK_HEAD_MAX (16u << 10)
struct webhook_answer { unsigned status, interim; uint64_t retry_after_s; }; /* begins all zero; status 0: that is no HTTP/1.1 */
/* What has come so far, any bytes; interim answers (1xx) are taken out of it. False: not whole yet, call again with more. */
bool webhook_answer_read(struct buffer *come, struct webhook_answer *out);

#endif
