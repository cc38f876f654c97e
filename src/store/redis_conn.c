/* One connection to one server. The socket never blocks: every wait is a poll with a deadline, which any byte that moves puts off. While
 * commands go out, replies are taken in, so that neither side can fill the pipe of the other and stop.
 *
 * hiredis is the codec and no more: Debian 12 packages it without TLS. Its reader calls back for every part of a reply as soon as
 * that is whole, so an answer of many large values needs the memory of one. The functions here make no objects: what a hostile
 * server claims as the length of an array is a number, never an allocation. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 2000          /* without a byte: hung */
#define OUT_FULL ((size_t)64 << 10) /* flush at; a larger command goes out from where it lies */
#define IN_BYTES ((size_t)256 << 10)
#define KEPT_BYTES ((size_t)1 << 20)
#define INCOMPLETE_MAX (STORE_VALUE_MAX + (1u << 20)) /* held of a part that is not whole yet */

struct redis_conn {
    int fd;
    struct ssl_st *ssl; /* NULL: plain */
    redisReader *reader;
    struct buffer out;
    char *in;
    char name[REDIS_HOST_MAX + 8];
    bool lost;
    struct fault why;   /* when lost */
    unsigned patience_ms;
    uint64_t waited_us;
    /* the reply that is being read */
    redis_each *each;
    void *ctx;
    struct redis_reply *reply;
    enum weir_err each_err;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t redis_now_ms(void) { return now_us() / 1000; }

static void lose(struct redis_conn *c, enum weir_err err, const char *what)
{
    if (!c->lost)
        fault_set(&c->why, err, "store at '%.250s': %s", c->name, what);
    c->lost = true;
}

/* ---- waiting and moving bytes ---- */

/* What of events came; 0: lost. A signal is no byte: the deadline stands. */
static int wait_for(struct redis_conn *c, int events)
{
    struct pollfd p = {c->fd, (short)events, 0};
    int64_t begin = now_us(), end = begin + (int64_t)c->patience_ms * 1000, now = begin;
    int n = 0;
    do {
        n = poll(&p, 1, (int)((end - now + 999) / 1000));
        now = now_us();
    } while ((n < 0 && errno == EINTR && now < end) || (n == 0 && now < end));
    c->waited_us += (uint64_t)(now - begin);
    if (n > 0)
        return p.revents;
    char text[64];
    snprintf(text, sizeof text, "no answer for %u ms", c->patience_ms);
    lose(c, WEIR_UNAVAILABLE, n == 0 || errno == EINTR ? text : strerror(errno));
    return 0;
}

static ssize_t take(struct redis_conn *c, char *out, size_t n)
{
    return c->ssl ? redis_tls_read(c->ssl, out, n) : recv(c->fd, out, n, 0);
}

static ssize_t give(struct redis_conn *c, const char *bytes, size_t n)
{
    return c->ssl ? redis_tls_write(c->ssl, bytes, n) : send(c->fd, bytes, n, MSG_NOSIGNAL);
}

/* After a take or give that moved nothing: what to wait for; 0: lost. */
static int blocked_by(struct redis_conn *c, ssize_t n, int otherwise)
{
    if (c->ssl && n != TLS_LOST)
        return n == TLS_WANT_READ ? POLLIN : POLLOUT;
    if (!c->ssl && n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return otherwise;
    lose(c, WEIR_UNAVAILABLE, n < 0 && !c->ssl ? strerror(errno) : "the server closed the connection");
    return 0;
}

/* Everything that is there now goes to the reader. False: nothing was, *wants says what to wait for. */
static bool pull(struct redis_conn *c, int *wants)
{
    ssize_t n = take(c, c->in, IN_BYTES);
    if (n <= 0) {
        *wants = blocked_by(c, n, POLLIN);
        return false;
    }
    if (c->reader->len - c->reader->pos > INCOMPLETE_MAX || redisReaderFeed(c->reader, c->in, (size_t)n) != REDIS_OK)
        lose(c, WEIR_CORRUPT, "an answer is larger than any value of ours");
    return true;
}

static void send_all(struct redis_conn *c, const char *bytes, size_t n)
{
    for (size_t sent = 0; sent < n && !c->lost;) {
        ssize_t moved = give(c, bytes + sent, n - sent);
        if (moved > 0) {
            sent += (size_t)moved;
            continue;
        }
        int wants = blocked_by(c, moved, POLLOUT), other = 0;
        if (wants && (wait_for(c, wants | POLLIN) & POLLIN))
            pull(c, &other);
    }
}

void redis_conn_flush(struct redis_conn *c)
{
    if (c->out.err)
        lose(c, WEIR_NOMEM, "out of memory");
    if (!c->lost && c->out.n)
        send_all(c, c->out.p, c->out.n);
    buffer_clear(&c->out);
}

void redis_conn_push(struct redis_conn *c, struct slice command)
{
    if (c->out.n + command.n > OUT_FULL)
        redis_conn_flush(c);
    if (command.n > OUT_FULL / 2 && !c->lost)
        send_all(c, command.p, command.n);
    else
        buffer_slice(&c->out, command);
}

void redis_conn_ask(struct redis_conn *c, size_t n, const char *const *words)
{
    char *text = NULL;
    const char **argv = (const char **)(uintptr_t)words; /* hiredis only reads them */
    int length = redisFormatCommandArgv(&text, (int)n, argv, NULL);
    if (length < 0)
        lose(c, WEIR_NOMEM, "out of memory");
    else
        redis_conn_push(c, (struct slice){text, (size_t)length});
    redisFreeCommand(text);
}

void redis_conn_patience(struct redis_conn *c, unsigned ms) { c->patience_ms = ms; }
bool redis_conn_lost(const struct redis_conn *c) { return c->lost; }
uint64_t redis_conn_waited_us(const struct redis_conn *c) { return c->waited_us; }

/* ---- replies ---- */

#if HIREDIS_MAJOR >= 1
typedef size_t elements_count;
#else
typedef int elements_count;
#endif

static void copy_text(char out[REDIS_TEXT_MAX], struct slice s)
{
    size_t n = s.n < REDIS_TEXT_MAX ? s.n : REDIS_TEXT_MAX - 1;
    if (n)
        memcpy(out, s.p, n);
    out[n] = '\0';
}

/* A part of the reply that is whole. What it returns is not NULL, or the reader would call it out of memory. */
static void *hand_on(const redisReadTask *task, int type, struct slice text, long long number)
{
    struct redis_conn *c = task->privdata;
    struct redis_item item = {.type = type, .number = number, .text = text};
    for (const redisReadTask *t = task; t->parent; t = t->parent)
        item.depth++;
    const redisReadTask *t = task;
    for (unsigned d = item.depth; d > 0; d--, t = t->parent)
        if (d <= WEIR_COUNT(item.at))
            item.at[d - 1] = (size_t)t->idx;
    if (item.depth == 0) {
        c->reply->type = item.type;
        c->reply->number = number;
        copy_text(c->reply->text, text);
    } else if (item.type == REDIS_REPLY_ERROR && !*c->reply->error) {
        copy_text(c->reply->error, text);
    }
    if (c->each && !c->each_err)
        c->each_err = c->each(c->ctx, &item);
    return c;
}

static void *on_string(const redisReadTask *task, char *p, size_t n) { return hand_on(task, task->type, (struct slice){p, n}, 0); }
static void *on_array(const redisReadTask *task, elements_count n) { return hand_on(task, REDIS_REPLY_ARRAY, SLICE_LIT(""), (long long)n); }
static void *on_integer(const redisReadTask *task, long long number) { return hand_on(task, REDIS_REPLY_INTEGER, SLICE_LIT(""), number); }
static void *on_nil(const redisReadTask *task) { return hand_on(task, REDIS_REPLY_NIL, SLICE_LIT(""), 0); }
static void on_free(void *object) { (void)object; }

static redisReplyObjectFunctions functions = {.createString = on_string, .createArray = on_array, .createInteger = on_integer, .createNil = on_nil, .freeObject = on_free};

static enum weir_err lost_fault(const struct redis_conn *c, struct fault *fault)
{
    if (fault)
        *fault = c->why;
    return c->why.err;
}

enum weir_err redis_conn_reply(struct redis_conn *c, redis_each *each, void *ctx, struct redis_reply *out, struct fault *fault)
{
    struct redis_reply unused;
    void *whole = NULL;
    c->reply = out ? out : &unused;
    *c->reply = (struct redis_reply){.type = 0};
    c->each = each;
    c->ctx = ctx;
    c->each_err = WEIR_OK;
    redis_conn_flush(c);
    while (!c->lost && !whole) {
        int wants = 0;
        if (redisReaderGetReply(c->reader, &whole) != REDIS_OK)
            lose(c, WEIR_CORRUPT, "what answers does not speak the protocol of Redis");
        else if (!whole && !pull(c, &wants) && wants)
            wait_for(c, wants);
    }
    c->patience_ms = PATIENCE_MS;
    return c->lost ? lost_fault(c, fault) : c->each_err;
}

/* ---- open and close ---- */

static enum weir_err reach_fault(const struct redis_conn *c, const char *why, struct fault *fault)
{
    return fault_set(fault, WEIR_UNAVAILABLE, "cannot reach the store at '%.200s': %s", c->name, why);
}

static bool finish_connect(struct redis_conn *c, int *error)
{
    socklen_t n = sizeof *error;
    if (!wait_for(c, POLLOUT)) {
        *error = ETIMEDOUT;
        c->lost = false;
        return false;
    }
    return getsockopt(c->fd, SOL_SOCKET, SO_ERROR, error, &n) == 0 && *error == 0;
}

static bool connect_to(struct redis_conn *c, const struct sockaddr *address, socklen_t n, int *error)
{
    c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || (connect(c->fd, address, n) != 0 && errno != EINPROGRESS))
        *error = errno;
    else if (finish_connect(c, error))
        return true;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    return false;
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24) == 127;
    return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static enum weir_err connect_unix(struct redis_conn *c, const char *path, struct fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error = 0;
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connect_to(c, (const struct sockaddr *)&address, sizeof address, &error) ? WEIR_OK : reach_fault(c, strerror(error), fault);
}

/* The bytes that stand in a store tell who talks to whom: nobody on the way may read them. */
static enum weir_err connect_tcp(struct redis_conn *c, const struct redis_node *node, bool tls, struct fault *fault)
{
    struct addrinfo *all = NULL;
    int error = 0, on = 1, rc = redis_resolve(node, PATIENCE_MS, &all);
    if (rc)
        return reach_fault(c, gai_strerror(rc), fault);
    enum weir_err err = WEIR_UNAVAILABLE;
    for (const struct addrinfo *a = all; a && err == WEIR_UNAVAILABLE; a = a->ai_next) {
        if (!tls && !is_loopback(a->ai_addr))
            err = WEIR_USAGE;
        else if (connect_to(c, a->ai_addr, a->ai_addrlen, &error))
            err = WEIR_OK;
    }
    freeaddrinfo(all);
    if (err == WEIR_USAGE)
        return fault_set(fault, err, "store at '%.200s': without encryption only this machine is reached, use rediss:// (or rediss-cluster://)", c->name);
    if (err)
        return reach_fault(c, strerror(error), fault);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return WEIR_OK;
}

static enum weir_err shake_hands(struct redis_conn *c, struct redis_tls *tls, const char *host, struct fault *fault)
{
    enum weir_err err = redis_tls_begin(tls, c->fd, host, &c->ssl, fault);
    while (!err) {
        int n = redis_tls_shake(c->ssl);
        if (n > 0)
            return WEIR_OK;
        if (n == TLS_LOST)
            return redis_tls_fault(c->ssl, c->name, fault);
        if (!wait_for(c, n == TLS_WANT_READ ? POLLIN : POLLOUT))
            return lost_fault(c, fault);
    }
    return err;
}

static struct redis_conn *conn_new(const struct redis_place *place, const struct redis_node *node)
{
    struct redis_conn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->fd = -1;
    c->patience_ms = PATIENCE_MS;
    c->in = malloc(IN_BYTES);
    c->reader = redisReaderCreateWithFunctions(&functions);
    buffer_init(&c->out, 2 * OUT_FULL);
    snprintf(c->name, sizeof c->name, "%s%s%s", *node->host ? node->host : place->path, *node->host ? ":" : "", node->port);
    if (c->in && c->reader) {
        c->reader->privdata = c;
        c->reader->maxbuf = KEPT_BYTES;
        return c;
    }
    redis_conn_close(c);
    return NULL;
}

enum weir_err redis_conn_open(const struct redis_place *place, const struct redis_node *node, struct redis_tls *tls, struct redis_conn **out, struct fault *fault)
{
    struct redis_conn *c = *out = conn_new(place, node);
    if (!c)
        return fault_set(fault, WEIR_NOMEM, "cannot open the store: out of memory");
    enum weir_err err = *node->host ? connect_tcp(c, node, place->tls, fault) : connect_unix(c, place->path, fault);
    if (!err && place->tls)
        err = shake_hands(c, tls, node->host, fault);
    if (err) {
        redis_conn_close(c);
        *out = NULL;
    }
    return err;
}

void redis_conn_close(struct redis_conn *c)
{
    if (!c)
        return;
    redis_tls_end(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    if (c->reader)
        redisReaderFree(c->reader);
    buffer_fini(&c->out);
    free(c->in);
    free(c);
}
