/* Claims about the parts of `weir replay` and `weir diff`: a state of its own, the span of objects, where documents differ.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/json_diff.h"
#include "app/replay.h"

static char folder[32];

static int fresh(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-replay-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int done(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void put(struct store *s, const char *id, const char *value)
{
    struct fault fault;
    assert_int_equal(store_begin(s, &fault), WEIR_OK);
    assert_int_equal(store_put(s, 'h', id, slice_of(value), &fault), WEIR_OK);
    assert_int_equal(store_put_finding(s, id, SLICE_LIT("{}"), &fault), WEIR_OK);
    assert_int_equal(store_commit(s, &fault), WEIR_OK);
}

static struct store *open_one(const char *url)
{
    struct fault fault = {WEIR_OK, ""};
    struct store *s = NULL;
    if (store_open(url, STORE_READ_WRITE, &s, &fault)) fail_msg("%s", fault.text);
    return s;
}

/* ---- state ---- */

static void a_state_of_its_own_is_empty_and_leaves_nothing(void **state)
{
    (void)state;
    struct fault fault;
    struct store *a, *b;
    assert_int_equal(replay_state(NULL, &a, &fault), WEIR_OK);
    put(a, "aa", "one");
    assert_int_equal(replay_state(NULL, &b, &fault), WEIR_OK);
    assert_true(store_has(a, 'h', "aa"));
    assert_false(store_has(b, 'h', "aa"));
    store_close(a);
    store_close(b);
    assert_int_equal(access(":temporary:", F_OK), -1);
}

static void a_copy_has_all_of_the_snapshot_and_does_not_touch_it(void **state)
{
    (void)state;
    struct fault fault;
    char url[64], path[64];
    snprintf(url, sizeof url, "sqlite:%s/a.db", folder);
    snprintf(path, sizeof path, "%s/a.db", folder);
    struct store *from = open_one(url), *copy;
    put(from, "aa", "one");
    put(from, "bb", "two");
    assert_int_equal(replay_state(path, &copy, &fault), WEIR_OK); /* while its writer has it open */
    assert_int_equal(store_position(copy).seq, store_position(from).seq);
    assert_true(store_has(copy, 'h', "bb"));
    put(copy, "cc", "three");
    assert_false(store_has(from, 'h', "cc"));
    put(from, "dd", "four");
    assert_false(store_has(copy, 'h', "dd"));
    store_close(copy);
    store_close(from);
}

static void a_snapshot_that_is_no_store_is_refused(void **state)
{
    (void)state;
    struct fault fault;
    struct store *s = NULL;
    char path[64];
    snprintf(path, sizeof path, "%s/none.db", folder);
    assert_int_equal(replay_state(path, &s, &fault), WEIR_NOTFOUND);
    assert_null(s);
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- objects ---- */

static struct object_list *listed(void)
{
    static const char *const names[] = {"123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20260302T0900Z_aaaaaaaa.log.gz",
                                        "123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20260302T1000Z_bbbbbbbb.log.gz",
                                        "123456789012_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20260303T0000Z_cccccccc.log.gz", "any.log"};
    struct fault fault;
    struct object_list *list = object_list_new(NULL);
    for (size_t i = 0; i < WEIR_COUNT(names); i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        FILE *f = fopen(path, "w");
        fputs("x\n", f);
        fclose(f);
        assert_int_equal(object_list_add(list, path, &fault), WEIR_OK);
    }
    object_list_sort(list);
    return list;
}

static size_t left(struct replay_span span)
{
    struct app app = {.now_s = 0};
    struct object_list *list = listed();
    replay_limit(&app, list, &span);
    size_t n = object_list_count(list);
    assert_int_equal(object_list_bytes(list), 2 * n);
    assert_int_equal(app.now_s, span.at_s);
    object_list_free(list);
    return n;
}

#define AT(text) at(text)
static int64_t at(const char *text)
{
    int64_t s = 0;
    assert_int_equal(time_parse(slice_of(text), &s), WEIR_OK);
    return s;
}

static void objects_outside_the_span_are_left_out_and_those_without_a_time_stay(void **state)
{
    (void)state;
    assert_int_equal(left((struct replay_span){INT64_MIN, INT64_MAX, 0}), 4);
    assert_int_equal(left((struct replay_span){AT("2026-03-02T10:00:00Z"), INT64_MAX, 0}), 3);
    assert_int_equal(left((struct replay_span){INT64_MIN, AT("2026-03-03T00:00:00Z"), 0}), 3);
    assert_int_equal(left((struct replay_span){AT("2026-03-02T10:00:00Z"), AT("2026-03-03T00:00:00Z"), 0}), 2);
}

/* The object of 10:00 holds records that end until 10:05, and was not there before. */
static void at_a_time_only_whole_buckets_are_known(void **state)
{
    (void)state;
    assert_int_equal(left((struct replay_span){INT64_MIN, INT64_MAX, AT("2026-03-02T10:04:59Z")}), 2);
    assert_int_equal(left((struct replay_span){INT64_MIN, INT64_MAX, AT("2026-03-02T10:05:00Z")}), 3);
}

/* ---- where documents differ ---- */

static void differs(const char *a, const char *b, size_t n, const char *text)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    assert_int_equal(json_diff(slice_of(a), slice_of(b), 2, &out), n);
    assert_string_equal(buffer_cstr(&out), text);
    buffer_fini(&out);
}

static void equal_documents_differ_nowhere(void **state)
{
    (void)state;
    differs("{\"a\":[1,{\"b\":2}],\"c\":3}", "{\"c\":3, \"a\":[1, {\"b\":2}]}", 0, "");
}

static void each_place_is_named_with_both_values(void **state)
{
    (void)state;
    differs("{\"a\":[1,{\"b\":2}],\"c\":3}", "{\"a\":[1,{\"b\":5}]}", 2, "  a[1].b: 2 -> 5\n  c: 3 -> nothing\n");
    differs("{\"a\":[1]}", "{\"a\":[1,\"x\"],\"d\":{}}", 2, "  a[1]: nothing -> \"x\"\n  d: nothing -> {}\n");
}

static void more_places_than_asked_for_are_counted(void **state)
{
    (void)state;
    differs("[1,2,3]", "[4,5,6]", 3, "  [0]: 1 -> 4\n  [1]: 2 -> 5\n");
}

static void hostile_keys_and_values_stay_inert(void **state)
{
    (void)state;
    differs("{\"\\u001b[2J\":\"\\u001b[31m\\u202e\"}", "{}", 1, "  \\x1b[2J: \"\\u001B[31m\\u{202e}\" -> nothing\n");
}

static void what_is_no_document_differs_as_a_whole(void **state)
{
    (void)state;
    differs("{", "{}", 1, "  the whole: nothing -> {}\n");
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        CLAIM(a_state_of_its_own_is_empty_and_leaves_nothing),
        CLAIM(a_copy_has_all_of_the_snapshot_and_does_not_touch_it),
        CLAIM(a_snapshot_that_is_no_store_is_refused),
        CLAIM(objects_outside_the_span_are_left_out_and_those_without_a_time_stay),
        CLAIM(at_a_time_only_whole_buckets_are_known),
        CLAIM(equal_documents_differ_nowhere),
        CLAIM(each_place_is_named_with_both_values),
        CLAIM(more_places_than_asked_for_are_counted),
        CLAIM(hostile_keys_and_values_stay_inert),
        CLAIM(what_is_no_document_differs_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
