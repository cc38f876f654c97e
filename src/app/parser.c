/* SPDX-License-Identifier: Apache-2.0 */
/* The run's side of its parsers: hands out orders, takes answers, buries the dead. See parser.h. */
#include "app/parser.h"
#include "app/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOLD_MAX (STORE_VALUE_MAX * 5ULL)
#define PARSERS_MAX 64
#define AGAIN_MAX 8 /* as the stages of one blob in one list; or a parser that lies */

struct parser {
    pid_t pid;
    int socket, memory;
    bool busy;
    size_t index;      /* of the object in work */
    uint64_t pass_over; /* its records that were counted before */
    unsigned again;     /* how often it was handed out again to pass over others */
    int64_t patience_ns; /* for this object */
    int64_t began_ns, began_cpu_ns;
};

struct parsers {
    struct run *run;
    struct parser parser[PARSERS_MAX];
    unsigned n;
    struct window *scratch;
};

/* ---- birth and death ---- */

/* It says so once it is behind its walls. */
static enum weir_err await_hello(const struct parser *p, struct fault *fault)
{
    struct parser_answer hello;
    const struct timeval patience = {.tv_sec = 10};
    if (setsockopt(p->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 || recv(p->socket, &hello, sizeof hello, 0) != (ssize_t)sizeof hello)
        return fault_set(fault, WEIR_UNSUPPORTED, "a parser cannot enter its sandbox: the kernel, or what watches over this process, refuses it");
    return WEIR_OK;
}

static enum weir_err start(struct run *run, struct parser *p, struct fault *fault)
{
    int pair[2] = {-1, -1};
    *p = (struct parser){.pid = -1, .socket = -1, .memory = memfd_create("weir-told", MFD_CLOEXEC)};
    if (p->memory < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return fault_set(fault, WEIR_IO, "cannot start a parser: %m");
    p->pid = fork();
    if (p->pid == 0)
        parser_work(run, pair[1], p->memory);
    close(pair[1]);
    p->socket = pair[0];
    return p->pid < 0 ? fault_set(fault, WEIR_IO, "cannot start a parser: %m") : await_hello(p, fault);
}

static void end(struct parser *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (p->socket >= 0)
        close(p->socket);
    if (p->memory >= 0)
        close(p->memory);
    *p = (struct parser){.pid = -1, .socket = -1, .memory = -1};
}

enum weir_err parsers_open(struct run *run, unsigned n, struct parsers **out, struct fault *fault)
{
    struct parsers *p = calloc(1, sizeof *p);
    const struct config *c = run->app->config;
    const struct window_limits limits = {(uint32_t)c->max_groups_per_host, window_default_limits.max_big_groups, (uint32_t)c->max_hosts};
    *out = NULL;
    if (!p || !(p->scratch = window_new(&limits, false))) {
        free(p);
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    }
    p->run = run;
    enum weir_err err = WEIR_OK;
    while (!err && p->n < n && p->n < PARSERS_MAX)
        err = start(run, &p->parser[p->n++], fault);
    if (err)
        parsers_close(p);
    else
        *out = p;
    return err;
}

void parsers_close(struct parsers *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->n; i++)
        end(&p->parser[i]);
    window_free(p->scratch);
    free(p);
}

/* ---- one object ---- */

static enum weir_err order(struct parsers *ps, struct parser *p, const struct object *o, int fd, struct fault *fault)
{
    struct run *run = ps->run;
    struct parser_order head = {.future_s = run->future_s, .size_bytes = o->size_bytes, .closed_through = run->state.closed_through,
                                .pass_over = p->pass_over};
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control = {.bytes = {0}};
    struct iovec part[] = {{&head, sizeof head}, {(char *)(uintptr_t)o->path, strlen(o->path)}};
    struct msghdr m = {.msg_iov = part, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (sendmsg(p->socket, &m, MSG_NOSIGNAL) >= 0)
        return WEIR_OK;
    uint64_t pass_over = p->pass_over;
    end(p); /* it died while it was idle: the next one gets the object */
    enum weir_err err = start(run, p, fault);
    p->pass_over = pass_over;
    if (!err && sendmsg(p->socket, &m, MSG_NOSIGNAL) < 0)
        err = fault_set(fault, WEIR_IO, "cannot hand an object to a parser: %m");
    return err;
}

static void reject_unopened(struct run *run, const struct object *o, enum source_reject why, const struct fault *cause)
{
    run->counts.objects_bad_source[why]++;
    log_error(run->app->log, "object rejected", LOG_TEXT("object", slice_of(o->path)), LOG_TEXT("reason", slice_of(source_reject_word(why))),
              LOG_TEXT("cause", slice_of(cause->text)));
}

/* What a parser has computed since it was born: a slow machine is no hang. -1: nobody tells. */
static int64_t cpu_ns_of(const struct parser *p)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(p->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool hangs(const struct parser *p, int64_t now_ns)
{
    int64_t waited_ns = now_ns - p->began_ns;
    return waited_ns >= p->patience_ns && (waited_ns / PARSER_SLOW_MACHINE >= p->patience_ns || cpu_ns_of(p) - p->began_cpu_ns >= p->patience_ns);
}

static enum weir_err hand_out(struct parsers *ps, struct parser *p, size_t index, uint64_t pass_over, struct fault *fault)
{
    const struct object *o = object_list_at(ps->run->list, index);
    p->pass_over = pass_over;
    struct fault cause = {WEIR_OK, ""};
    enum source_reject why = SOURCE_ACCEPTED;
    int fd;
    enum weir_err opened = source_open_file(o, &fd, &why, &cause);
    if (opened && why == SOURCE_ACCEPTED) {
        *fault = cause;
        return opened;
    }
    if ((opened == WEIR_NOTFOUND || opened == WEIR_USAGE) && ps->run->feed->lost) /* gone, or refused to us: it is asked for again by the next sweep */
        ps->run->feed->lost[index] = FEED_MISSING;
    if (opened) {
        reject_unopened(ps->run, o, why, &cause);
        return WEIR_OK;
    }
    enum weir_err err = order(ps, p, o, fd, fault);
    close(fd);
    p->busy = !err;
    p->index = index;
    p->patience_ns = PARSER_PATIENCE_NS + (int64_t)(o->size_bytes >> 20) * 1000000000;
    p->began_ns = clock_monotonic_ns();
    p->began_cpu_ns = cpu_ns_of(p);
    return err;
}

/* A copy: what a parser changes while it is looked at changes nothing. */
static enum weir_err read_told(const struct parser *p, uint64_t bytes, struct buffer *told)
{
    char *to = bytes <= TOLD_MAX ? buffer_reserve(told, (size_t)bytes + 1) : NULL;
    if (!to)
        return bytes > TOLD_MAX ? WEIR_CORRUPT : WEIR_NOMEM;
    while (told->n < bytes) {
        ssize_t n = pread(p->memory, told->p + told->n, (size_t)bytes - told->n, (off_t)told->n);
        if (n <= 0)
            return WEIR_CORRUPT;
        told->n += (size_t)n;
    }
    return WEIR_OK;
}

/* CORRUPT: it is dead, or talks nonsense. */
static enum weir_err take_answer(struct parsers *ps, struct parser *p, struct fault *fault)
{
    struct parser_answer answer;
    struct buffer told;
    if (recv(p->socket, &answer, sizeof answer, MSG_DONTWAIT) != (ssize_t)sizeof answer)
        return WEIR_CORRUPT;
    if (answer.err)
        return answer.err == WEIR_NOMEM ? WEIR_NOMEM : WEIR_CORRUPT;
    buffer_init(&told, TOLD_MAX + 1);
    enum weir_err err = read_told(p, answer.bytes, &told);
    if (!err)
        err = parser_take(ps->run, p->index, (struct slice){told.p, told.n}, told.n > sizeof(struct run_counts), &p->pass_over, ps->scratch);
    buffer_fini(&told);
    p->busy = false;
    if (err == WEIR_EXISTS)
        return p->again++ == AGAIN_MAX ? WEIR_CORRUPT : hand_out(ps, p, p->index, p->pass_over, fault);
    if (!err)
        failpoint("object-merged");
    return err;
}

/* It is given again, or told as dead; until then its days stay open. */
static void note_lost(struct run *run, size_t index, enum feed_lost how)
{
    const struct object *o = object_list_at(run->list, index);
    if (run->feed->lost)
        run->feed->lost[index] = (uint8_t)how;
    run->lost_s = o->from.bucket_s < run->lost_s ? o->from.bucket_s : run->lost_s;
    run->counts.objects_listed--;
}

/* What serves an object is away, so the rest need not be tried: all of it waits again. */
static void leave(struct run *run, size_t first, size_t end_of_range, const struct fault *cause)
{
    log_warn(run->app->log, "objects cannot be fetched now, they wait", LOG_TEXT("object", slice_of(object_list_at(run->list, first)->path)),
             LOG_NUMBER("objects", end_of_range - first), LOG_TEXT("cause", slice_of(cause->text)));
    for (size_t i = first; i < end_of_range; i++)
        if (!run->duplicate[i])
            note_lost(run, i, FEED_LOST_AWAY);
}

static enum weir_err lose(struct parsers *ps, struct parser *p, struct fault *fault)
{
    struct run *run = ps->run;
    const struct object *o = object_list_at(run->list, p->index);
    log_error(run->app->log, "a parser died or hung, its object is not counted", LOG_TEXT("object", slice_of(o->path)));
    note_lost(run, p->index, FEED_LOST_DEAD);
    end(p);
    return start(run, p, fault);
}

static enum weir_err look_at(struct parsers *ps, struct parser *p, bool spoke, int64_t now, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    if (spoke)
        err = take_answer(ps, p, fault);
    else if (hangs(p, now))
        err = WEIR_CORRUPT;
    if (err == WEIR_CORRUPT)
        return lose(ps, p, fault);
    return err ? fault_set(fault, err, "cannot take what a parser told: %s", weir_err_text(err)) : WEIR_OK;
}

static enum weir_err wait_for_answers(struct parsers *ps, struct fault *fault)
{
    struct pollfd poll_of[PARSERS_MAX];
    enum weir_err err = WEIR_OK;
    for (unsigned i = 0; i < ps->n; i++)
        poll_of[i] = (struct pollfd){.fd = ps->parser[i].busy ? ps->parser[i].socket : -1, .events = POLLIN};
    int n = poll(poll_of, ps->n, 200);
    int64_t now = clock_monotonic_ns();
    for (unsigned i = 0; i < ps->n && !err; i++)
        if (ps->parser[i].busy)
            err = look_at(ps, &ps->parser[i], n > 0 && poll_of[i].revents, now, fault);
    return err;
}

static struct parser *idle(struct parsers *ps, bool *busy)
{
    struct parser *found = NULL;
    *busy = false;
    for (unsigned i = 0; i < ps->n; i++) {
        *busy |= ps->parser[i].busy;
        found = ps->parser[i].busy ? found : &ps->parser[i];
    }
    return found;
}

/* What a parser is reading is given up: it is read again by the next run. */
static enum weir_err give_up(struct parsers *ps)
{
    struct fault ignored;
    for (unsigned i = 0; i < ps->n; i++)
        if (ps->parser[i].busy) {
            end(&ps->parser[i]);
            (void)!start(ps->run, &ps->parser[i], &ignored);
        }
    return WEIR_INTERRUPTED;
}

enum weir_err parsers_count(struct run *run, size_t first, size_t end_of_range, struct fault *fault)
{
    struct parsers *ps = run->parsers;
    enum weir_err err = WEIR_OK;
    bool busy = false;
    for (size_t next = first; !err;) {
        struct parser *p = idle(ps, &busy);
        if (app_interrupted())
            return give_up(ps);
        while (next < end_of_range && run->duplicate[next])
            next++;
        if (p && next < end_of_range) {
            p->again = 0;
            err = hand_out(ps, p, next, 0, fault);
            if (err == WEIR_UNAVAILABLE) {
                leave(run, next, end_of_range, fault);
                next = end_of_range;
                err = WEIR_OK;
            } else {
                next++;
            }
        } else if (busy) {
            err = wait_for_answers(ps, fault);
        } else {
            break;
        }
    }
    return err;
}
