/* SPDX-License-Identifier: Apache-2.0 */
/* A server of objects for one test, which answers as it is told: one connection a request, in a thread, on a port that the kernel chose. It
 * keeps what it was asked. */
#ifndef TESTS_S3_STUB_H
#define TESTS_S3_STUB_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/base.h>

#define STUB_ASKED_MAX 4096

struct stub;
/* Compose the answer to a request; *cut: send only so many bytes of it and reset. */
typedef void stub_answer(struct stub *s, unsigned n, const char *request, struct buffer *out, size_t *cut);

struct stub {
    int fd;
    pthread_t thread;
    stub_answer *answer;
    atomic_uint asked;
    char url[64];
    char *request[STUB_ASKED_MAX];
};

static inline void stub_serve_one(struct stub *s, int fd)
{
    char text[65536];
    size_t n = 0, cut = SIZE_MAX;
    while (n + 1 < sizeof text) {
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
        text[n] = 0;
        if (strstr(text, "\r\n\r\n"))
            break;
    }
    text[n] = 0;
    struct buffer out;
    buffer_init(&out, 64u << 20);
    unsigned number = atomic_load(&s->asked);
    if (number < STUB_ASKED_MAX)
        s->request[number] = strdup(text);
    s->answer(s, number, text, &out, &cut);
    atomic_store(&s->asked, number + 1);
    size_t want = out.n < cut ? out.n : cut;
    for (size_t at = 0; at < want;) {
        ssize_t sent = send(fd, out.p + at, want - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    if (cut != SIZE_MAX) {
        struct linger hard = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    buffer_fini(&out);
    close(fd);
}

static inline void *stub_serve(void *stub)
{
    struct stub *s = stub;
    int fd;
    while ((fd = accept(s->fd, NULL, NULL)) >= 0)
        stub_serve_one(s, fd);
    return NULL;
}

static inline void stub_start(struct stub *s, stub_answer *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    memset(s, 0, sizeof *s);
    s->answer = answer;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(s->fd, 64) != 0 || getsockname(s->fd, (struct sockaddr *)&a, &n) != 0 ||
        pthread_create(&s->thread, NULL, stub_serve, s) != 0)
        abort();
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(a.sin_port));
}

static inline void stub_stop(struct stub *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    for (size_t i = 0; i < STUB_ASKED_MAX; i++)
        free(s->request[i]);
}

static inline void stub_status(struct buffer *out, const char *status, const char *headers, const char *body)
{
    buffer_printf(out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s", status, strlen(body), headers, body);
}

static inline bool stub_asks(const char *request, const char *what) { return strncmp(request, what, strlen(what)) == 0; }
static inline bool stub_has(const char *request, const char *line) { return strcasestr(request, line) != NULL; }

#endif
