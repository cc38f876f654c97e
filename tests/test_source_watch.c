/* A watched directory as claims: real files and a real inotify, but the time is ours. The kernel queues what it tells before rename and
 * close return, so nothing has to be waited for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <weir/source_watch.h>

#define S INT64_C(1000000000)
#define REST (2 * S)
#define SWEEP (300 * S)

struct bench {
    char dir[32], outside[48];
    struct source_watch *w;
    int64_t now_ns, unix_ns;
    unsigned refused;
    char kind[32];
};

static void on_refused(void *ctx, const char *path, const char *kind)
{
    struct bench *b = ctx;
    assert_true(strstr(path, b->dir) != NULL);
    b->refused++;
    snprintf(b->kind, sizeof b->kind, "%s", kind);
}

static void begin_watch(struct bench *b)
{
    const char *dirs[] = {b->dir};
    const struct watch_settings settings = {REST, SWEEP, b, on_refused, NULL, NULL};
    struct fault fault;
    source_watch_close(b->w);
    assert_int_equal(source_watch_open(dirs, 1, &settings, &b->w, &fault), WEIR_OK);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    snprintf(b->dir, sizeof b->dir, "/tmp/weir-watch-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->outside, sizeof b->outside, "%s-out", b->dir);
    assert_int_equal(mkdir(b->outside, 0700), 0);
    b->now_ns = 1000 * S;
    b->unix_ns = (int64_t)time(NULL) * S;
    begin_watch(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    char command[128];
    source_watch_close(b->w);
    snprintf(command, sizeof command, "rm -rf '%s' '%s'", b->dir, b->outside);
    int rc = system(command);
    free(b);
    return rc;
}

static void turn(struct bench *b)
{
    struct fault fault;
    assert_int_equal(source_watch_turn(b->w, b->now_ns, b->unix_ns, &fault), WEIR_OK);
}

static void pass(struct bench *b, int64_t ns)
{
    b->now_ns += ns;
    b->unix_ns += ns;
    turn(b);
}

static size_t waiting(const struct bench *b) { return source_watch_state(b->w).waiting; }

static const char *in(const char *dir, const char *name)
{
    static char path[4][256];
    static unsigned next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", dir, name);
    return path[next];
}

static void append(const char *path, const char *text)
{
    FILE *f = fopen(path, "ae");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void rename_in(const struct bench *b, const char *name, const char *text)
{
    append(in(b->outside, "new"), text);
    assert_int_equal(rename(in(b->outside, "new"), in(b->dir, name)), 0);
}

/* Take all that waits; the names, a blank behind each. */
static void take(struct bench *b, bool counted, char *names, size_t cap)
{
    struct object_list *list;
    struct fault fault;
    int64_t next_s;
    assert_int_equal(source_watch_take(b->w, 1000, &list, &next_s, &fault), WEIR_OK);
    assert_true(next_s == INT64_MAX);
    names[0] = 0;
    for (size_t i = 0; i < object_list_count(list); i++) {
        size_t n = strlen(names);
        snprintf(names + n, cap - n, "%s ", strrchr(object_list_at(list, i)->path, '/') + 1);
    }
    assert_int_equal(source_watch_settle(b->w, list, counted, b->now_ns), WEIR_OK);
    object_list_free(list);
}

static void expect_taken(struct bench *b, bool counted, const char *want)
{
    char names[1024];
    take(b, counted, names, sizeof names);
    assert_string_equal(names, want);
}

static void what_is_renamed_in_waits_at_once(void **state)
{
    struct bench *b = *state;
    turn(b);
    rename_in(b, "a.log", "x\n");
    turn(b);
    assert_int_equal(waiting(b), 1);
    expect_taken(b, true, "a.log ");
}

static void what_is_written_in_place_waits_only_after_its_rest(void **state)
{
    struct bench *b = *state;
    turn(b);
    append(in(b->dir, "a.log"), "x\n");
    turn(b);
    assert_int_equal(waiting(b), 0);
    pass(b, REST - 1);
    assert_int_equal(waiting(b), 0);
    append(in(b->dir, "a.log"), "y\n");
    pass(b, 1);
    assert_int_equal(waiting(b), 0);
    pass(b, REST);
    assert_int_equal(waiting(b), 1);
}

static void a_file_that_grows_for_ten_seconds_is_taken_once_and_whole(void **state)
{
    struct bench *b = *state;
    turn(b);
    for (int i = 0; i < 100; i++) {
        append(in(b->dir, "a.log"), "another line\n");
        pass(b, S / 10);
        assert_int_equal(waiting(b), 0);
    }
    pass(b, REST); /* looked at, and seen to have changed since it was looked at before */
    pass(b, REST);
    expect_taken(b, true, "a.log ");
    struct stat st;
    assert_int_equal(stat(in(b->dir, "a.log"), &st), 0);
    assert_int_equal(st.st_size, 1300);
    pass(b, SWEEP);
    assert_int_equal(waiting(b), 0);
}

static void a_file_that_is_still_open_is_left(void **state)
{
    struct bench *b = *state;
    turn(b);
    int fd = open(in(b->dir, "a.log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "half", 4), 4);
    turn(b);
    pass(b, 10 * REST);
    assert_int_equal(waiting(b), 0);
    assert_int_equal(close(fd), 0);
    turn(b);
    pass(b, REST);
    assert_int_equal(waiting(b), 1);
}

static void a_sweep_finds_what_was_there_before(void **state)
{
    struct bench *b = *state;
    append(in(b->dir, "old.log"), "x\n");
    begin_watch(b);
    b->unix_ns += 10 * REST;
    turn(b);
    assert_int_equal(waiting(b), 1);
    assert_int_equal(source_watch_state(b->w).found_by_sweep, 1);
}

static void a_file_of_the_future_waits_after_its_rest(void **state)
{
    struct bench *b = *state;
    append(in(b->dir, "a.log"), "x\n");
    begin_watch(b);
    b->unix_ns -= 3600 * S;
    turn(b);
    assert_int_equal(waiting(b), 0);
    pass(b, REST);
    assert_int_equal(waiting(b), 1);
}

static void what_was_counted_comes_again_only_when_it_changes(void **state)
{
    struct bench *b = *state;
    turn(b);
    rename_in(b, "a.log", "x\n");
    turn(b);
    expect_taken(b, true, "a.log ");
    pass(b, SWEEP);
    pass(b, SWEEP);
    assert_int_equal(waiting(b), 0);
    rename_in(b, "a.log", "x\n");
    turn(b);
    expect_taken(b, true, "a.log ");
}

static void what_was_not_counted_waits_again(void **state)
{
    struct bench *b = *state;
    turn(b);
    rename_in(b, "a.log", "x\n");
    turn(b);
    expect_taken(b, false, "a.log ");
    expect_taken(b, true, "a.log ");
    assert_int_equal(waiting(b), 0);
}

static void a_file_replaced_while_it_is_read_is_not_lost(void **state)
{
    struct bench *b = *state;
    struct object_list *list;
    struct fault fault;
    int64_t next_s;
    turn(b);
    rename_in(b, "a.log", "x\n");
    turn(b);
    assert_int_equal(source_watch_take(b->w, 10, &list, &next_s, &fault), WEIR_OK);
    rename_in(b, "a.log", "y\n");
    turn(b);
    assert_int_equal(source_watch_settle(b->w, list, true, b->now_ns), WEIR_OK);
    object_list_free(list);
    expect_taken(b, true, "a.log ");
}

static void a_link_a_fifo_and_a_linked_folder_are_refused_once(void **state)
{
    struct bench *b = *state;
    append(in(b->outside, "secret.log"), "x\n");
    assert_int_equal(symlink(in(b->outside, "secret.log"), in(b->dir, "link.log")), 0);
    assert_int_equal(symlink(b->outside, in(b->dir, "folder")), 0);
    turn(b);
    assert_int_equal(mkfifo(in(b->dir, "pipe.log"), 0600), 0);
    b->unix_ns += 10 * REST;
    turn(b);
    pass(b, SWEEP);
    assert_int_equal(b->refused, 3);
    assert_string_equal(b->kind, "FIFO");
    assert_int_equal(waiting(b), 0);
}

static void a_new_folder_is_seen_with_what_is_in_it_and_what_comes_later(void **state)
{
    struct bench *b = *state;
    char path[256];
    turn(b);
    assert_int_equal(mkdir(in(b->outside, "2026"), 0700), 0);
    snprintf(path, sizeof path, "%s/2026/a.log", b->outside);
    append(path, "x\n");
    b->unix_ns += 10 * REST;
    assert_int_equal(rename(in(b->outside, "2026"), in(b->dir, "2026")), 0);
    turn(b);
    expect_taken(b, true, "a.log ");
    rename_in(b, "2026/b.log", "y\n");
    turn(b);
    expect_taken(b, true, "b.log ");
}

static void a_hidden_or_vanished_name_is_no_object(void **state)
{
    struct bench *b = *state;
    turn(b);
    rename_in(b, ".part", "x\n");
    rename_in(b, "gone.log", "x\n");
    assert_int_equal(unlink(in(b->dir, "gone.log")), 0);
    turn(b);
    assert_int_equal(waiting(b), 0);
}

static void the_oldest_bucket_is_taken_first_and_the_next_is_told(void **state)
{
    struct bench *b = *state;
    struct object_list *list;
    struct fault fault;
    int64_t next_s;
    turn(b);
    rename_in(b, "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d4e5f60718_20240419T2355Z_7a4fd73e.log.gz", "x");
    rename_in(b, "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d4e5f60718_20240419T2345Z_7a4fd73e.log.gz", "y");
    rename_in(b, "other.log", "z");
    turn(b);
    assert_int_equal(source_watch_take(b->w, 1, &list, &next_s, &fault), WEIR_OK);
    assert_int_equal(object_list_at(list, 0)->from.bucket_s, 1713570300);
    assert_int_equal(next_s, 0); /* one that waits tells no bucket */
    object_list_free(list);
    assert_int_equal(source_watch_take(b->w, 2, &list, &next_s, &fault), WEIR_OK);
    assert_int_equal(object_list_at(list, 0)->from.bucket_s, 1713570900);
    assert_true(next_s == INT64_MAX);
    object_list_free(list);
}

static void after_forgetting_everything_comes_again(void **state)
{
    struct bench *b = *state;
    turn(b);
    rename_in(b, "a.log", "x\n");
    turn(b);
    expect_taken(b, true, "a.log ");
    source_watch_forget(b->w);
    pass(b, 10 * REST);
    expect_taken(b, true, "a.log ");
}

static void a_thousand_files_in_any_state_are_taken_once_each(void **state)
{
    struct bench *b = *state;
    size_t taken = 0;
    turn(b);
    for (int i = 0; i < 1000; i++) {
        char name[32];
        struct object_list *list;
        struct fault fault;
        int64_t next_s;
        snprintf(name, sizeof name, "%d.log", i);
        if (i % 3 == 0)
            append(in(b->dir, name), "x\n");
        else
            rename_in(b, name, "x\n");
        if (i % 7 == 0)
            pass(b, i % 2 ? REST : SWEEP);
        assert_int_equal(source_watch_take(b->w, (size_t)(i % 5), &list, &next_s, &fault), WEIR_OK);
        taken += i % 11 ? object_list_count(list) : 0;
        assert_int_equal(source_watch_settle(b->w, list, i % 11 != 0, b->now_ns), WEIR_OK);
        object_list_free(list);
    }
    pass(b, SWEEP);
    pass(b, SWEEP);
    assert_int_equal(taken + waiting(b), 1000);
}

static void a_directory_that_is_missing_or_a_file_is_refused(void **state)
{
    struct bench *b = *state;
    const struct watch_settings settings = {REST, SWEEP, b, on_refused, NULL, NULL};
    struct source_watch *w;
    struct fault fault;
    const char *dirs[] = {in(b->dir, "nothing")};
    assert_int_equal(source_watch_open(dirs, 1, &settings, &w, &fault), WEIR_NOTFOUND);
    append(in(b->dir, "file"), "x");
    dirs[0] = in(b->dir, "file");
    assert_int_equal(source_watch_open(dirs, 1, &settings, &w, &fault), WEIR_USAGE);
    assert_null(w);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(what_is_renamed_in_waits_at_once),
        CLAIM(what_is_written_in_place_waits_only_after_its_rest),
        CLAIM(a_file_that_grows_for_ten_seconds_is_taken_once_and_whole),
        CLAIM(a_file_that_is_still_open_is_left),
        CLAIM(a_sweep_finds_what_was_there_before),
        CLAIM(a_file_of_the_future_waits_after_its_rest),
        CLAIM(what_was_counted_comes_again_only_when_it_changes),
        CLAIM(what_was_not_counted_waits_again),
        CLAIM(a_file_replaced_while_it_is_read_is_not_lost),
        CLAIM(a_link_a_fifo_and_a_linked_folder_are_refused_once),
        CLAIM(a_new_folder_is_seen_with_what_is_in_it_and_what_comes_later),
        CLAIM(a_hidden_or_vanished_name_is_no_object),
        CLAIM(the_oldest_bucket_is_taken_first_and_the_next_is_told),
        CLAIM(after_forgetting_everything_comes_again),
        CLAIM(a_thousand_files_in_any_state_are_taken_once_each),
        CLAIM(a_directory_that_is_missing_or_a_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
