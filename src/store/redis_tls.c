/* TLS 1.2 or later with the chain and the name of the server verified, always: there is no switch to turn that off. The handshake
 * and the bytes go over a socket that does not block; whoever calls waits.
 *
 * Writes go through a channel of our own that does not raise SIGPIPE: OpenSSL's writes with write(2), and a library must not
 * depend on the signals of its program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct redis_tls {
    SSL_CTX *ctx;
    BIO_METHOD *channel;
};

/* ---- the channel ---- */

static int fd_of(BIO *bio) { return (int)(intptr_t)BIO_get_data(bio); }

static int moved(BIO *bio, ssize_t n, int retry)
{
    BIO_clear_retry_flags(bio);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    return n < 0 ? -1 : (int)n;
}

static int channel_write(BIO *bio, const char *bytes, int n)
{
    return moved(bio, send(fd_of(bio), bytes, (size_t)n, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static int channel_read(BIO *bio, char *out, int n)
{
    return moved(bio, recv(fd_of(bio), out, (size_t)n, 0), BIO_FLAGS_READ);
}

static long channel_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *channel_new(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (!m)
        return NULL;
    BIO_meth_set_write(m, channel_write);
    BIO_meth_set_read(m, channel_read);
    BIO_meth_set_ctrl(m, channel_control);
    return m;
}

/* ---- certificates ---- */

static const char *reason(void)
{
    unsigned long e = ERR_peek_last_error();
    const char *text = e ? ERR_reason_error_string(e) : NULL;
    return text ? text : e && ERR_GET_LIB(e) == ERR_LIB_SYS ? strerror(ERR_GET_REASON(e)) : "no reason given";
}

static enum weir_err load_fault(const char *key, const char *path, struct fault *fault)
{
    fault_set(fault, WEIR_USAGE, "'%s': cannot use '%.200s': %s", key, path, reason());
    ERR_clear_error();
    return WEIR_USAGE;
}

static enum weir_err load_files(SSL_CTX *ctx, const struct redis_place *p, struct fault *fault)
{
    if (*p->ca_file ? SSL_CTX_load_verify_file(ctx, p->ca_file) != 1 : SSL_CTX_set_default_verify_paths(ctx) != 1)
        return load_fault("redis.ca_file", p->ca_file, fault);
    if (*p->cert_file && SSL_CTX_use_certificate_chain_file(ctx, p->cert_file) != 1)
        return load_fault("redis.cert_file", p->cert_file, fault);
    if (*p->key_file && (SSL_CTX_use_PrivateKey_file(ctx, p->key_file, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1))
        return load_fault("redis.key_file", p->key_file, fault);
    return WEIR_OK;
}

enum weir_err redis_tls_new(const struct redis_place *place, struct redis_tls **out, struct fault *fault)
{
    struct redis_tls *t = *out = calloc(1, sizeof *t);
    ERR_clear_error();
    if (t)
        t->ctx = SSL_CTX_new(TLS_client_method());
    if (t && t->ctx)
        t->channel = channel_new();
    enum weir_err err = t && t->channel && SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) == 1
                            ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "cannot prepare TLS: %s", reason());
    if (!err) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        err = load_files(t->ctx, place, fault);
    }
    if (err) {
        redis_tls_free(t);
        *out = NULL;
    }
    return err;
}

void redis_tls_free(struct redis_tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    BIO_meth_free(t->channel);
    free(t);
}

/* ---- a connection ---- */

/* An address must stand in the certificate as an address, a name as a name. */
static bool expect_host(SSL *ssl, const char *host)
{
    struct ip ip;
    if (ip_parse(slice_of(host), &ip) == WEIR_OK)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

enum weir_err redis_tls_begin(struct redis_tls *t, int fd, const char *host, struct ssl_st **out, struct fault *fault)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(t->ctx);
    BIO *bio = BIO_new(t->channel);
    if (ssl && bio && expect_host(ssl, host)) {
        BIO_set_data(bio, (void *)(intptr_t)fd);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl, bio, bio);
        SSL_set_connect_state(ssl);
        *out = ssl;
        return WEIR_OK;
    }
    BIO_free(bio);
    SSL_free(ssl);
    return fault_set(fault, WEIR_NOMEM, "cannot begin TLS with '%.200s': %s", host, reason());
}

static int outcome(SSL *ssl, int n)
{
    if (n > 0)
        return n;
    switch (SSL_get_error(ssl, n)) {
    case SSL_ERROR_WANT_READ: return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE: return TLS_WANT_WRITE;
    default: return TLS_LOST;
    }
}

int redis_tls_shake(struct ssl_st *ssl)
{
    ERR_clear_error();
    return outcome(ssl, SSL_do_handshake(ssl));
}

int redis_tls_read(struct ssl_st *ssl, char *out, size_t n)
{
    ERR_clear_error();
    return outcome(ssl, SSL_read(ssl, out, n > INT_MAX ? INT_MAX : (int)n));
}

int redis_tls_write(struct ssl_st *ssl, const char *bytes, size_t n)
{
    ERR_clear_error();
    return outcome(ssl, SSL_write(ssl, bytes, n > INT_MAX ? INT_MAX : (int)n));
}

void redis_tls_end(struct ssl_st *ssl)
{
    SSL_free(ssl);
}

/* A bad certificate stays bad; a channel that broke may be whole the next time. */
enum weir_err redis_tls_fault(struct ssl_st *ssl, const char *host, struct fault *fault)
{
    long verdict = SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK)
        return fault_set(fault, WEIR_USAGE, "the certificate of '%.150s' is refused: %s", host, X509_verify_cert_error_string(verdict));
    if (ERR_peek_last_error())
        return fault_set(fault, WEIR_USAGE, "no TLS 1.2 or later with '%.150s': %s", host, reason());
    return fault_set(fault, WEIR_UNAVAILABLE, "'%.150s' broke off the TLS handshake", host);
}
