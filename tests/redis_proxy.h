/* A proxy between a store and its Redis that loses what is to be lost: a process of its own that copies bytes between sockets and is
 * told what to do through shared memory. Used by the tests of faults.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_REDIS_PROXY_H
#define WEIR_TESTS_REDIS_PROXY_H

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum proxy_mode {
    PROXY_PASS,
    PROXY_CUT,   /* each period-th EXEC reaches the server, its answer does not come back */
    PROXY_CUT_NOW, /* the connection breaks before the next byte */
    PROXY_STRIP, /* MULTI is taken out of what the server sees: each command counts at once */
    PROXY_SLOW,  /* each answer is held up for a while */
};
struct proxy_shared {
    _Atomic int mode, period, execs, cuts;
};
struct proxy {
    pid_t pid;
    char path[108];
    struct proxy_shared *shared;
};

#define PROXY_PAIRS 32
#define PROXY_CHUNK (256 << 10)
#define PROXY_SLOW_US 1000000

static inline int proxy_socket(const char *path, bool listening)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%.107s", path);
    int rc = listening ? bind(fd, (const struct sockaddr *)&a, sizeof a) : connect(fd, (const struct sockaddr *)&a, sizeof a);
    if (rc == 0 && (!listening || listen(fd, PROXY_PAIRS) == 0))
        return fd;
    close(fd);
    return -1;
}

static inline bool proxy_send(int fd, const char *p, size_t n)
{
    for (ssize_t moved; n; p += moved, n -= (size_t)moved)
        if ((moved = send(fd, p, n, MSG_NOSIGNAL)) <= 0)
            return false;
    return true;
}

/* Sets *n. MULTI becomes PING, which is as long as an answer goes: one line. The small transaction that opens a store comes in one
 * piece and is left alone. */
static inline void proxy_strip(char *chunk, size_t *n)
{
    static const char multi[] = "*1\r\n$5\r\nMULTI\r\n", ping[] = "*1\r\n$4\r\nPING\r\n";
    char *at = memmem(chunk, *n, multi, sizeof multi - 1);
    if (!at || memmem(chunk, *n, "\r\nEXEC\r\n", 8))
        return;
    size_t behind = *n - (size_t)(at - chunk) - (sizeof multi - 1);
    memcpy(at, ping, sizeof ping - 1);
    memmove(at + sizeof ping - 1, at + sizeof multi - 1, behind);
    *n -= sizeof multi - sizeof ping;
}

/* False: the pair is to be closed. */
static inline bool proxy_up(struct proxy_shared *s, int client, int server, char *chunk)
{
    ssize_t got = recv(client, chunk, PROXY_CHUNK, 0);
    if (got <= 0 || s->mode == PROXY_CUT_NOW)
        return false;
    size_t n = (size_t)got;
    if (s->mode == PROXY_STRIP)
        proxy_strip(chunk, &n);
    if (!proxy_send(server, chunk, n))
        return false;
    if (s->mode != PROXY_CUT || !memmem(chunk, n, "\r\nEXEC\r\n", 8) || ++s->execs % s->period != 0)
        return true;
    if (++s->cuts % 2) /* done for sure, or perhaps under way */
        (void)!recv(server, chunk, 1, 0);
    return false;
}

static inline bool proxy_down(struct proxy_shared *s, int client, int server, char *chunk)
{
    ssize_t n = recv(server, chunk, PROXY_CHUNK, 0);
    if (n > 0 && s->mode == PROXY_SLOW)
        usleep(PROXY_SLOW_US);
    return n > 0 && s->mode != PROXY_CUT_NOW && proxy_send(client, chunk, (size_t)n);
}

static inline void proxy_run(struct proxy_shared *s, int listener, const char *upstream)
{
    static char chunk[PROXY_CHUNK];
    struct pollfd p[1 + 2 * PROXY_PAIRS] = {{listener, POLLIN, 0}};
    for (size_t i = 1; i < 1 + 2 * PROXY_PAIRS; i++)
        p[i] = (struct pollfd){-1, POLLIN, 0};
    while (poll(p, 1 + 2 * PROXY_PAIRS, -1) > 0) {
        for (size_t i = 1; i < 1 + 2 * PROXY_PAIRS; i += 2) {
            bool good = p[i].fd >= 0;
            if (good && p[i].revents)
                good = proxy_up(s, p[i].fd, p[i + 1].fd, chunk);
            if (good && p[i + 1].revents)
                good = proxy_down(s, p[i].fd, p[i + 1].fd, chunk);
            if (!good && p[i].fd >= 0) {
                close(p[i].fd);
                close(p[i + 1].fd);
                p[i].fd = p[i + 1].fd = -1;
            }
        }
        if (!p[0].revents)
            continue;
        int client = accept(listener, NULL, NULL), server = proxy_socket(upstream, false);
        for (size_t i = 1; i < 1 + 2 * PROXY_PAIRS && client >= 0 && server >= 0; i += 2)
            if (p[i].fd < 0) {
                p[i].fd = client, p[i + 1].fd = server;
                p[i].revents = p[i + 1].revents = 0;
                client = server = -1;
            }
        if (client >= 0) close(client);
        if (server >= 0) close(server);
    }
}

static inline bool proxy_start(struct proxy *proxy, const char *path, const char *upstream)
{
    snprintf(proxy->path, sizeof proxy->path, "%.107s", path);
    proxy->shared = mmap(NULL, sizeof *proxy->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int listener = proxy_socket(path, true);
    if (listener < 0 || proxy->shared == MAP_FAILED)
        return false;
    proxy->shared->period = 1;
    proxy->pid = fork();
    if (proxy->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        proxy_run(proxy->shared, listener, upstream);
        _exit(0);
    }
    close(listener);
    return proxy->pid > 0;
}

static inline void proxy_stop(struct proxy *proxy)
{
    kill(proxy->pid, SIGKILL);
    waitpid(proxy->pid, NULL, 0);
    unlink(proxy->path);
    munmap(proxy->shared, sizeof *proxy->shared);
}

#endif
