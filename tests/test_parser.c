/* Reading behind walls, as claims: what a sandboxed process can no longer do, and what becomes of an answer that is not what it should be.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/parser.h"
#include "app/sandbox.h"
#include "app/worker.h"

/* ---- the walls ---- */

#define MORTAL "mortal" /* objects with this in their path kill their parser */

static int readable[2];

static void opens_a_file(void) { (void)!open("/etc/hostname", O_RDONLY | O_CLOEXEC); }
static void makes_a_socket(void) { (void)!socket(AF_INET, SOCK_STREAM, 0); }
static void makes_a_process(void) { (void)!fork(); }
static void signals(void) { (void)!kill(getppid(), 0); }
static void renames(void) { (void)!rename("/tmp/a", "/tmp/b"); }
static void maps_code(void) { (void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void makes_data_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)!mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static void computes(void)
{
    char c = 0;
    char *p = malloc(10 << 20); /* mapped, used, given back */
    if (!p || read(readable[0], &c, 1) != 1)
        _exit(1);
    memset(p, c, 10 << 20);
    free(p);
}

/* How a process ends that does this behind the walls: 0, or the signal. */
static int ends_with(void (*what)(void))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct fault fault;
        if (sandbox_enter(&fault))
            _exit(2);
        what();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void what_is_open_can_be_read_and_memory_used(void **state)
{
    (void)state;
    assert_int_equal(pipe2(readable, O_CLOEXEC), 0);
    assert_int_equal(write(readable[1], "x", 1), 1);
    assert_int_equal(ends_with(computes), 0);
}

static void all_else_is_death(void **state)
{
    (void)state;
    void (*const calls[])(void) = {opens_a_file, makes_a_socket, makes_a_process, signals, renames, maps_code, makes_data_code};
    for (size_t i = 0; i < WEIR_COUNT(calls); i++)
        if (ends_with(calls[i]) != SIGSYS)
            fail_msg("call %zu is let through", i);
}

/* ---- what is told ---- */

struct bench {
    struct app app;
    struct store *store;
    struct run *run;
    struct object_list *list;
    struct feed feed;
    struct window *scratch;
    uint8_t duplicate[1], lost[1];
    char path[40];
    struct buffer told;
};

static void open_run(struct bench *b)
{
    struct fault fault;
    if (run_open(&b->app, b->store, &b->run, &fault))
        fail_msg("%s", fault.text);
    b->feed = (struct feed){.list = b->list, .lost = b->lost, .waiting_s = INT64_MAX};
    b->run->feed = &b->feed;
    b->run->list = b->list;
    b->run->duplicate = b->duplicate;
    b->run->future_s = INT64_MAX / 2;
}

static int setup(void **state)
{
    static char *env[] = {(char *)(uintptr_t)"HOME=/nonexistent", NULL};
    struct bench *b = calloc(1, sizeof *b);
    struct fault fault;
    assert_non_null(b);
    b->app = (struct app){.err = stderr, .env = env, .config = config_new(env)};
    assert_int_equal(config_finish(b->app.config, &fault), WEIR_OK);
    assert_int_equal(store_open("sqlite::memory:", STORE_READ_WRITE, &b->store, &fault), WEIR_OK);
    snprintf(b->path, sizeof b->path, "/tmp/weir-parser-XXXXXX");
    int fd = mkstemp(b->path);
    assert_true(fd >= 0);
    for (int i = 0; i < 50; i++)
        dprintf(fd, "2 123456789012 eni-%08x 10.0.1.%d 203.0.113.9 40000 443 6 9 9000 %d %d ACCEPT OK\n", i % 5, i % 5 + 1, 1772409600 + 60 * i, 1772409660 + 60 * i);
    dprintf(fd, "2 123456789012 eni-000000aa - - - - - - - 1772409600 1772409660 - NODATA\n");
    close(fd);
    b->list = object_list_new(NULL);
    assert_int_equal(object_list_add(b->list, b->path, &fault), WEIR_OK);
    const struct window_limits limits = window_default_limits;
    b->scratch = window_new(&limits, false);
    open_run(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    b->run->list = NULL;
    b->run->duplicate = NULL;
    buffer_fini(&b->run->told);
    run_close(b->run);
    buffer_fini(&b->told);
    window_free(b->scratch);
    object_list_free(b->list);
    store_close(b->store);
    config_free(b->app.config);
    unlink(b->path);
    free(b);
    return 0;
}

/* What a parser would tell of the object, made without one. */
static void make_told(struct bench *b)
{
    struct fault fault;
    b->run->tell = parser_tell;
    buffer_init(&b->run->told, 64 << 20);
    assert_int_equal(workers_count(b->run, 0, 1, 1, &fault), WEIR_OK);
    buffer_init(&b->told, 64 << 20);
    parser_tell_counts(b->run, &b->told);
    buffer_slice(&b->told, (struct slice){b->run->told.p, b->run->told.n});
    assert_int_equal(b->told.err, WEIR_OK);
    buffer_fini(&b->run->told);
    run_close(b->run);
    open_run(b);
}

static enum weir_err take(struct bench *b, const char *p, size_t n)
{
    uint64_t pass_over = 0;
    return parser_take(b->run, 0, (struct slice){p, n}, true, &pass_over, b->scratch);
}

static void what_is_told_counts_as_what_is_read_by_a_thread(void **state)
{
    struct bench *b = *state;
    struct fault fault;
    make_told(b);
    assert_int_equal(take(b, b->told.p, b->told.n), WEIR_OK);
    struct run_counts told = b->run->counts;
    struct window_stats sums = window_stats(b->run->window);
    run_close(b->run);
    open_run(b);
    assert_int_equal(workers_count(b->run, 0, 1, 1, &fault), WEIR_OK);
    assert_int_equal(told.records.emitted, 51);
    assert_memory_equal(&told, &b->run->counts, sizeof told);
    struct window_stats want = window_stats(b->run->window);
    assert_int_equal(sums.cells, want.cells);
    assert_int_equal(sums.host_days, want.host_days);
    assert_int_equal(b->run->fresh_n, 1);
    assert_int_equal(b->run->fresh[0].days, 1);
}

static void an_object_told_twice_is_a_duplicate(void **state)
{
    struct bench *b = *state;
    make_told(b);
    assert_int_equal(take(b, b->told.p, b->told.n), WEIR_OK);
    assert_int_equal(take(b, b->told.p, b->told.n), WEIR_OK);
    assert_int_equal(b->run->counts.objects_done, 1);
    assert_int_equal(b->run->counts.objects_duplicate, 1);
}

static void a_cut_answer_is_refused_and_nothing_of_it_stays(void **state)
{
    struct bench *b = *state;
    make_told(b);
    for (size_t n = 0; n < b->told.n; n += n < 2000 ? 1 : 7) {
        char *exact = malloc(n + 1);
        assert_non_null(exact);
        memcpy(exact, b->told.p, n);
        if (take(b, exact, n) != WEIR_CORRUPT)
            fail_msg("taken at %zu", n);
        free(exact);
    }
    assert_int_equal(window_stats(b->run->window).cells, 0);
    assert_int_equal(b->run->fresh_n, 0);
}

static void a_flipped_answer_does_no_harm(void **state)
{
    struct bench *b = *state;
    make_told(b);
    for (size_t at = sizeof(struct run_counts); at < b->told.n; at += 3) {
        b->told.p[at] = (char)(b->told.p[at] ^ 0x41);
        enum weir_err err = take(b, b->told.p, b->told.n);
        b->told.p[at] = (char)(b->told.p[at] ^ 0x41);
        assert_true(err == WEIR_OK || err == WEIR_CORRUPT);
        b->run->fresh_n = b->run->fresh_days = 0;
    }
}

/* ---- what is lost ---- */

static void add_object(struct object_list *list, char path[64], const char *name, int day)
{
    struct fault fault;
    snprintf(path, 64, "/tmp/weir-%s-XXXXXX", name);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    int begin_s = 1772409600 + day * DAY_S;
    dprintf(fd, "2 123456789012 eni-00000001 10.0.1.1 203.0.113.9 40000 443 6 9 %zu %d %d ACCEPT OK\n", 9000 + strlen(name), begin_s, begin_s + 60);
    close(fd);
    assert_int_equal(object_list_add(list, path, &fault), WEIR_OK);
}

static void feed_once(struct bench *b, struct object_list *list, uint8_t *lost)
{
    struct fault fault;
    const struct feed feed = {.list = list, .lost = lost, .judge_open = true, .waiting_s = INT64_MAX};
    if (run_feed(b->run, &feed, &fault))
        fail_msg("%s", fault.text);
}

static void a_day_stays_open_while_an_object_that_was_lost_can_bring_records(void **state)
{
    struct bench *b = *state;
    struct fault fault;
    struct object_list *first = object_list_new(NULL), *again = object_list_new(NULL);
    char alive[64], mortal[64], later[64], healed[64];
    uint8_t lost[3] = {0};
    b->run->duplicate = NULL;
    add_object(first, alive, "alive", 0);
    add_object(first, mortal, MORTAL, 0);
    add_object(first, later, "later", 4);
    assert_int_equal(run_isolate(b->run, &fault), WEIR_OK);
    feed_once(b, first, lost);
    assert_int_equal(lost[1], 1);
    assert_int_equal(run_counted(b->run)->objects_done, 2);
    assert_int_equal(run_counted(b->run)->days_closed, 0);
    add_object(again, healed, "healed", 0);
    feed_once(b, again, lost);
    assert_int_equal(run_counted(b->run)->objects_done, 3);
    assert_int_equal(run_counted(b->run)->days_closed, 1);
    unlink(alive), unlink(mortal), unlink(later), unlink(healed);
    object_list_free(first);
    object_list_free(again);
}

#define CLAIM(name) cmocka_unit_test(name)
#define ON(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    setenv("WEIR_FAILPOINT", "parser-dies@" MORTAL, 1);
    const struct CMUnitTest tests[] = {
        CLAIM(what_is_open_can_be_read_and_memory_used),
        CLAIM(all_else_is_death),
        ON(what_is_told_counts_as_what_is_read_by_a_thread),
        ON(an_object_told_twice_is_a_duplicate),
        ON(a_cut_answer_is_refused_and_nothing_of_it_stays),
        ON(a_flipped_answer_does_no_harm),
        ON(a_day_stays_open_while_an_object_that_was_lost_can_bring_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
