/* What a store promises beyond one handle, as claims run on every backend that outlives the process: reopening, readers
 * beside a writer, one writer, and a kill at each point of a commit. The kill is done to a second process of this
 * program, since a failpoint is read once a process. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_bench.h"

#include <signal.h>
#include <sys/wait.h>

/* ---- what outlives a handle ---- */

static void finds_everything_again_after_a_reopen(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "kept");
    put_finding(b, "f1", "F");
    struct store_position before = store_position(b->s);
    reopen(b);
    assert_string_equal(value_of(b, 'h', "1"), "kept");
    expect_outbox(b, 0, 10, "1:f1=F ");
    assert_true(store_position(b->s).epoch == before.epoch && store_position(b->s).seq == before.seq);
}

static void writes_nothing_when_closed_in_a_batch(void **state)
{
    struct bench *b = *state;
    begin(b);
    put(b, 'h', "1", "x");
    reopen(b);
    assert_false(store_has(b->s, 'h', "1"));
}

static void shows_a_reader_nothing_before_the_commit_and_all_after(void **state)
{
    struct bench *b = *state;
    put_alone(b, 'h', "1", "old");
    struct store *reader = open_reader(b);
    begin(b);
    put(b, 'h', "1", "new");
    put(b, 'h', "2", "new");
    assert_string_equal(value_in(b, reader, 'h', "1"), "old");
    commit(b);
    assert_string_equal(value_in(b, reader, 'h', "1"), "new");
    assert_string_equal(value_in(b, reader, 'h', "2"), "new");
    store_close(reader);
}

static enum weir_err commit_within(void *ctx, size_t i, struct slice value)
{
    struct collected *c = ctx;
    buffer_printf(&c->text, "%.*s ", (int)value.n, value.p);
    if (i > 0)
        return WEIR_OK;
    enum weir_err err = store_begin(c->s, NULL);
    if (!err)
        err = store_put(c->s, 'h', "3", SLICE_LIT("changed"), NULL);
    if (!err)
        err = store_put(c->s, 'h', "1", SLICE_LIT("changed"), NULL);
    return err ? err : store_commit(c->s, NULL);
}

static void shows_a_reader_of_many_one_commit_only(void **state)
{
    struct bench *b = *state;
    struct collected c = {.s = b->s};
    buffer_init(&c.text, 256);
    put_1_and_3(b);
    struct store *reader = open_reader(b);
    expect(b, store_get_many(reader, 'h', three_ids, 3, commit_within, &c, &b->fault), WEIR_OK);
    assert_string_equal(buffer_cstr(&c.text), "three one ");
    assert_string_equal(value_in(b, reader, 'h', "1"), "changed");
    buffer_fini(&c.text);
    store_close(reader);
}

static void refuses_a_batch_to_a_reader(void **state)
{
    struct bench *b = *state;
    struct store *reader = open_reader(b);
    expect(b, store_begin(reader, &b->fault), WEIR_USAGE);
    store_close(reader);
}

static void says_notfound_to_a_reader_of_no_store(void **state)
{
    struct bench *b = *state;
    char url[512];
    struct store *reader = NULL;
    b->backend->fresh(url, sizeof url);
    expect(b, bench_open(url, STORE_READ_ONLY, &reader, &b->fault), WEIR_NOTFOUND);
    assert_null(reader);
}

static void refuses_a_second_writer_until_the_first_has_closed(void **state)
{
    struct bench *b = *state;
    struct store *second = NULL;
    expect(b, bench_open(b->url, STORE_READ_WRITE, &second, &b->fault), WEIR_BUSY);
    assert_non_null(strstr(b->fault.text, "in use"));
    store_close(b->s);
    b->s = NULL;
    expect(b, bench_open(b->url, STORE_READ_WRITE, &second, &b->fault), WEIR_OK);
    store_close(second);
}

static void refuses_a_commit_after_somebody_else_has_committed(void **state)
{
    struct bench *b = *state;
    b->backend->overtake(b->url);
    begin(b);
    put(b, 'h', "1", "x");
    expect(b, store_commit(b->s, &b->fault), WEIR_BUSY);
    assert_false(store_has(b->s, 'h', "1"));
    reopen(b);
    put_alone(b, 'h', "1", "after opening again");
}

/* ---- killed ---- */

static const char *const many_ids[] = {"0", "1", "2", "3", "4", "5", "6", "7"};

/* A checkpoint of 8 values of 512 KiB full of one letter, and a finding. */
static enum weir_err commit_letter(const char *url, char letter)
{
    size_t n = 512 << 10;
    struct store *s = NULL;
    char *value = malloc(n);
    memset(value, letter, n);
    enum weir_err err = bench_open(url, STORE_READ_WRITE, &s, NULL);
    if (!err)
        err = store_begin(s, NULL);
    for (size_t i = 0; i < WEIR_COUNT(many_ids) && !err; i++)
        err = store_put(s, 'w', many_ids[i], (struct slice){value, n}, NULL);
    if (!err)
        err = store_put_finding(s, "f", (struct slice){value, 1}, NULL);
    if (!err)
        err = store_commit(s, NULL);
    store_close(s);
    free(value);
    return err;
}

/* store_dir of the first process goes along: the files of the store over TLS are there. */
static void commit_in_a_process_that_dies_at(const char *url, const char *place)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("WEIR_FAILPOINT", place, 1);
        execl("/proc/self/exe", "test_store", "--commit", url, store_dir, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static enum weir_err note_letter(void *ctx, size_t i, struct slice value)
{
    struct collected *c = ctx;
    (void)i;
    buffer_put(&c->text, value.p, 1);
    return value.n == 512 << 10 && value.p[0] == value.p[value.n - 1] ? WEIR_OK : WEIR_CORRUPT;
}

static void after_a_kill(struct bench *b, const char *place, const char *letters, const char *outbox)
{
    struct collected c = {.stop_at = SIZE_MAX};
    buffer_init(&c.text, 256);
    store_close(b->s);
    b->s = NULL;
    expect(b, commit_letter(b->url, 'o'), WEIR_OK);
    commit_in_a_process_that_dies_at(b->url, place);
    expect(b, bench_open(b->url, STORE_READ_WRITE, &b->s, &b->fault), WEIR_OK); /* the lock died with the process */
    expect(b, store_get_many(b->s, 'w', many_ids, WEIR_COUNT(many_ids), note_letter, &c, &b->fault), WEIR_OK);
    assert_string_equal(buffer_cstr(&c.text), letters);
    expect_outbox(b, 0, 10, outbox);
    buffer_fini(&c.text);
}

static void holds_none_of_a_batch_when_killed_before_the_commit(void **state)
{
    after_a_kill(*state, "store-before-commit", "oooooooo", "1:f=o ");
}

static void holds_none_of_a_batch_when_killed_in_the_commit(void **state)
{
    after_a_kill(*state, "store-mid-commit", "oooooooo", "1:f=o ");
}

static void holds_all_of_a_batch_when_killed_after_the_commit(void **state)
{
    after_a_kill(*state, "store-after-commit", "nnnnnnnn", "1:f=o 2:f=n ");
}

static const struct claim claims[] = {
    CLAIM(finds_everything_again_after_a_reopen),
    CLAIM(writes_nothing_when_closed_in_a_batch),
    CLAIM(shows_a_reader_nothing_before_the_commit_and_all_after),
    CLAIM(shows_a_reader_of_many_one_commit_only),
    CLAIM(refuses_a_batch_to_a_reader),
    CLAIM(says_notfound_to_a_reader_of_no_store),
    CLAIM(refuses_a_second_writer_until_the_first_has_closed),
    CLAIM(refuses_a_commit_after_somebody_else_has_committed),
    CLAIM(holds_none_of_a_batch_when_killed_before_the_commit),
    CLAIM(holds_none_of_a_batch_when_killed_in_the_commit),
    CLAIM(holds_all_of_a_batch_when_killed_after_the_commit),
};

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--commit") == 0) {
        snprintf(store_dir, sizeof store_dir, "%s", argv[3]);
        return (int)commit_letter(argv[2], 'n');
    }
    return run_on_backends(claims, WEIR_COUNT(claims), ON_DURABLE_BACKENDS);
}
