/* What an open that fails leaves behind, as claims: nothing that it made, everything that was there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include <cmocka.h>

#include <weir/store.h>

static char place[128];

static const char *in_place(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

static bool is_there(const char *name)
{
    struct stat st;
    return lstat(in_place(name), &st) == 0;
}

static int make_place(void **state)
{
    (void)state;
    snprintf(place, sizeof place, "/tmp/weir-leftovers-XXXXXX");
    return mkdtemp(place) ? 0 : -1;
}

static int remove_place(void **state)
{
    char command[160];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", place);
    return system(command);
}

static enum weir_err open_at(const char *name, struct store **s)
{
    char url[600];
    struct fault fault;
    snprintf(url, sizeof url, "sqlite:%s", in_place(name));
    return store_open(url, STORE_READ_WRITE, s, &fault);
}

static void a_path_that_is_none_leaves_no_directories(void **state)
{
    struct store *s = NULL;
    (void)state;
    assert_int_not_equal(open_at("new/newer/", &s), WEIR_OK);
    assert_false(is_there("new"));
}

static void directories_that_were_there_stay(void **state)
{
    struct store *s = NULL;
    (void)state;
    assert_int_equal(mkdir(in_place("old"), 0700), 0);
    assert_int_not_equal(open_at("old/newer/", &s), WEIR_OK);
    assert_true(is_there("old"));
    assert_false(is_there("old/newer"));
}

static void a_name_too_long_leaves_no_directories(void **state)
{
    struct store *s = NULL;
    char name[300] = "new/";
    (void)state;
    memset(name + 4, 'a', sizeof name - 5);
    name[sizeof name - 1] = 0;
    assert_int_not_equal(open_at(name, &s), WEIR_OK);
    assert_false(is_there("new"));
}

static void a_file_that_is_no_store_stays_and_gets_no_lock(void **state)
{
    struct store *s = NULL;
    (void)state;
    FILE *out = fopen(in_place("letter"), "we");
    assert_true(out && fprintf(out, "%1000s", "dear") == 1000 && fclose(out) == 0);
    assert_int_equal(open_at("letter", &s), WEIR_CORRUPT);
    assert_true(is_there("letter"));
    assert_false(is_there("letter-lock"));
}

static void a_store_in_use_keeps_its_files(void **state)
{
    struct store *s = NULL, *other = NULL;
    (void)state;
    assert_int_equal(open_at("dir/weir.db", &s), WEIR_OK);
    assert_int_equal(open_at("dir/weir.db", &other), WEIR_BUSY);
    assert_true(is_there("dir/weir.db") && is_there("dir/weir.db-lock"));
    store_close(s);
    assert_int_equal(open_at("dir/weir.db", &s), WEIR_OK);
    store_close(s);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(a_path_that_is_none_leaves_no_directories),
        CLAIM(directories_that_were_there_stay),
        CLAIM(a_name_too_long_leaves_no_directories),
        CLAIM(a_file_that_is_no_store_stays_and_gets_no_lock),
        CLAIM(a_store_in_use_keeps_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
