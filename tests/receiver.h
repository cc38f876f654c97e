/* Receivers for the tests of sinks: a thread that listens on a port of the kernel's choice, over TCP or TLS, keeps what it gets and
 * answers as it is told; and certificates made for it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_RECEIVER_H
#define WEIR_TESTS_RECEIVER_H

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir/base.h"

enum receiver_habit {
    RECEIVER_READS,  /* until the other end ends, then ends too */
    RECEIVER_ANSWERS, /* reads a request with its body, sends `answer`, ends */
    RECEIVER_HANGS,  /* takes the connection and does nothing */
    RECEIVER_RESETS, /* takes the connection and throws it away unread */
};
struct receiver {
    enum receiver_habit habit;
    const char *answer;
    SSL_CTX *tls; /* NULL: plain */
    unsigned port;
    int fd, stop_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    struct buffer got; /* of all connections */
    unsigned connections;
};

/* ---- certificates ---- */
struct receiver_keys {
    EVP_PKEY *key;
    X509 *certificate;
};

static inline void receiver_name(X509 *x, const char *alternative)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

/* Signed by itself, for "DNS:localhost" or "IP:127.0.0.1"; written to path as an authority. */
static inline struct receiver_keys receiver_make_keys(const char *alternative, long valid_s, const char *path)
{
    struct receiver_keys k = {EVP_EC_gen("P-256"), X509_new()};
    X509_set_version(k.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(k.certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(k.certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(k.certificate), valid_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(k.certificate), "CN", MBSTRING_ASC, (const unsigned char *)"receiver", -1, -1, 0);
    X509_set_issuer_name(k.certificate, X509_get_subject_name(k.certificate));
    X509_set_pubkey(k.certificate, k.key);
    receiver_name(k.certificate, alternative);
    X509_sign(k.certificate, k.key, EVP_sha256());
    FILE *f = fopen(path, "w");
    PEM_write_X509(f, k.certificate);
    fclose(f);
    return k;
}

static inline SSL_CTX *receiver_tls(const char *alternative, long valid_s, const char *path, int newest)
{
    struct receiver_keys k = receiver_make_keys(alternative, valid_s, path);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, newest ? 0 : 1);
    if (newest) SSL_CTX_set_max_proto_version(ctx, newest);
    SSL_CTX_use_certificate(ctx, k.certificate);
    SSL_CTX_use_PrivateKey(ctx, k.key);
    X509_free(k.certificate);
    EVP_PKEY_free(k.key);
    return ctx;
}

/* ---- connections ---- */
struct receiver_end {
    int fd;
    SSL *ssl;
};

static inline int receiver_read(struct receiver_end *e, char *into, int n) { return e->ssl ? SSL_read(e->ssl, into, n) : (int)read(e->fd, into, (size_t)n); }

/* Is the request whole? Content-Length stands before the body. */
static inline bool receiver_whole(struct buffer *b, size_t from)
{
    const char *text = buffer_cstr(b) + from, *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length: ");
    uint64_t n = 0;
    if (!end || !length) return false;
    length += strlen("content-length: ");
    return parse_u64((struct slice){length, strspn(length, "0123456789")}, UINT32_MAX, &n) == WEIR_OK && strlen(end + 4) >= n;
}

static inline void receiver_take(struct receiver *r, struct receiver_end *e)
{
    char bytes[4096];
    size_t from = r->got.n;
    for (int n; (n = receiver_read(e, bytes, sizeof bytes)) > 0;) {
        pthread_mutex_lock(&r->lock);
        buffer_put(&r->got, bytes, (size_t)n);
        bool whole = r->habit == RECEIVER_ANSWERS && receiver_whole(&r->got, from);
        pthread_mutex_unlock(&r->lock);
        if (whole) break;
    }
    if (r->habit == RECEIVER_ANSWERS && e->ssl) SSL_write(e->ssl, r->answer, (int)strlen(r->answer));
    else if (r->habit == RECEIVER_ANSWERS) (void)!write(e->fd, r->answer, strlen(r->answer));
    if (e->ssl) SSL_shutdown(e->ssl);
}

static inline void receiver_meet(struct receiver *r, int fd)
{
    struct receiver_end e = {fd, NULL};
    struct pollfd stop = {r->stop_fd, POLLIN, 0};
    struct linger none = {1, 0};
    bool ready = true;
    pthread_mutex_lock(&r->lock);
    r->connections++;
    pthread_mutex_unlock(&r->lock);
    if (r->habit == RECEIVER_HANGS) (void)poll(&stop, 1, -1);
    if (r->habit == RECEIVER_RESETS) setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    if (r->habit == RECEIVER_READS || r->habit == RECEIVER_ANSWERS) {
        if (r->tls) {
            e.ssl = SSL_new(r->tls);
            SSL_set_fd(e.ssl, fd);
            ready = SSL_accept(e.ssl) == 1;
        }
        if (ready) receiver_take(r, &e);
        SSL_free(e.ssl);
    }
    close(fd);
}

static inline void *receiver_run(void *receiver)
{
    struct receiver *r = receiver;
    struct pollfd p[2] = {{r->fd, POLLIN, 0}, {r->stop_fd, POLLIN, 0}};
    while (poll(p, 2, -1) > 0 && !p[1].revents) {
        int fd = accept(r->fd, NULL, NULL);
        if (fd >= 0) receiver_meet(r, fd);
    }
    return NULL;
}

/* r->habit, answer and tls are set by the caller. */
static inline void receiver_start(struct receiver *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    buffer_init(&r->got, 64u << 20);
    pthread_mutex_init(&r->lock, NULL);
    r->stop_fd = eventfd(0, EFD_CLOEXEC);
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(r->fd, (struct sockaddr *)&at, sizeof at) || listen(r->fd, 16) || getsockname(r->fd, (struct sockaddr *)&at, &n)) abort();
    r->port = ntohs(at.sin_port);
    if (pthread_create(&r->thread, NULL, receiver_run, r)) abort();
}

static inline void receiver_stop(struct receiver *r)
{
    (void)!eventfd_write(r->stop_fd, 1);
    pthread_join(r->thread, NULL);
    close(r->fd);
    close(r->stop_fd);
    SSL_CTX_free(r->tls);
    buffer_fini(&r->got);
    pthread_mutex_destroy(&r->lock);
}

#endif
