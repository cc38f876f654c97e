/* SPDX-License-Identifier: Apache-2.0 */
/* sink_channel - findings to where a team listens: a chained file, standard output, syslog, a webhook.
 *
 * A channel blocks, and never longer than its deadline; who must not wait gives it a thread of its own. It keeps no queue and no
 * cursor: parcels go in order, and the outcome tells how many of them the receiver has. What failed is sent again under the same
 * id, so a receiver may see a parcel twice and never none. Sources: RFC 5424, 5425, 6587 (octet counting), Standard Webhooks 1.0. */
#ifndef WEIR_SINK_CHANNEL_H
#define WEIR_SINK_CHANNEL_H

#include <stdio.h>

#include "weir/base.h"

enum channel_kind { CHANNEL_FILE, CHANNEL_STDOUT, CHANNEL_SYSLOG, CHANNEL_WEBHOOK };
#define CHANNEL_SECRET_MIN 16
#define CHANNEL_SECRET_MAX 1024

struct channel_place { /* borrowed until channel_free */
    enum channel_kind kind;
    const char *path;                          /* file */
    const char *url;                           /* syslog: tls://HOST:PORT, tcp://HOST:PORT · webhook: https://, http:// */
    const char *ca_file, *cert_file, *key_file; /* PEM; NULL: the system's authorities, no certificate of our own */
    struct slice secret;                       /* webhook: the key of the signature */
    uint64_t rotate_bytes;                     /* file */
    uint64_t message_bytes;                    /* syslog: longer ones are sent as a summary that says where the whole stands */
    FILE *out;                                 /* stdout */
    int stop_fd;                               /* readable: give up at once; -1: never */
    unsigned deadline_s;                       /* of a connection and of each answer */
};

/* What is sent: one state of one finding. */
struct parcel {
    uint64_t seq;      /* its number in the outbox */
    const char *uid;   /* "wf1-..." */
    unsigned activity; /* 1 create, 2 update, 3 close */
    unsigned severity; /* OCSF, 1 to 5 */
    int64_t time_s;    /* of the finding */
    struct slice json;
};

#define CHANNEL_FAILURES(X)                                                                                                \
    X(NONE, "none") X(RESOLVE, "resolve") X(REFUSED, "refused") X(CONNECT, "connect") X(TLS, "tls") X(TIMEOUT, "timeout") \
    X(CLOSED, "closed") X(STATUS, "status") X(GONE, "gone") X(IO, "io") X(STOPPED, "stopped")
#define CHANNEL_FAILURE_ENUM(name, word) CHANNEL_##name##_FAILURE,
enum channel_failure { CHANNEL_FAILURES(CHANNEL_FAILURE_ENUM) CHANNEL_FAILURE_COUNT };
const char *channel_failure_word(enum channel_failure f);

struct channel_outcome {
    size_t done;              /* parcels that the receiver has, from the first on */
    enum channel_failure why; /* NONE: all of them. GONE: the receiver wants no more, ever */
    uint64_t retry_after_s;   /* the receiver asked for it; 0: it did not */
    struct fault fault;
};

struct channel;
/* Opens nothing yet but what files a place names. USAGE: such a place cannot be. */
WEIR_MUST_USE enum weir_err channel_new(const struct channel_place *place, struct channel **out, struct fault *fault);
void channel_free(struct channel *c);
void channel_send(struct channel *c, const struct parcel *parcel, size_t n, struct channel_outcome *out);

/* ---- the file's chain: each line holds its number and the SHA-256 of the line before it ---- */
struct chain {
    uint64_t lines;     /* so far */
    struct sha256 last; /* of the last line with its newline; zeros before the first */
    bool goes_on;       /* what came before is not at hand: the first line that is read is believed */
    uint64_t first;     /* number of the first line that was read */
};
/* Read a file that continues *chain and move it on. CORRUPT, with the line: somebody changed, removed or added something. */
WEIR_MUST_USE enum weir_err chain_verify(FILE *in, struct chain *chain, struct fault *fault);

/* A full file PATH was renamed to PATH.N: the highest N of those that lie beside it, 0 if none; lowest may be NULL. */
uint64_t chain_files(const char *path, uint64_t *lowest);

/* ---- what other programs compute as well, for tests ---- */
/* "v1,<base64>" of HMAC-SHA256 over id.timestamp.body. */
#define WEBHOOK_SIGNATURE_MAX 64
void webhook_sign(struct slice secret, const char *id, int64_t time_s, struct slice body, char out[WEBHOOK_SIGNATURE_MAX]);
/* The secret in a file's text: "whsec_" and base64, or the bytes themselves without the newline at the end. USAGE if it is too short. */
WEIR_MUST_USE enum weir_err webhook_secret(struct slice text, struct buffer *out, struct fault *fault);
/* LEN SP MSG of RFC 5425: the finding as an RFC 5424 message of facility 13. */
void syslog_frame(const struct parcel *p, const char *hostname, uint64_t message_bytes, struct buffer *out);
/* "https://hooks.example.org:8443/weir": host without brackets, port, and what is asked for; path borrows from the text. */
struct channel_url {
    bool encrypted;
    char host[256], port[6];
    const char *path; /* "/" at least */
};
WEIR_MUST_USE enum weir_err channel_url_parse(enum channel_kind kind, const char *url, struct channel_url *out, struct fault *fault);

#endif
