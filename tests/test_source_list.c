/* Names, places and order of objects: provenance from the file name in every key layout (formats 1.4, 7.4 D6 to D9), and the
 * canonical list. */
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/source.h>

#define NAME "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d4e5f60718_20240419T2355Z_7a4fd73e.log.gz"
#define PLAIN "AWSLogs/123456789012/vpcflowlogs/eu-central-1/2024/04/19/"
#define HIVE "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-central-1/year=2024/month=04/day=19/"
#define BUCKET_S 1713570900 /* 2024-04-19T23:55Z */

static void assert_slice(struct slice s, const char *want)
{
    assert_int_equal(s.n, strlen(want));
    if (s.n)
        assert_memory_equal(s.p, want, s.n);
}

static void expect_provenance(const char *path, const char *key, bool disagrees)
{
    struct provenance p;
    struct slice k;
    provenance_parse(path, &p, &k);
    assert_slice(k, key);
    assert_slice(p.account, "123456789012");
    assert_slice(p.region, "eu-central-1");
    assert_slice(p.flow_log, "fl-0a1b2c3d4e5f60718");
    assert_int_equal(p.bucket_s, BUCKET_S);
    assert_int_equal(p.folder_disagrees, disagrees);
}

static void expect_no_provenance(const char *path)
{
    struct provenance p;
    struct slice k;
    provenance_parse(path, &p, &k);
    assert_int_equal(p.account.n + p.region.n + p.flow_log.n, 0);
    assert_int_equal(p.bucket_s, 0);
    assert_false(p.folder_disagrees);
    assert_true(k.n > 0);
}

static void reads_all_four_key_layouts_with_and_without_prefix(void **state)
{
    (void)state;
    static const char *const layouts[] = {PLAIN, PLAIN "23/", HIVE, HIVE "hour=23/"};
    static const char *const prefixes[] = {"", "/", "logs/of/2021/07/", "./s3/bucket/team-a/", "/var/AWSLogs/old/"};
    for (size_t l = 0; l < WEIR_COUNT(layouts); l++) {
        for (size_t p = 0; p < WEIR_COUNT(prefixes); p++) {
            char path[512], key[512];
            snprintf(path, sizeof path, "%s%s%s", prefixes[p], layouts[l], NAME);
            snprintf(key, sizeof key, "%s%s", layouts[l], NAME);
            expect_provenance(path, key, false);
        }
    }
}

static void reads_a_name_without_any_folder(void **state)
{
    (void)state;
    expect_provenance(NAME, NAME, false);
    expect_provenance("copies/" NAME, NAME, false);
}

static void key_begins_at_a_whole_folder_name(void **state)
{
    (void)state;
    expect_provenance("myAWSLogs/" NAME, NAME, false);
}

static void the_name_wins_over_another_day_in_the_folder(void **state)
{
    (void)state;
    expect_provenance("AWSLogs/123456789012/vpcflowlogs/eu-central-1/2024/04/20/" NAME,
                      "AWSLogs/123456789012/vpcflowlogs/eu-central-1/2024/04/20/" NAME, true);
    expect_provenance("x/year=2023/month=04/day=19/" NAME, NAME, true);
    expect_provenance("x/2024/05/19/" NAME, NAME, true);
}

static void the_name_wins_over_another_hour_in_the_folder(void **state)
{
    (void)state;
    expect_provenance(PLAIN "22/" NAME, PLAIN "22/" NAME, true);
    expect_provenance(HIVE "hour=00/" NAME, HIVE "hour=00/" NAME, true);
}

static void folders_that_are_no_dates_disagree_with_nothing(void **state)
{
    (void)state;
    expect_provenance("7/" NAME, NAME, false);
    expect_provenance("a/b/23/" NAME, NAME, false);
    expect_provenance("2024/4/20/" NAME, NAME, false);
}

static void reads_parquet_and_plain_suffixes(void **state)
{
    (void)state;
    struct provenance p;
    struct slice k;
    provenance_parse("123456789012_vpcflowlogs_us-gov-west-1_fl-0a1b2c3d_20180620T1620Z_fe123456.log.parquet", &p, &k);
    assert_slice(p.region, "us-gov-west-1");
    assert_slice(p.flow_log, "fl-0a1b2c3d");
    assert_int_equal(p.bucket_s, 1529511600);
    provenance_parse("123456789012_vpcflowlogs_us-gov-west-1_fl-0a1b2c3d_20180620T1620Z_fe123456.log", &p, &k);
    assert_int_equal(p.bucket_s, 1529511600);
}

static void finds_no_provenance_in_other_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "-", "a.log.gz", "000000.gz", "_____.log.gz", ".log.gz", "dir/flow logs.log",
        "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20240419T2355Z_7a4fd73e.gz",
        "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20240419T2455Z_7a4fd73e.log.gz",
        "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20241319T2355Z_7a4fd73e.log.gz",
        "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20240419 2355Z_7a4fd73e.log.gz",
        "123456789012_vpcflowlogs_eu-central-1_xx-0a1b2c3d_20240419T2355Z_7a4fd73e.log.gz",
        "123456789012_vpcflowlogs_eu_central_1_fl-0a1b2c3d_20240419T2355Z_7a4fd73e.log.gz",
        "123456789012_vpcflowlogs_eu-central-1_fl-_20240419T2355Z_7a4fd73e.log.gz",
        "123456789012_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20240419T2355Z_.log.gz",
        "123456789012_elasticloadbalancing_eu-central-1_app.x.1_20240419T2355Z_10.0.0.1_4ab.log.gz",
        "12345678901_vpcflowlogs_eu-central-1_fl-0a1b2c3d_20240419T2355Z_7a4fd73e.log.gz",
    };
    for (size_t i = 0; i < WEIR_COUNT(names); i++)
        expect_no_provenance(names[i]);
}

/* ---- a folder of its own for each test ---- */
static char top[64];

static int make_top(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/weir-list-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static int remove_top(void **state)
{
    (void)state;
    char command[192];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", top, top);
    return system(command);
}

static const char *under(const char *name)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, 4096, "%s/%s", top, name);
    return path;
}

static void put_file(const char *name)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", under(name));
    for (char *p = folder + strlen(top) + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
        *p = '\0';
        mkdir(folder, 0700);
    }
    int fd = open(under(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "abc", 3), 3);
    close(fd);
}

static struct object_list *list_of(const char *path)
{
    struct object_list *list = object_list_new(NULL);
    struct fault fault = {0};
    assert_non_null(list);
    assert_int_equal(object_list_add(list, path, &fault), WEIR_OK);
    object_list_sort(list);
    return list;
}

static void finds_every_file_below_a_directory(void **state)
{
    (void)state;
    put_file(PLAIN NAME);
    put_file("deep/er/and/deeper/x.log");
    put_file("y.gz");
    struct object_list *list = list_of(top);
    assert_int_equal(object_list_count(list), 3);
    assert_int_equal(object_list_bytes(list), 9);
    assert_string_equal(object_list_at(list, 0)->path, under(PLAIN NAME));
    assert_slice(object_list_at(list, 0)->key, PLAIN NAME);
    assert_int_equal(object_list_at(list, 0)->size_bytes, 3);
    assert_string_equal(object_list_at(list, 1)->path, under("deep/er/and/deeper/x.log"));
    assert_slice(object_list_at(list, 2)->key, "y.gz");
    assert_null(object_list_at(list, 3));
    object_list_free(list);
}

static void skips_files_known_not_to_be_logs_and_counts_them(void **state)
{
    (void)state;
    static const char *const quiet[] = {"aws-logs-write-test", "_SUCCESS", ".DS_Store", ".hidden/a.log.gz", "manifest.json",
                                        "a/manifest.checksum", "labels.jsonl", "README.md", "2024-manifest.json"};
    for (size_t i = 0; i < WEIR_COUNT(quiet); i++)
        put_file(quiet[i]);
    put_file("a/real.log.gz");
    struct object_list *list = list_of(top);
    assert_int_equal(object_list_count(list), 1);
    assert_int_equal(object_list_skipped(list).quiet, WEIR_COUNT(quiet));
    object_list_free(list);
}

static void takes_a_file_that_the_user_names_whatever_its_name(void **state)
{
    (void)state;
    put_file(".hidden.md");
    struct object_list *list = list_of(under(".hidden.md"));
    assert_int_equal(object_list_count(list), 1);
    object_list_free(list);
}

static void counts_links_fifos_and_sockets_and_takes_none(void **state)
{
    (void)state;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", top);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    put_file("a/real.log");
    assert_int_equal(symlink("a/real.log", under("link.log")), 0);
    assert_int_equal(symlink(".", under("loop")), 0);
    assert_int_equal(mkfifo(under("fifo.log"), 0600), 0);
    struct object_list *list = list_of(top);
    assert_int_equal(object_list_count(list), 1);
    assert_int_equal(object_list_skipped(list).not_regular, 4);
    close(fd);
    object_list_free(list);
}

static void counts_a_folder_that_may_not_be_read(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        print_message("skipped: root may read every folder\n");
        skip();
    }
    put_file("locked/a.log");
    assert_int_equal(chmod(under("locked"), 0), 0);
    struct object_list *list = list_of(top);
    assert_int_equal(object_list_skipped(list).unreadable, 1);
    object_list_free(list);
}

static void follows_a_link_that_the_user_names(void **state)
{
    (void)state;
    put_file("real/a.log");
    assert_int_equal(symlink("real", under("link")), 0);
    struct object_list *list = list_of(under("link"));
    assert_int_equal(object_list_count(list), 1);
    assert_string_equal(object_list_at(list, 0)->path, under("link/a.log"));
    object_list_free(list);
}

static void says_what_is_wrong_with_a_path(void **state)
{
    (void)state;
    struct object_list *list = object_list_new(NULL);
    struct fault fault = {0};
    assert_int_equal(object_list_add(list, under("nothing"), &fault), WEIR_NOTFOUND);
    assert_non_null(strstr(fault.text, "nothing"));
    assert_int_equal(mkfifo(under("pipe"), 0600), 0);
    assert_int_equal(object_list_add(list, under("pipe"), &fault), WEIR_UNSUPPORTED);
    assert_non_null(strstr(fault.text, "FIFO"));
    assert_int_equal(object_list_add(list, "/dev/null", &fault), WEIR_UNSUPPORTED);
    assert_non_null(strstr(fault.text, "device"));
    assert_int_equal(object_list_count(list), 0);
    object_list_free(list);
}

static void order_is_the_same_whatever_the_order_of_the_paths(void **state)
{
    (void)state;
    static const char *const names[] = {
        "b/123456789012_vpcflowlogs_us-east-1_fl-0a1b2c3d_20240102T0000Z_01.log.gz",
        "c/123456789012_vpcflowlogs_us-east-1_fl-0a1b2c3d_20240101T0000Z_02.log.gz",
        "a/123456789012_vpcflowlogs_us-east-1_fl-0a1b2c3d_20240101T0000Z_03.log.gz",
        "a/z.log", "a/b.log",
    };
    static const size_t sorted[] = {1, 2, 0, 4, 3};
    for (size_t i = 0; i < WEIR_COUNT(names); i++)
        put_file(names[i]);
    for (size_t first = 0; first < WEIR_COUNT(names); first++) {
        struct object_list *list = object_list_new(NULL);
        for (size_t i = 0; i < WEIR_COUNT(names); i++)
            assert_int_equal(object_list_add(list, under(names[(first + i) % WEIR_COUNT(names)]), NULL), WEIR_OK);
        object_list_sort(list);
        for (size_t i = 0; i < WEIR_COUNT(names); i++)
            assert_string_equal(object_list_at(list, i)->path, under(names[sorted[i]]));
        object_list_free(list);
    }
}

static void lists_a_path_once_however_it_is_spelled(void **state)
{
    (void)state;
    put_file("d/a.log");
    struct object_list *list = object_list_new(NULL);
    static const char *const spellings[] = {"d/a.log", "d//a.log", "./d/./a.log", "d", "d/", "d/."};
    for (size_t i = 0; i < WEIR_COUNT(spellings); i++)
        assert_int_equal(object_list_add(list, under(spellings[i]), NULL), WEIR_OK);
    assert_int_equal(object_list_add(list, "-", NULL), WEIR_OK);
    assert_int_equal(object_list_add(list, "-", NULL), WEIR_OK);
    object_list_sort(list);
    assert_int_equal(object_list_count(list), 2);
    assert_int_equal(object_list_bytes(list), 3);
    assert_string_equal(object_list_at(list, 0)->path, "-");
    assert_slice(object_list_at(list, 0)->key, "-");
    object_list_free(list);
}

static void stops_at_the_limit_of_objects(void **state)
{
    (void)state;
    struct source_limits limits = source_default_limits;
    struct fault fault = {0};
    limits.max_objects = 2;
    put_file("a");
    put_file("b");
    put_file("c");
    struct object_list *list = object_list_new(&limits);
    assert_int_equal(object_list_add(list, top, &fault), WEIR_LIMIT);
    assert_int_equal(object_list_count(list), 2);
    object_list_free(list);
}

static void ends_in_a_chain_of_folders_without_end(void **state)
{
    (void)state;
    char name[206];
    for (size_t i = 0; i < 200; i += 2)
        memcpy(name + i, "d/", 2);
    memcpy(name + 200, "a.log", 6);
    put_file(name);
    struct object_list *list = list_of(top);
    assert_int_equal(object_list_count(list), 0);
    assert_int_equal(object_list_skipped(list).unreadable, 1);
    object_list_free(list);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_four_key_layouts_with_and_without_prefix),
        cmocka_unit_test(reads_a_name_without_any_folder),
        cmocka_unit_test(key_begins_at_a_whole_folder_name),
        cmocka_unit_test(the_name_wins_over_another_day_in_the_folder),
        cmocka_unit_test(the_name_wins_over_another_hour_in_the_folder),
        cmocka_unit_test(folders_that_are_no_dates_disagree_with_nothing),
        cmocka_unit_test(reads_parquet_and_plain_suffixes),
        cmocka_unit_test(finds_no_provenance_in_other_names),
        T(finds_every_file_below_a_directory),
        T(skips_files_known_not_to_be_logs_and_counts_them),
        T(takes_a_file_that_the_user_names_whatever_its_name),
        T(counts_links_fifos_and_sockets_and_takes_none),
        T(counts_a_folder_that_may_not_be_read),
        T(follows_a_link_that_the_user_names),
        T(says_what_is_wrong_with_a_path),
        T(order_is_the_same_whatever_the_order_of_the_paths),
        T(lists_a_path_once_however_it_is_spelled),
        T(stops_at_the_limit_of_objects),
        T(ends_in_a_chain_of_folders_without_end),
    };
    return cmocka_run_group_tests_name("source_list", tests, NULL, NULL);
}
