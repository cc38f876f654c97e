/* A stream cut into objects, as claims: whole lines, each once, each object readable on its own. The time is ours.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/source_intake.h>

#define S INT64_C(1000000000)

struct bench {
    char dir[32];
    int pipe[2];
    struct intake *in;
    int64_t now_ns;
};

static void open_intake(struct bench *b, uint64_t bytes)
{
    const struct intake_settings settings = {bytes, 5 * S};
    struct fault fault;
    intake_close(b->in);
    if (intake_open(b->pipe[0], b->dir, &settings, &b->in, &fault))
        fail_msg("%s", fault.text);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    snprintf(b->dir, sizeof b->dir, "/tmp/weir-intake-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    assert_int_equal(pipe2(b->pipe, O_CLOEXEC), 0);
    b->now_ns = 100 * S;
    open_intake(b, 100);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    char command[64];
    intake_close(b->in);
    close(b->pipe[0]);
    if (b->pipe[1] >= 0)
        close(b->pipe[1]);
    snprintf(command, sizeof command, "rm -rf '%s'", b->dir);
    free(b);
    return system(command);
}

static void give(struct bench *b, const char *text) { assert_int_equal(write(b->pipe[1], text, strlen(text)), (ssize_t)strlen(text)); }

static enum weir_err turn(struct bench *b)
{
    struct fault fault;
    b->now_ns += 1000;
    return intake_turn(b->in, b->now_ns, b->now_ns, &fault);
}

static void end(struct bench *b)
{
    close(b->pipe[1]);
    b->pipe[1] = -1;
    assert_int_equal(turn(b), WEIR_END);
}

static int visible(const struct dirent *e) { return e->d_name[0] != '.'; }

/* All objects in order, a '|' behind each. */
static void expect(struct bench *b, const char *want)
{
    static char all[65536];
    struct dirent **names;
    size_t n = 0;
    int count = scandir(b->dir, &names, visible, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        char path[320];
        snprintf(path, sizeof path, "%s/%s", b->dir, names[i]->d_name);
        FILE *f = fopen(path, "re");
        assert_non_null(f);
        n += fread(all + n, 1, sizeof all - n - 2, f);
        fclose(f);
        all[n++] = '|';
        free(names[i]);
    }
    free(names);
    all[n] = 0;
    assert_string_equal(all, want);
}

static void an_object_ends_behind_a_line_when_it_is_old(void **state)
{
    struct bench *b = *state;
    give(b, "1 one\n2 tw");
    assert_int_equal(turn(b), WEIR_OK);
    expect(b, "");
    b->now_ns += 5 * S;
    assert_int_equal(turn(b), WEIR_OK);
    expect(b, "1 one\n|");
    give(b, "o\n");
    end(b);
    expect(b, "1 one\n|2 two\n|");
}

static void an_object_ends_behind_a_line_when_it_is_large(void **state)
{
    struct bench *b = *state;
    open_intake(b, 12);
    give(b, "1 one\n2 two\n3 three\n4 fo");
    assert_int_equal(turn(b), WEIR_OK);
    expect(b, "1 one\n2 two\n3 three\n|");
    end(b);
    expect(b, "1 one\n2 two\n3 three\n|4 fo|");
}

static void the_names_of_the_columns_head_each_object(void **state)
{
    struct bench *b = *state;
    open_intake(b, 20);
    give(b, "vers");
    assert_int_equal(turn(b), WEIR_OK);
    give(b, "ion bytes\n1 11111111111\n");
    assert_int_equal(turn(b), WEIR_OK);
    give(b, "2 22\n");
    end(b);
    expect(b, "version bytes\n1 11111111111\n|version bytes\n2 22\n|");
}

static void the_end_of_nothing_leaves_nothing(void **state)
{
    struct bench *b = *state;
    end(b);
    expect(b, "");
}

static void names_alone_are_no_object(void **state)
{
    struct bench *b = *state;
    give(b, "version bytes\n");
    assert_int_equal(turn(b), WEIR_OK);
    b->now_ns += 50 * S;
    assert_int_equal(turn(b), WEIR_OK);
    end(b);
    expect(b, "");
}

static void what_a_killed_process_had_read_is_an_object_of_the_next(void **state)
{
    struct bench *b = *state;
    give(b, "1 one\n2 two\n3 cut");
    assert_int_equal(turn(b), WEIR_OK);
    expect(b, "");
    open_intake(b, 100);
    expect(b, "1 one\n2 two\n|");
}

static void gzip_is_refused(void **state)
{
    struct bench *b = *state;
    give(b, "\x1f\x8b\x08\n");
    assert_int_equal(turn(b), WEIR_USAGE);
}

static void a_line_without_an_end_does_not_grow_for_ever(void **state)
{
    struct bench *b = *state;
    char text[1001];
    memset(text, '7', 1000);
    text[1000] = 0;
    give(b, text);
    assert_int_equal(turn(b), WEIR_OK);
    struct stat st;
    char path[64];
    snprintf(path, sizeof path, "%s/.intake", b->dir);
    assert_int_not_equal(stat(path, &st), 0);
}

static void any_cut_of_the_stream_gives_the_same_lines(void **state)
{
    struct bench *b = *state;
    static const char text[] = "1 a\n2 bb\n3 ccc\n4 dddd\n";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        char one[2] = {text[i], 0};
        give(b, one);
        assert_int_equal(turn(b), WEIR_OK);
        if (i % 5 == 0)
            b->now_ns += 6 * S;
    }
    end(b);
    char command[128], got[64] = "";
    snprintf(command, sizeof command, "cat %s/*", b->dir);
    FILE *f = popen(command, "re");
    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof got, f), sizeof text - 1);
    pclose(f);
    assert_string_equal(got, text);
}

static void old_objects_are_forgotten_and_nothing_else(void **state)
{
    struct bench *b = *state;
    char path[64];
    give(b, "1 one\n");
    end(b);
    snprintf(path, sizeof path, "%s/mine.log", b->dir);
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    assert_int_equal(intake_forget(b->in, 1000), 0);
    assert_int_equal(intake_forget(b->in, INT64_MAX), 1);
    assert_int_equal(access(path, F_OK), 0);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(an_object_ends_behind_a_line_when_it_is_old),
        CLAIM(an_object_ends_behind_a_line_when_it_is_large),
        CLAIM(the_names_of_the_columns_head_each_object),
        CLAIM(the_end_of_nothing_leaves_nothing),
        CLAIM(names_alone_are_no_object),
        CLAIM(what_a_killed_process_had_read_is_an_object_of_the_next),
        CLAIM(gzip_is_refused),
        CLAIM(a_line_without_an_end_does_not_grow_for_ever),
        CLAIM(any_cut_of_the_stream_gives_the_same_lines),
        CLAIM(old_objects_are_forgotten_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
