/* SPDX-License-Identifier: Apache-2.0 */
/* A parser from its first breath: gives up what it was forked with, then reads one object after the other until nobody orders any. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/parser.h"
#include "app/sandbox.h"
#include "app/worker.h"

#define FD_SOCKET 3
#define FD_MEMORY 4
#define FD_TEMPORARY 5

static _Noreturn void leave(int code)
{
    fflush(NULL);
    _exit(code);
}

/* The numbers 0 to 5 are what is kept; a signal to the whole group is for the run. */
static void settle_in(int socket, int memory)
{
    struct fault fault;
    int temporary = source_temporary(), nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NAME, "weir-parser");
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (temporary < 0 || nothing < 0)
        leave(1);
    /* via high numbers, so that no one of them is overwritten before it is moved */
    int high[] = {fcntl(socket, F_DUPFD, 100), fcntl(memory, F_DUPFD, 100), fcntl(temporary, F_DUPFD, 100)};
    if (dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(high[0], FD_SOCKET) < 0 || dup2(high[1], FD_MEMORY) < 0 || dup2(high[2], FD_TEMPORARY) < 0 ||
        close_range(FD_TEMPORARY + 1, ~0U, 0) != 0)
        leave(1);
    source_temporary_from(FD_TEMPORARY);
    failpoints_off();
    if (sandbox_enter(&fault))
        leave(1);
}

/* False: nobody orders any more. */
static bool get_order(struct parser_order *order, char path[], size_t cap, int *fd)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control;
    struct iovec part[] = {{order, sizeof *order}, {path, cap - 1}};
    struct msghdr m = {.msg_iov = part, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do
        n = recvmsg(FD_SOCKET, &m, 0);
    while (n < 0 && errno == EINTR);
    const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (n < (ssize_t)sizeof *order || !c || c->cmsg_type != SCM_RIGHTS)
        return false;
    memcpy(fd, CMSG_DATA(c), sizeof *fd);
    path[(size_t)n - sizeof *order] = 0;
    return true;
}

static bool put_answer(enum weir_err err, const struct buffer *b)
{
    struct parser_answer answer = {.bytes = b->n, .err = err ? err : b->err};
    size_t done = 0;
    if (ftruncate(FD_MEMORY, 0) != 0)
        return false;
    while (done < b->n) {
        ssize_t n = pwrite(FD_MEMORY, b->p + done, b->n - done, (off_t)done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return sendto(FD_SOCKET, &answer, sizeof answer, 0, NULL, 0) == (ssize_t)sizeof answer;
}

static bool read_object(struct run *run, const struct parser_order *order, const char *path, int fd)
{
    struct fault fault = {WEIR_OK, ""};
    struct object_list *list = object_list_new(&run->limits);
    struct buffer answer;
    if (!list || object_list_add_opened(list, path, fd, order->size_bytes, &fault))
        return false;
    run->list = list;
    run->future_s = order->future_s;
    run->pass_over = order->pass_over;
    run->state.closed_through = order->closed_through;
    memset(&run->counts, 0, sizeof run->counts);
    run->fresh_n = run->fresh_days = 0;
    window_reset(run->window);
    while (failpoint_about("parser-stalls", slice_of(path)))
        sched_yield();
    if (failpoint_about("parser-dies", slice_of(path)))
        __builtin_trap();
    enum weir_err err = workers_count(run, 0, 1, 1, &fault);
    buffer_init(&answer, run->told.max + sizeof run->counts);
    parser_tell_counts(run, &answer);
    if (!err && run->fresh_n)
        buffer_slice(&answer, (struct slice){run->told.p, run->told.n});
    bool going = put_answer(err, &answer);
    buffer_fini(&answer);
    object_list_free(list);
    return going;
}

void parser_work(struct run *run, int socket, int memory)
{
    struct parser_order order;
    static char path[65536];
    static uint8_t no_duplicate[1];
    const struct config *c = run->app->config;
    const struct window_limits limits = {(uint32_t)c->max_groups_per_host, window_default_limits.max_big_groups, (uint32_t)c->max_hosts};
    int fd = -1;
    settle_in(socket, memory);
    run->store = NULL;
    run->progress = NULL;
    run->duplicate = no_duplicate;
    run->tell = parser_tell;
    window_free(run->window);
    run->window = window_new(&limits, false);
    buffer_init(&run->told, STORE_VALUE_MAX * 4ULL);
    const struct buffer nothing = {0};
    if (!run->window || !put_answer(WEIR_OK, &nothing)) /* behind its walls, and ready */
        leave(1);
    while (get_order(&order, path, sizeof path, &fd)) {
        bool going = read_object(run, &order, path, fd);
        close(fd);
        if (!going)
            leave(1);
    }
    leave(0);
}
