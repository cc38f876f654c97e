/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's thread: one poll loop, no blocking call. See http.h. */
#include "app/http.h"
#include "app/terminal.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 1000
#define BODY_MAX (1u << 20)

struct connection {
    int fd; /* -1: free */
    int64_t since_ns;
    size_t n; /* of the request so far */
    char request[HTTP_REQUEST_MAX];
    struct buffer answer; /* once it has bytes, it is being sent */
    size_t sent;
};

struct http {
    int listener, stop; /* -1: none; an eventfd */
    char address[NI_MAXHOST + NI_MAXSERV + 4];
    http_answer *answer;
    http_tick *tick;
    void *ctx;
    pthread_t thread;
    struct connection connection[HTTP_CONNECTIONS];
};

/* ---- one connection ---- */

static void hang_up(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
    c->n = c->sent = 0;
    buffer_fini(&c->answer);
    buffer_init(&c->answer, BODY_MAX + 1024);
}

static void compose(struct http *h, struct connection *c, unsigned status, const struct http_request *request)
{
    struct http_reply reply = {.status = status == 200 ? 404 : status, .type = "text/plain; charset=utf-8"};
    buffer_init(&reply.body, BODY_MAX);
    if (status == 200)
        h->answer(h->ctx, request->path, &reply);
    if (!reply.body.n)
        buffer_printf(&reply.body, "%s\n", http_reason(reply.status));
    buffer_printf(&c->answer, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\nCache-Control: no-store\r\n"
                              "X-Content-Type-Options: nosniff\r\n%s\r\n",
                  reply.status, http_reason(reply.status), reply.type, reply.body.n, reply.status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (!request->head)
        buffer_put(&c->answer, reply.body.p, reply.body.n);
    buffer_fini(&reply.body);
}

/* False: it is over. */
static bool send_more(struct connection *c)
{
    while (c->sent < c->answer.n) {
        ssize_t n = send(c->fd, c->answer.p + c->sent, c->answer.n - c->sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
    }
    return false;
}

static bool receive_more(struct http *h, struct connection *c)
{
    struct http_request request;
    ssize_t n = recv(c->fd, c->request + c->n, sizeof c->request - c->n, 0);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    c->n += (size_t)n;
    unsigned status = http_parse((struct slice){c->request, c->n}, &request);
    if (!status)
        return true;
    compose(h, c, status, &request);
    c->since_ns = clock_monotonic_ns();
    return !c->answer.err && send_more(c);
}

static void take_connection(struct http *h)
{
    int fd = accept4(h->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *c = &h->connection[0];
    if (fd < 0)
        return;
    for (size_t i = 1; i < HTTP_CONNECTIONS && c->fd >= 0; i++)
        if (h->connection[i].fd < 0 || h->connection[i].since_ns < c->since_ns)
            c = &h->connection[i];
    if (c->fd >= 0)
        hang_up(c);
    c->fd = fd;
    c->since_ns = clock_monotonic_ns();
}

/* ---- the loop ---- */

static void serve_connections(struct http *h, const struct pollfd *p, const size_t *at)
{
    int64_t now = clock_monotonic_ns();
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
        struct connection *c = &h->connection[i];
        if (c->fd < 0 || !at[i])
            continue;
        bool goes_on = now - c->since_ns < HTTP_PATIENCE_NS;
        if (goes_on && p[at[i]].revents)
            goes_on = c->answer.n ? send_more(c) : receive_more(h, c);
        if (!goes_on)
            hang_up(c);
    }
}

static void *work(void *http)
{
    struct http *h = http;
    for (int64_t ticked = 0;;) {
        struct pollfd p[HTTP_CONNECTIONS + 2] = {{.fd = h->stop, .events = POLLIN}, {.fd = h->listener, .events = POLLIN}};
        size_t at[HTTP_CONNECTIONS] = {0}, n = 2;
        for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
            if (h->connection[i].fd >= 0) {
                p[n] = (struct pollfd){.fd = h->connection[i].fd, .events = h->connection[i].answer.n ? POLLOUT : POLLIN};
                at[i] = n++;
            }
        (void)poll(p, n, TICK_MS);
        if (p[0].revents)
            return NULL;
        serve_connections(h, p, at);
        if (p[1].revents)
            take_connection(h);
        if (clock_monotonic_ns() - ticked >= TICK_MS * INT64_C(1000000)) {
            ticked = clock_monotonic_ns();
            h->tick(h->ctx);
        }
    }
}

/* ---- open, close ---- */

/* "host:port" or "[host]:port" into its two parts. */
static bool split_listen(const char *listen, char host[NI_MAXHOST], char port[NI_MAXSERV])
{
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    bool bracketed = n >= 2 && listen[0] == '[' && listen[n - 1] == ']';
    struct slice name = bracketed ? (struct slice){listen + 1, n - 2} : (struct slice){listen, n};
    if (!colon || !name.n || name.n >= NI_MAXHOST || strlen(colon + 1) >= NI_MAXSERV || (!bracketed && memchr(name.p, ':', name.n)))
        return false;
    memcpy(host, name.p, name.n);
    host[name.n] = 0;
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

static struct addrinfo *resolve(const char *listen)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    struct addrinfo want = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (!split_listen(listen, host, port) || getaddrinfo(host, port, &want, &found) != 0)
        return NULL;
    return found;
}

bool http_is_loopback(const char *listen)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    struct ip first, last, ip;
    return split_listen(listen, host, port) && ip_parse(slice_of(host), &ip) == WEIR_OK &&
           ((cidr_parse(SLICE_LIT("127.0.0.0/8"), &first, &last) == WEIR_OK && ip_cmp(ip, first) >= 0 && ip_cmp(ip, last) <= 0) ||
            (ip.hi == 0 && ip.lo == 1));
}

static void tell_address(struct http *h)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
    if (getsockname(h->listener, (struct sockaddr *)&at, &n) == 0)
        (void)getnameinfo((struct sockaddr *)&at, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(h->address, sizeof h->address, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static enum weir_err bind_listener(struct http *h, const char *listen_at, struct fault *fault)
{
    struct addrinfo *a = resolve(listen_at);
    int yes = 1;
    if (!a)
        return fault_set(fault, WEIR_USAGE, "'serve.listen' must be an address and a port, as 127.0.0.1:9847, not '%.80s'", listen_at);
    h->listener = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = h->listener >= 0 && setsockopt(h->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
              bind(h->listener, a->ai_addr, a->ai_addrlen) == 0 && listen(h->listener, 64) == 0;
    freeaddrinfo(a);
    if (!ok)
        return fault_set(fault, WEIR_IO, "cannot listen at '%.80s': %m", listen_at);
    tell_address(h);
    return WEIR_OK;
}

static void http_free(struct http *h)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
        if (h->connection[i].fd >= 0)
            hang_up(&h->connection[i]);
        buffer_fini(&h->connection[i].answer);
    }
    if (h->listener >= 0)
        close(h->listener);
    if (h->stop >= 0)
        close(h->stop);
    free(h);
}

enum weir_err http_open(const char *listen_at, http_answer *answer, http_tick *tick, void *ctx, struct http **out, struct fault *fault)
{
    struct http *h = calloc(1, sizeof *h);
    *out = NULL;
    if (!h)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    *h = (struct http){.listener = -1, .stop = eventfd(0, EFD_CLOEXEC), .answer = answer, .tick = tick, .ctx = ctx};
    for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
        h->connection[i].fd = -1;
        buffer_init(&h->connection[i].answer, BODY_MAX + 1024);
    }
    enum weir_err err = h->stop < 0 ? fault_set(fault, WEIR_IO, "cannot make an event: %m") : WEIR_OK;
    if (!err && *listen_at)
        err = bind_listener(h, listen_at, fault);
    if (!err && pthread_create(&h->thread, NULL, work, h) != 0)
        err = fault_set(fault, WEIR_NOMEM, "cannot start the thread that answers");
    if (err)
        http_free(h);
    else
        *out = h;
    return err;
}

const char *http_address(const struct http *h) { return h->address; }

void http_close(struct http *h)
{
    if (!h)
        return;
    uint64_t one = 1;
    ssize_t told = write(h->stop, &one, sizeof one);
    (void)told; /* an eventfd at 0 takes it */
    pthread_join(h->thread, NULL);
    http_free(h);
}
