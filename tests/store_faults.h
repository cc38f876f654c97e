/* What the tests of faults share: the smallest work that can be counted wrongly, and the check that it was not. Each object adds its
 * number to one of eight sums and files one finding, in one commit with its ledger entry, beside twenty values that stand between them, so
 * that half a commit is a torn one. Afterwards sums, findings and the number of commits must be exact. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_STORE_FAULTS_H
#define WEIR_TESTS_STORE_FAULTS_H

#include "store_bench.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define SUMS 8
#define OBJECTS 150
#define UNTIL_TOLD UINT32_MAX

/* What the process that works and the one that harms tell each other. */
struct told {
    _Atomic bool enough;               /* with UNTIL_TOLD: end after this object */
    _Atomic unsigned objects;          /* counted, by the last answer */
    _Atomic unsigned swept;            /* of those that were acknowledged, found lost after the store had gone back in time */
    _Atomic unsigned rollbacks;
    _Atomic unsigned unreplicated;     /* commits that no replica had taken over when they were acknowledged */
    _Atomic int64_t last_ms, stall_ms; /* when a commit was acknowledged last; the longest time without one */
};
static struct told *told;

static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void tell_nothing(void)
{
    if (!told)
        told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(told != MAP_FAILED);
    memset(told, 0, sizeof *told);
}

static inline void note_commit(unsigned object, uint64_t unreplicated)
{
    told->unreplicated += (unsigned)unreplicated;
    int64_t now = now_ms(), last = told->last_ms;
    if (last && now - last > told->stall_ms)
        told->stall_ms = now - last;
    told->last_ms = now;
    if (object > told->objects)
        told->objects = object;
}

/* ---- the work ---- */

static inline void id_of(unsigned number, char out[9]) { snprintf(out, 9, "%08x", number); }

static inline enum weir_err sum_of(struct store *s, unsigned number, uint64_t *out)
{
    char id[9];
    struct buffer text;
    id_of(number % SUMS, id);
    *out = 0;
    buffer_init(&text, 64);
    enum weir_err err = store_get(s, 'w', id, &text, NULL);
    if (!err)
        err = parse_u64((struct slice){text.p, text.n}, UINT64_MAX, out);
    buffer_fini(&text);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static inline enum weir_err put_object(struct store *s, unsigned number, uint64_t sum)
{
    char id[9], sum_id[9], text[24], big[3000];
    id_of(number, id);
    id_of(number % SUMS, sum_id);
    snprintf(text, sizeof text, "%llu", (unsigned long long)(sum + number));
    memset(big, 'x', sizeof big);
    enum weir_err err = store_put(s, 'o', id, SLICE_LIT("counted"), NULL);
    for (unsigned i = 0; i < 20 && !err; i++) {
        char host[9];
        id_of(i, host);
        err = store_put(s, 'h', host, (struct slice){big, sizeof big}, NULL);
    }
    if (!err)
        err = store_put(s, 'w', sum_id, slice_of(text), NULL);
    return err ? err : store_put_finding(s, id, SLICE_LIT("{}"), NULL);
}

static inline enum weir_err count_object(struct store *s, unsigned number, struct fault *fault)
{
    uint64_t sum;
    char id[9];
    id_of(number, id);
    if (store_has(s, 'o', id))
        return WEIR_OK;
    if (told && number <= told->objects)
        told->swept++;
    enum weir_err err = sum_of(s, number, &sum);
    if (!err)
        err = store_begin(s, fault);
    if (err)
        return err;
    err = put_object(s, number, sum);
    if (!err)
        return store_commit(s, fault);
    store_abort(s);
    return err;
}

/* Until all are counted, as a service would: whatever fails, open the store again and go on; from the first object when the store went
 * back in time, which is the sweep. */
static inline enum weir_err work(const char *url, unsigned objects, unsigned patience)
{
    struct store *s = NULL;
    struct fault fault = {.err = WEIR_OK};
    enum weir_err err = WEIR_OK;
    for (unsigned i = 1; i <= objects && patience && !(objects == UNTIL_TOLD && told->enough);) {
        if (!s && (err = bench_open(url, STORE_READ_WRITE, &s, &fault))) {
            patience--;
            usleep(20000);
            continue;
        }
        uint64_t before = store_stats(s).unreplicated;
        err = count_object(s, i, &fault);
        if (!err) {
            if (told)
                note_commit(i, store_stats(s).unreplicated - before);
            i++;
            continue;
        }
        if (err == WEIR_ROLLBACK && told)
            told->rollbacks++;
        i = err == WEIR_ROLLBACK ? 1 : i;
        patience--;
        store_close(s);
        s = NULL;
    }
    store_close(s);
    if (err)
        print_error("%s\n", fault.text);
    return err;
}

/* ---- the check ---- */

struct found { unsigned entries, wrong; };

static inline enum weir_err note_entry(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct found *f = ctx;
    char id[9];
    (void)json;
    id_of((unsigned)seq, id);
    f->entries++;
    f->wrong += strcmp(uid, id) != 0;
    return WEIR_OK;
}

/* How many things are not as one run without any fault would have left them; UINT_MAX: it cannot be read. */
static inline unsigned wrong_things(const char *url, unsigned objects)
{
    struct store *s = NULL;
    struct fault fault = {.err = WEIR_OK};
    struct found f = {0, 0};
    uint64_t wanted[SUMS] = {0}, sum;
    unsigned wrong = 0;
    enum weir_err err = bench_open(url, STORE_READ_ONLY, &s, &fault);
    for (unsigned turn = 0; err == WEIR_UNAVAILABLE && turn < 100; turn++) { /* a node may still name the master that died */
        usleep(100000);
        err = bench_open(url, STORE_READ_ONLY, &s, &fault);
    }
    if (err || store_outbox(s, 0, SIZE_MAX, note_entry, &f, &fault)) {
        print_error("%s\n", fault.text);
        store_close(s);
        return UINT32_MAX;
    }
    for (unsigned i = 1; i <= objects; i++)
        wanted[i % SUMS] += i;
    for (unsigned i = 0; i < SUMS; i++)
        wrong += sum_of(s, i, &sum) != WEIR_OK || sum != wanted[i];
    wrong += f.wrong + (f.entries != objects) + (store_position(s).seq != objects);
    store_close(s);
    return wrong;
}

static inline void expect_exact(const char *url) { assert_int_equal(wrong_things(url, OBJECTS), 0); }

/* ---- servers ---- */

static inline void cli(const char *format, const char *url)
{
    char arguments[256];
    snprintf(arguments, sizeof arguments, format, url ? shard_of(url) : "");
    if (redis_cli(arguments) != 0)
        fail_msg("redis-cli %s failed", arguments);
}

static inline int script(const char *format, const char *kind)
{
    char command[512];
    snprintf(command, sizeof command, format, store_dir, kind);
    return system(command);
}

static inline void close_own(struct bench *b)
{
    store_close(b->s);
    b->s = NULL;
}

/* ---- work in a process of its own, and harm beside it ---- */

static inline pid_t begin_work(const char *url, unsigned objects)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit((int)work(url, objects, 1000));
    }
    return child;
}

static inline void end_work(pid_t child)
{
    int status = 0;
    told->enough = true;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == WEIR_OK);
}

/* Until so many more objects were acknowledged; how long that took. A minute is the deadline of a machine that is busy with other things. */
static inline int64_t until_more(unsigned objects)
{
    unsigned before = told->objects;
    int64_t begin = now_ms();
    while (told->objects < before + objects) {
        usleep(2000);
        if (now_ms() - begin > 60000)
            fail_msg("no object was counted for a minute");
    }
    return now_ms() - begin;
}

#endif
