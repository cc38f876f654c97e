/* See fetch.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "source/internal.h"
#include "source/s3.h"

#define LOOK_NS 200000000 /* between two looks at the stop */

enum fetch_state { FETCH_WANTED, FETCH_GOING, FETCH_WHOLE, FETCH_FAILED };

struct fetched {
    struct fetched *next;
    char *path, *etag; /* etag "": not known */
    uint64_t size, have;
    int fd;
    enum fetch_state state;
    unsigned users;
    bool ahead;     /* counted as such: nobody has opened it yet */
    bool abandoned; /* nobody will: whoever writes it frees it */
    uint64_t at;    /* of the writer: where the piece that comes belongs */
    bool unkept;    /* of the writer: a piece could not be written */
    struct fault fault;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    pthread_t thread[S3_CONNECTIONS];
    unsigned threads;
    bool quit;
    struct fetched *first;
    uint64_t ahead_bytes;
    unsigned ahead_objects;
    const struct object_list *list; /* what is opened soon: [next, end) of it, without those that are gone */
    size_t next, end;
    uint8_t *gone;
} hall = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

/* ---- objects; under the lock ---- */

static int make_file(uint64_t size)
{
    return size <= FETCH_MEMORY_BYTES ? memfd_create("weir-object", MFD_CLOEXEC) : source_temporary();
}

static void count_ahead(struct fetched *f, bool ahead)
{
    if (f->ahead == ahead)
        return;
    f->ahead = ahead;
    hall.ahead_objects += ahead ? 1 : -1U;
    hall.ahead_bytes += ahead ? f->size : -f->size;
}

static struct fetched *fetched_new(const struct object *o, struct fault *fault)
{
    struct fetched *f = calloc(1, sizeof *f);
    if (f)
        *f = (struct fetched){.path = strdup(o->path), .etag = strdup(o->etag ? o->etag : ""), .size = o->size_bytes, .fd = make_file(o->size_bytes)};
    if (f && f->path && f->etag && f->fd >= 0) {
        f->state = f->size ? FETCH_WANTED : FETCH_WHOLE;
        f->next = hall.first;
        hall.first = f;
        return f;
    }
    fault_set(fault, WEIR_UNAVAILABLE, "cannot make a temporary file for '%.200s': %m", o->path);
    if (f) {
        free(f->path);
        free(f->etag);
        if (f->fd >= 0)
            close(f->fd);
    }
    free(f);
    return NULL;
}

static void fetched_free(struct fetched *f)
{
    struct fetched **at = &hall.first;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    count_ahead(f, false);
    close(f->fd);
    free(f->path);
    free(f->etag);
    free(f);
}

/* Nobody uses it any more. */
static void let_go(struct fetched *f)
{
    if (f->users)
        return;
    if (f->state == FETCH_GOING)
        f->abandoned = true;
    else
        fetched_free(f);
}

static bool may_go_ahead(uint64_t size)
{
    return hall.ahead_objects == 0 || (hall.ahead_objects < S3_AHEAD_OBJECTS && hall.ahead_bytes + size <= S3_AHEAD_BYTES);
}

static struct fetched *next_expected(void)
{
    struct fault ignored;
    for (; hall.list && hall.next < hall.end; hall.next++) {
        const struct object *o = object_list_at(hall.list, hall.next);
        if (hall.gone[hall.next] || o->fd > 0 || !path_is_far(slice_of(o->path)))
            continue;
        if (!may_go_ahead(o->size_bytes))
            return NULL;
        struct fetched *f = fetched_new(o, &ignored);
        if (!f)
            return NULL;
        count_ahead(f, true);
        hall.next++;
        return f;
    }
    return NULL;
}

static struct fetched *next_job(void)
{
    for (struct fetched *f = hall.first; f; f = f->next)
        if (f->state == FETCH_WANTED && !f->abandoned)
            return f;
    return next_expected();
}

/* ---- writing; of the thread that has it ---- */

static bool write_at(int fd, const char *p, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, (off_t)at);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
            at += (uint64_t)done;
        }
    }
    return true;
}

/* Of a whole answer, or of "bytes 100-199/200": where it begins. */
static bool begins_at(const struct web_answer *a, uint64_t *at)
{
    struct slice range = slice_of(a->range), from = {a->range + 6, 0};
    *at = 0;
    if (a->status != 206)
        return true;
    while (range.n > 6 + from.n && from.p[from.n] != '-')
        from.n++;
    return range.n > 6 && memcmp(range.p, "bytes ", 6) == 0 && parse_u64(from, INT64_MAX, at) == WEIR_OK;
}

static bool take_piece(void *ctx, const struct web_answer *a, const char *p, size_t n)
{
    struct fetched *f = ctx;
    if (f->at == UINT64_MAX && (!begins_at(a, &f->at) || f->at > f->have))
        return false;
    if (n > f->size - f->at)
        return false;
    f->unkept = !write_at(f->fd, p, n, f->at);
    if (f->unkept)
        return false;
    f->at += n;
    pthread_mutex_lock(&hall.lock);
    f->have = f->have > f->at ? f->have : f->at;
    pthread_cond_broadcast(&hall.change);
    bool wanted = !f->abandoned && !hall.quit;
    pthread_mutex_unlock(&hall.lock);
    return wanted;
}

/* One answer, from where the last one broke off. */
static enum weir_err get_rest(struct fetched *f, struct s3 *s, struct web *w, const struct s3_place *place, struct web_answer *a, struct fault *fault)
{
    char range[64];
    struct sigv4_pair header[2];
    struct s3_call call = {.bucket = place->bucket, .key = place->key, .header = header, .tries = 1, .take = take_piece, .ctx = f};
    if (*f->etag)
        header[call.header_n++] = (struct sigv4_pair){SLICE_LIT("if-match"), slice_of(f->etag)};
    if (f->have) {
        snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)f->have);
        header[call.header_n++] = (struct sigv4_pair){SLICE_LIT("range"), slice_of(range)};
    }
    f->at = UINT64_MAX;
    enum weir_err err = s3_ask(s, w, &call, a, fault);
    char *etag = !*f->etag && *a->etag && a->status / 100 == 2 ? strdup(a->etag) : NULL;
    if (etag) { /* only of this content from now on */
        pthread_mutex_lock(&hall.lock);
        free(f->etag);
        f->etag = etag;
        pthread_mutex_unlock(&hall.lock);
    }
    return err;
}

/* As long as each try brings something, and S3_TRIES times without. */
static enum weir_err get(struct fetched *f, struct web *w, struct fault *fault)
{
    struct s3_place place;
    struct web_answer a;
    struct s3 *s = s3_client(fault);
    enum weir_err err = s ? s3_place_parse(slice_of(f->path), &place, fault) : fault->err;
    web_answer_init(&a);
    for (unsigned tries = 0; !err && f->have < f->size;) {
        uint64_t before = f->have;
        err = get_rest(f, s, w, &place, &a, fault);
        if (!err && f->have < f->size)
            err = fault_set(fault, WEIR_EXISTS, "'%.200s': it is shorter than when it was listed", f->path);
        tries = f->have > before ? 0 : tries + 1;
        if (err == WEIR_UNAVAILABLE && tries < S3_TRIES)
            err = WEIR_OK;
    }
    web_answer_fini(&a);
    if (err == WEIR_LIMIT && f->unkept) /* the disk is full: nothing is wrong with the object */
        return fault_set(fault, WEIR_UNAVAILABLE, "'%.200s': there is no room for it in a temporary file", f->path);
    return err == WEIR_LIMIT ? fault_set(fault, WEIR_EXISTS, "'%.200s': it is longer than when it was listed", f->path) : err;
}

static void *work(void *ctx)
{
    struct fault fault = {WEIR_OK, ""};
    struct web *w = web_new(&fault);
    (void)ctx;
    pthread_mutex_lock(&hall.lock);
    while (!hall.quit) {
        struct fetched *f = next_job();
        if (!f) {
            pthread_cond_wait(&hall.change, &hall.lock);
            continue;
        }
        f->state = FETCH_GOING;
        pthread_mutex_unlock(&hall.lock);
        enum weir_err err = w ? get(f, w, &fault) : fault.err;
        pthread_mutex_lock(&hall.lock);
        f->state = err ? FETCH_FAILED : FETCH_WHOLE;
        f->fault = fault;
        f->fault.err = err;
        if (f->abandoned)
            fetched_free(f);
        pthread_cond_broadcast(&hall.change);
    }
    pthread_mutex_unlock(&hall.lock);
    web_free(w);
    return NULL;
}

/* Under the lock. Signals are for the threads of the program. */
static bool have_threads(unsigned n)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (hall.threads < n && pthread_create(&hall.thread[hall.threads], NULL, work, NULL) == 0)
        hall.threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return hall.threads > 0;
}

/* ---- opening and reading ---- */

static bool is_that(const struct fetched *f, const struct object *o)
{
    return !f->abandoned && f->size == o->size_bytes && strcmp(f->path, o->path) == 0 && (!o->etag || strcmp(f->etag, o->etag) == 0);
}

/* It comes on its own account: what was expected does not fetch it again. */
static void cross_off(const struct object *o)
{
    size_t look = hall.next + S3_AHEAD_OBJECTS < hall.end ? hall.next + S3_AHEAD_OBJECTS : hall.end;
    for (size_t i = hall.next; hall.list && i < look; i++)
        if (strcmp(object_list_at(hall.list, i)->path, o->path) == 0)
            hall.gone[i] = 1;
}

enum weir_err fetch_open(const struct object *o, struct fetched **out, struct fault *fault)
{
    pthread_mutex_lock(&hall.lock);
    struct fetched *f = hall.first;
    while (f && (!is_that(f, o) || f->state == FETCH_FAILED))
        f = f->next;
    if (!f) {
        f = fetched_new(o, fault);
        cross_off(o);
    }
    if (f && !have_threads(1)) {
        let_go(f);
        f = NULL;
        fault_set(fault, WEIR_UNAVAILABLE, "cannot start a thread");
    }
    if (f) {
        f->users++;
        count_ahead(f, false);
        pthread_cond_broadcast(&hall.change);
    }
    *out = f;
    pthread_mutex_unlock(&hall.lock);
    return f ? WEIR_OK : WEIR_UNAVAILABLE;
}

void fetch_close(struct fetched *f)
{
    pthread_mutex_lock(&hall.lock);
    f->users--;
    let_go(f);
    pthread_cond_broadcast(&hall.change);
    pthread_mutex_unlock(&hall.lock);
}

/* Until there are more than so many bytes, or no more to come. */
static enum weir_err await_more(struct fetched *f, uint64_t than, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    pthread_mutex_lock(&hall.lock);
    while (f->have <= than && (f->state == FETCH_WANTED || f->state == FETCH_GOING) && !err) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&hall.change, &hall.lock, &until);
        err = source_stopped() ? fault_set(fault, WEIR_INTERRUPTED, "interrupted") : WEIR_OK;
    }
    if (!err && f->have <= than && f->state == FETCH_FAILED) {
        err = f->fault.err;
        if (fault)
            *fault = f->fault;
    }
    pthread_mutex_unlock(&hall.lock);
    return err;
}

enum weir_err fetch_read(struct fetched *f, uint64_t at, size_t least, void *out, size_t cap, size_t *n, struct fault *fault)
{
    *n = 0;
    if (at >= f->size)
        return WEIR_OK;
    enum weir_err err = await_more(f, f->size - at > least ? at + least - 1 : f->size - 1, fault);
    if (err)
        return err;
    pthread_mutex_lock(&hall.lock);
    uint64_t there = f->have - at;
    pthread_mutex_unlock(&hall.lock);
    ssize_t got;
    do
        got = pread(f->fd, out, there < cap ? (size_t)there : cap, (off_t)at);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return fault_set(fault, WEIR_UNAVAILABLE, "cannot read a temporary file: %m");
    *n = (size_t)got;
    return WEIR_OK;
}

enum weir_err fetch_whole(struct fetched *f, int *fd, struct fault *fault)
{
    enum weir_err err = f->size ? await_more(f, f->size - 1, fault) : WEIR_OK;
    *fd = err ? -1 : fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
    return !err && *fd < 0 ? fault_set(fault, WEIR_UNAVAILABLE, "cannot hand on a temporary file: %m") : err;
}

/* ---- ahead ---- */

static size_t far_ones(const struct object_list *list, size_t first, size_t end)
{
    size_t n = 0;
    for (size_t i = first; i < end && n < S3_CONNECTIONS; i++)
        n += path_is_far(slice_of(object_list_at(list, i)->path));
    return n;
}

void source_expect(const struct object_list *list, size_t first, size_t end, const uint8_t *skip)
{
    size_t far = far_ones(list, first, end);
    source_expect_none();
    uint8_t *gone = far > 1 ? calloc(end, 1) : NULL;
    if (!gone)
        return; /* it is only for speed */
    for (size_t i = first; skip && i < end; i++)
        gone[i] = skip[i];
    pthread_mutex_lock(&hall.lock);
    hall.list = list;
    hall.next = first;
    hall.end = end;
    hall.gone = gone;
    (void)have_threads((unsigned)far);
    pthread_cond_broadcast(&hall.change);
    pthread_mutex_unlock(&hall.lock);
}

void source_expect_none(void)
{
    pthread_mutex_lock(&hall.lock);
    for (struct fetched *f = hall.first, *next; f; f = next) {
        next = f->next;
        let_go(f);
    }
    free(hall.gone);
    hall.gone = NULL;
    hall.list = NULL;
    hall.next = hall.end = 0;
    pthread_mutex_unlock(&hall.lock);
}

void fetch_end(void)
{
    source_expect_none();
    pthread_mutex_lock(&hall.lock);
    hall.quit = true;
    pthread_cond_broadcast(&hall.change);
    pthread_mutex_unlock(&hall.lock);
    for (unsigned i = 0; i < hall.threads; i++)
        pthread_join(hall.thread[i], NULL);
    hall.threads = 0;
    hall.quit = false;
}
