/* A connection that never waits for ever: TCP with octets as they are on this machine, TLS 1.2 or later elsewhere, with the
 * authority and the name of the server verified; there is no switch to turn that off.
 *
 * Syslog has no answer. What takes its place is the end of the connection: we say that nothing more comes, and the other end,
 * having read everything before it, ends too (RFC 5425 4.4 asks for that; for plain TCP it is what servers do). A reset instead
 * means that bytes were thrown away unread. Addresses are looked at after the name was resolved, so that a name cannot lead
 * to the metadata service of a cloud.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/channel_private.h"

#define ANSWER_MAX (1u << 20) /* bytes that a receiver may send before it ends; none are expected */

struct wire_keys {
    SSL_CTX *ctx;
};
struct wire {
    int fd;
    SSL *ssl;         /* NULL: plain */
    const char *host; /* of the place */
    struct deadline deadline;
    unsigned deadline_s;
};

static const char *ssl_reason(void)
{
    unsigned long e = ERR_peek_last_error();
    const char *text = e ? ERR_reason_error_string(e) : NULL;
    return text ? text : "no reason given";
}

/* ---- keys ---- */
static enum weir_err load_fault(const char *key, const char *path, struct fault *fault)
{
    fault_set(fault, WEIR_USAGE, "'%s': cannot use '%.200s': %s", key, path, ssl_reason());
    ERR_clear_error();
    return WEIR_USAGE;
}

static enum weir_err load_keys(SSL_CTX *ctx, const struct channel_place *p, struct fault *fault)
{
    if (p->ca_file ? SSL_CTX_load_verify_file(ctx, p->ca_file) != 1 : SSL_CTX_set_default_verify_paths(ctx) != 1)
        return load_fault("ca_file", p->ca_file ? p->ca_file : "", fault);
    if (p->cert_file && SSL_CTX_use_certificate_chain_file(ctx, p->cert_file) != 1) return load_fault("cert_file", p->cert_file, fault);
    if (p->key_file && (SSL_CTX_use_PrivateKey_file(ctx, p->key_file, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1))
        return load_fault("key_file", p->key_file, fault);
    return WEIR_OK;
}

enum weir_err wire_keys_new(const struct channel_place *place, struct wire_keys **out, struct fault *fault)
{
    struct wire_keys *k = *out = calloc(1, sizeof *k);
    ERR_clear_error();
    if (k) k->ctx = SSL_CTX_new(TLS_client_method());
    enum weir_err err = k && k->ctx && SSL_CTX_set_min_proto_version(k->ctx, TLS1_2_VERSION) == 1
                            ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "cannot prepare TLS: %s", ssl_reason());
    if (!err) {
        SSL_CTX_set_verify(k->ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(k->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        err = load_keys(k->ctx, place, fault);
    }
    if (err) {
        wire_keys_free(k);
        *out = NULL;
    }
    return err;
}

void wire_keys_free(struct wire_keys *k)
{
    if (!k) return;
    SSL_CTX_free(k->ctx);
    free(k);
}

/* ---- where to ---- */
static bool ip_of(const struct sockaddr *address, struct ip *out)
{
    char text[INET6_ADDRSTRLEN];
    if (getnameinfo(address, address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6), text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
        return false;
    return ip_parse((struct slice){text, strcspn(text, "%")}, out) == WEIR_OK; /* a link-local one has a zone */
}

static bool is_loopback(struct ip ip) { return ip_is_v4(ip) ? ip_v4(ip) >> 24 == 127 : ip.hi == 0 && ip.lo == 1; }

bool channel_may_reach(const struct sockaddr *address, bool encrypted, struct fault *fault)
{
    static const struct ip metadata_v6 = {0xfd000ec200000000ULL, 0x254}; /* fd00:ec2::254; that of IPv4 is link-local */
    char text[IP_TEXT_MAX];
    struct ip ip;
    if (!ip_of(address, &ip)) return fault_set(fault, WEIR_USAGE, "no address of IPv4 or IPv6"), false;
    ip_format(ip, text);
    if (is_loopback(ip)) return true;
    if (ip_is_special(ip) || ip_eq(ip, metadata_v6)) return fault_set(fault, WEIR_USAGE, "%s is no address of a receiver", text), false;
    if (!encrypted) return fault_set(fault, WEIR_USAGE, "%s is not this machine: only TLS goes there", text), false;
    return true;
}

static int connect_one(const struct addrinfo *a, const struct wire *s, const struct channel_url *url, struct channel_outcome *out)
{
    struct fault why;
    int failed = 0;
    socklen_t n = sizeof failed;
    if (!channel_may_reach(a->ai_addr, url->encrypted, &why)) return channel_fail(out, CHANNEL_REFUSED_FAILURE, "'%s': %s", url->host, why.text), -1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return channel_fail(out, CHANNEL_IO_FAILURE, "no socket: %s", strerror(errno)), -1;
    enum channel_failure waited = CHANNEL_NONE_FAILURE;
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) failed = errno;
    else if ((waited = deadline_wait(&s->deadline, fd, POLLOUT)) == CHANNEL_NONE_FAILURE) (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n);
    if (!failed && waited == CHANNEL_NONE_FAILURE) return fd;
    channel_fail(out, failed ? CHANNEL_CONNECT_FAILURE : waited, "cannot connect to '%s' port %s: %s", url->host, url->port,
                 failed ? strerror(failed) : channel_failure_word(waited));
    close(fd);
    return -1;
}

/* Each address in turn, until one answers; of several failures the first is told. */
static int connect_any(const struct wire *s, const struct channel_url *url, struct channel_outcome *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV}, *all = NULL;
    int fd = -1, rc = getaddrinfo(url->host, url->port, &hints, &all);
    if (rc) return channel_fail(out, CHANNEL_RESOLVE_FAILURE, "cannot resolve '%s': %s", url->host, gai_strerror(rc)), -1;
    for (const struct addrinfo *a = all; a && fd < 0 && out->why != CHANNEL_STOPPED_FAILURE; a = a->ai_next) {
        struct channel_outcome tried = {.done = 0};
        fd = connect_one(a, s, url, &tried);
        if (fd < 0) channel_fail(out, tried.why, "%s", tried.fault.text);
    }
    if (fd >= 0) out->why = CHANNEL_NONE_FAILURE;
    freeaddrinfo(all);
    return fd;
}

/* ---- TLS ---- */
/* An address must stand in the certificate as an address, a name as a name. */
static bool expect_host(SSL *ssl, const char *host)
{
    struct ip ip;
    if (ip_parse(slice_of(host), &ip) == WEIR_OK) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* After an SSL call that returned rc: true if the socket is ready to try once more. */
static bool again(struct wire *s, int rc, const char *what, struct channel_outcome *out)
{
    int kind = SSL_get_error(s->ssl, rc);
    long verified = SSL_get_verify_result(s->ssl);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        enum channel_failure waited = deadline_wait(&s->deadline, s->fd, kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
        if (waited == CHANNEL_NONE_FAILURE) return true;
        channel_fail(out, waited, "'%s' %s: %s", s->host, what, channel_failure_word(waited));
    } else if (verified != X509_V_OK) {
        channel_fail(out, CHANNEL_TLS_FAILURE, "the certificate of '%s' is refused: %s", s->host, X509_verify_cert_error_string(verified));
    } else {
        channel_fail(out, kind == SSL_ERROR_SSL ? CHANNEL_TLS_FAILURE : CHANNEL_CLOSED_FAILURE, "'%s' %s: %s", s->host, what,
                     kind == SSL_ERROR_SSL ? ssl_reason() : errno ? strerror(errno) : "it has closed the connection");
    }
    return false;
}

static bool begin_tls(struct wire *s, const struct wire_keys *keys, struct channel_outcome *out)
{
    s->ssl = SSL_new(keys->ctx);
    if (!s->ssl || !expect_host(s->ssl, s->host) || SSL_set_fd(s->ssl, s->fd) != 1) {
        channel_fail(out, CHANNEL_TLS_FAILURE, "cannot begin TLS with '%s': %s", s->host, ssl_reason());
        return false;
    }
    for (;;) {
        ERR_clear_error();
        errno = 0;
        int rc = SSL_connect(s->ssl);
        if (rc == 1) return true;
        if (!again(s, rc, "does not agree on TLS", out)) return false;
    }
}

/* ---- the connection ---- */
struct wire *wire_open(const struct channel_url *url, const struct wire_keys *keys, const struct channel_place *place, struct channel_outcome *out)
{
    struct wire *s = calloc(1, sizeof *s);
    if (!s) return channel_fail(out, CHANNEL_IO_FAILURE, "out of memory"), NULL;
    *s = (struct wire){.host = url->host, .deadline = deadline_in(place->deadline_s, place->stop_fd), .deadline_s = place->deadline_s};
    s->fd = connect_any(s, url, out);
    if (s->fd >= 0 && (!url->encrypted || begin_tls(s, keys, out))) return s;
    wire_close(s);
    return NULL;
}

/* Bytes written, 0 to try again, -1 when it failed. */
static ssize_t write_some(struct wire *s, struct slice bytes, struct channel_outcome *out)
{
    if (s->ssl) {
        size_t n = 0;
        ERR_clear_error();
        errno = 0;
        int rc = SSL_write_ex(s->ssl, bytes.p, bytes.n, &n);
        return rc == 1 ? (ssize_t)n : again(s, rc, "takes nothing", out) ? 0 : -1;
    }
    ssize_t n = send(s->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno == EINTR) return 0;
    if (errno != EAGAIN) return channel_fail(out, CHANNEL_CLOSED_FAILURE, "'%s' takes nothing: %s", s->host, strerror(errno)), -1;
    enum channel_failure waited = deadline_wait(&s->deadline, s->fd, POLLOUT);
    if (waited == CHANNEL_NONE_FAILURE) return 0;
    return channel_fail(out, waited, "'%s' takes nothing: %s", s->host, channel_failure_word(waited)), -1;
}

bool wire_write(struct wire *s, struct slice bytes, struct channel_outcome *out)
{
    s->deadline = deadline_in(s->deadline_s, s->deadline.stop_fd);
    while (bytes.n) {
        ssize_t n = write_some(s, bytes, out);
        if (n < 0) return false;
        bytes = (struct slice){bytes.p + n, bytes.n - (size_t)n};
    }
    return true;
}

/* Bytes read, 0 at the end, -1 when it failed, -2 to try again. */
static ssize_t read_some(struct wire *s, char *into, size_t room, struct channel_outcome *out)
{
    if (s->ssl) {
        size_t n = 0;
        ERR_clear_error();
        errno = 0;
        int rc = SSL_read_ex(s->ssl, into, room, &n);
        if (rc == 1) return (ssize_t)n;
        if (SSL_get_error(s->ssl, rc) == SSL_ERROR_ZERO_RETURN) return 0;
        /* Many end without the alert: it was they who read our end, so nothing is cut off by it. */
        if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return 0;
        return again(s, rc, "does not end", out) ? -2 : -1;
    }
    ssize_t n = recv(s->fd, into, room, 0);
    if (n >= 0) return n;
    if (errno == EINTR) return -2;
    if (errno != EAGAIN) return channel_fail(out, CHANNEL_CLOSED_FAILURE, "'%s' has thrown away what was sent: %s", s->host, strerror(errno)), -1;
    enum channel_failure waited = deadline_wait(&s->deadline, s->fd, POLLIN);
    if (waited == CHANNEL_NONE_FAILURE) return -2;
    return channel_fail(out, waited, "'%s' does not end: %s", s->host, channel_failure_word(waited)), -1;
}

bool wire_read(struct wire *s, struct buffer *into, struct channel_outcome *out)
{
    char *room = buffer_reserve(into, 4096);
    ssize_t n = -2;
    if (!room) return channel_fail(out, CHANNEL_IO_FAILURE, "'%s' answers too much", s->host), false;
    while (n == -2) n = read_some(s, room, 4096, out);
    if (n == 0) channel_fail(out, CHANNEL_CLOSED_FAILURE, "'%s' has closed the connection without an answer", s->host);
    into->n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static bool say_end(struct wire *s, struct channel_outcome *out)
{
    for (int rc = -1; s->ssl && rc < 0;) {
        ERR_clear_error();
        errno = 0;
        rc = SSL_shutdown(s->ssl);
        if (rc < 0 && !again(s, rc, "does not end", out)) return false;
    }
    return shutdown(s->fd, SHUT_WR) == 0 || (channel_fail(out, CHANNEL_CLOSED_FAILURE, "'%s' has closed: %s", s->host, strerror(errno)), false);
}

bool wire_finish(struct wire *s, struct channel_outcome *out)
{
    char ignored[4096];
    s->deadline = deadline_in(s->deadline_s, s->deadline.stop_fd);
    if (!say_end(s, out)) return false;
    for (size_t got = 0; got < ANSWER_MAX;) {
        ssize_t n = read_some(s, ignored, sizeof ignored, out);
        if (n == 0) return true;
        if (n == -1) return false;
        got += n > 0 ? (size_t)n : 0;
    }
    channel_fail(out, CHANNEL_CLOSED_FAILURE, "'%s' says more than any syslog receiver does", s->host);
    return false;
}

void wire_close(struct wire *s)
{
    char ignored[4096];
    if (s->fd >= 0) (void)recv(s->fd, ignored, sizeof ignored, MSG_DONTWAIT); /* closing over unread bytes is a reset */
    SSL_free(s->ssl);
    if (s->fd >= 0) close(s->fd);
    free(s);
}
