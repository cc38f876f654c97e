/* Claims about `weir findings` and `weir explain` on a real store file with three findings, one of them changed once.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "app/outbox.h"
#include "app/pipeline.h"
#include "facts.h"
#include "weir/app.h"

static char folder[] = "/tmp/weir-findings-XXXXXX", url[64], path[48];
static char uid[3][FINDING_UID_MAX];
static char *home[] = {"HOME=/nonexistent", NULL};
static char *out, *err;
static int rc;

/* Finding i of one day: host 10.0.1.10+i, `bytes` to 200.160.0.8+i, `days` later. */
static void put_finding(struct store *s, size_t i, uint64_t bytes, int days)
{
    struct facts x;
    struct buffer json;
    struct fault fault;
    facts_init(&x);
    x.f.host.lo += i;
    x.peer[0].peer.lo += i;
    x.peer[0].bytes = bytes;
    x.day[0].day_s += (int64_t)days * DAY_S;
    x.peer[0].first_s += (int64_t)days * DAY_S;
    x.peer[0].last_s += (int64_t)days * DAY_S;
    buffer_init(&json, 1u << 20);
    assert_int_equal(finding_encode(&x.f, 1, &json), WEIR_OK);
    finding_uid(&x.f, uid[i]);
    assert_int_equal(store_put_finding(s, uid[i] + 4, (struct slice){json.p, json.n}, &fault), WEIR_OK);
    buffer_fini(&json);
}

static int make_store(void **state)
{
    (void)state;
    struct store *s;
    struct fault fault;
    struct ledger_entry entry = {.path = SLICE_LIT("/logs/a\033[2J.gz"), .key = SLICE_LIT("a.gz")};
    entry.id.b[0] = 1;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/weir.db", folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    if (store_open(url, STORE_READ_WRITE, &s, &fault)) fail_msg("%s", fault.text);
    assert_int_equal(store_begin(s, &fault), WEIR_OK);
    put_finding(s, 0, 50000000, 0);
    put_finding(s, 1, 200000000, 1);
    put_finding(s, 2, 2000000, 2);
    put_finding(s, 0, FACTS_BYTES, 0);
    assert_int_equal(ledger_put(s, &entry, &fault), WEIR_OK);
    assert_int_equal(store_commit(s, &fault), WEIR_OK);
    store_close(s);
    return 0;
}

static int drop_store(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static int done(void **state)
{
    (void)state;
    free(out);
    free(err);
    out = err = NULL;
    return 0;
}

static void run(const char *const *words, size_t n)
{
    char *argv[16] = {"weir"};
    size_t out_n, err_n;
    free(out);
    free(err);
    FILE *o = open_memstream(&out, &out_n), *e = open_memstream(&err, &err_n);
    assert_true(o && e && n < 15);
    for (size_t i = 0; i < n; i++) argv[i + 1] = (char *)(uintptr_t)words[i];
    rc = app_main((int)n + 1, argv, home, o, e);
    fclose(o);
    fclose(e);
}
#define WEIR(...) run((const char *const[]){__VA_ARGS__}, WEIR_COUNT(((const char *const[]){__VA_ARGS__})))

static void says(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("'%s' is not in: %s%s", part, out, err);
}

/* How many findings pass these options. */
static size_t count(const char *option, const char *value)
{
    WEIR("findings", "--store", url, "--format=json", option, value);
    assert_int_equal(rc, APP_DONE);
    json_t *all = json_loads(out, 0, NULL);
    assert_true(json_is_array(all));
    size_t n = json_array_size(all);
    json_decref(all);
    return n;
}

static void lists_each_finding_once_in_its_present_state(void **state)
{
    (void)state;
    WEIR("findings", "--store", url, "--format=csv");
    assert_int_equal(rc, APP_DONE);
    says(out, ",41095890520,");
    assert_null(strstr(out, ",50000000,"));
    size_t lines = 0;
    for (const char *p = out; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 4);
}

static void severity_means_at_least(void **state)
{
    (void)state;
    assert_int_equal(count("--severity", "low"), 3);
    assert_int_equal(count("--severity", "critical"), 1);
    assert_int_equal(count("--severity", "CRITICAL"), 1);
}

static void the_table_offers_a_command_that_finds_the_same_store(void **state)
{
    (void)state;
    char hint[256];
    snprintf(hint, sizeof hint, "    weir explain --store %s %.16s\n", url, uid[0]);
    WEIR("findings", "--store", url);
    says(out, hint);
}

static void filters_by_host_and_peer_however_the_address_is_written(void **state)
{
    (void)state;
    assert_int_equal(count("--host", "10.0.1.11"), 1);
    assert_int_equal(count("--host", "::ffff:10.0.1.11"), 1);
    assert_int_equal(count("--host", "10.0.1.99"), 0);
    assert_int_equal(count("--peer", "200.160.0.10"), 1);
    assert_int_equal(count("--peer", "10.0.1.10"), 0);
}

static void filters_by_time(void **state)
{
    (void)state;
    assert_int_equal(count("--since", "2026-03-03"), 2);
    assert_int_equal(count("--since", "2026-03-02T10:40:00Z"), 3);
    assert_int_equal(count("--since", "2026-03-02T10:40:01Z"), 2);
    assert_int_equal(count("--until", "2026-03-02T09:10:00Z"), 0);
    assert_int_equal(count("--until", "2026-03-03"), 1);
}

static void a_value_that_makes_no_sense_is_a_usage_error_that_names_it(void **state)
{
    (void)state;
    static const char *const bad[][2] = {{"--severity", "hihg"}, {"--host", "10.0.1"}, {"--peer", "x"}, {"--since", "yesterday"}, {"--until", "2026-13-01"}};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        WEIR("findings", "--store", url, bad[i][0], bad[i][1]);
        assert_int_equal(rc, APP_USAGE);
        says(err, bad[i][0]);
        says(err, bad[i][1]);
        assert_string_equal(out, "");
    }
}

static void a_store_that_is_not_there_is_a_usage_error_with_advice(void **state)
{
    (void)state;
    static const char *const commands_to_try[] = {"findings", "explain"};
    for (size_t i = 0; i < 2; i++) {
        if (i)
            WEIR(commands_to_try[i], "--store", "sqlite:/nonexistent/weir.db", "wf1-123456");
        else
            WEIR(commands_to_try[i], "--store", "sqlite:/nonexistent/weir.db");
        assert_int_equal(rc, APP_USAGE);
        says(err, "weir batch PATH");
    }
}

static void explains_by_uid_or_its_beginning(void **state)
{
    (void)state;
    char begin[16];
    snprintf(begin, sizeof begin, "%.10s", uid[0]);
    WEIR("explain", "--store", url, uid[0]);
    assert_int_equal(rc, APP_DONE);
    says(out, "sum: 7 records in 1 object, 41,095,890,520 bytes = the claim");
    char *whole = strdup(out);
    WEIR("explain", "--store", url, begin);
    assert_string_equal(out, whole);
    WEIR("explain", "--store", url, begin + 4);
    assert_string_equal(out, whole);
    free(whole);
}

static void explain_names_objects_as_the_ledger_does(void **state)
{
    (void)state;
    WEIR("explain", "--store", url, uid[0]);
    says(out, "/logs/a\\x1b[2J.gz");
}

static void explain_in_another_format_is_the_finding_itself(void **state)
{
    (void)state;
    WEIR("explain", "--store", url, "--format=ocsf", uid[1]);
    assert_int_equal(rc, APP_DONE);
    assert_memory_equal(out, "{\"class_uid\":2004,", 18);
}

static void an_unknown_id_names_the_nearest(void **state)
{
    (void)state;
    char wrong[FINDING_UID_MAX];
    memcpy(wrong, uid[2], sizeof wrong);
    wrong[10] = wrong[10] == '0' ? '1' : '0';
    WEIR("explain", "--store", url, wrong);
    assert_int_equal(rc, APP_FAILED);
    says(err, uid[2]);
}

static void what_cannot_be_an_id_is_a_usage_error(void **state)
{
    (void)state;
    static const char *const bad[] = {"wf1-12345", "12345", "wf1-ABCDEF", "../../etc", "wf1-12345g", "\033[2J"};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++) {
        WEIR("explain", "--store", url, bad[i]);
        assert_int_equal(rc, APP_USAGE);
        assert_null(strchr(err, '\033'));
    }
}

static void an_ambiguous_beginning_lists_what_it_begins(void **state)
{
    (void)state;
    struct store *s;
    struct fault fault;
    char other[STORE_ID_MAX + 1];
    snprintf(other, sizeof other, "%.32s", uid[1] + 4);
    other[31] = other[31] == '0' ? '1' : '0';
    assert_int_equal(store_open(url, STORE_READ_WRITE, &s, &fault), WEIR_OK);
    assert_int_equal(store_begin(s, &fault), WEIR_OK);
    assert_int_equal(store_put_finding(s, other, SLICE_LIT("{}"), &fault), WEIR_OK);
    assert_int_equal(store_commit(s, &fault), WEIR_OK);
    store_close(s);
    other[8] = 0;
    WEIR("explain", "--store", url, other);
    assert_int_equal(rc, APP_FAILED);
    says(err, "2 findings");
    says(err, uid[1]);
}

static void folds_many_versions_of_many_findings(void **state)
{
    (void)state;
    enum { FINDINGS = 700, VERSIONS = 5 };
    struct store *s;
    struct fault fault;
    struct outbox all;
    assert_int_equal(store_open("sqlite::memory:", STORE_READ_WRITE, &s, &fault), WEIR_OK);
    assert_int_equal(store_begin(s, &fault), WEIR_OK);
    for (unsigned i = 0; i < FINDINGS * VERSIONS; i++) {
        char id[9];
        snprintf(id, sizeof id, "%08x", i % FINDINGS);
        assert_int_equal(store_put_finding(s, id, SLICE_LIT("{}"), &fault), WEIR_OK);
    }
    assert_int_equal(store_commit(s, &fault), WEIR_OK);
    assert_int_equal(outbox_fold(s, &all, &fault), WEIR_OK);
    assert_int_equal(all.n, FINDINGS);
    for (size_t i = 1; i < all.n; i++) assert_true(all.entry[i].seq == all.entry[i - 1].seq + 1);
    assert_true(all.entry[0].seq - 1 == FINDINGS * (VERSIONS - 1));
    outbox_fini(&all);
    store_close(s);
}

#define CLAIM(f) cmocka_unit_test_teardown(f, done)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(lists_each_finding_once_in_its_present_state),
        CLAIM(severity_means_at_least),
        CLAIM(the_table_offers_a_command_that_finds_the_same_store),
        CLAIM(filters_by_host_and_peer_however_the_address_is_written),
        CLAIM(filters_by_time),
        CLAIM(a_value_that_makes_no_sense_is_a_usage_error_that_names_it),
        CLAIM(a_store_that_is_not_there_is_a_usage_error_with_advice),
        CLAIM(explains_by_uid_or_its_beginning),
        CLAIM(explain_names_objects_as_the_ledger_does),
        CLAIM(explain_in_another_format_is_the_finding_itself),
        CLAIM(an_unknown_id_names_the_nearest),
        CLAIM(what_cannot_be_an_id_is_a_usage_error),
        CLAIM(an_ambiguous_beginning_lists_what_it_begins),
        CLAIM(folds_many_versions_of_many_findings),
    };
    return cmocka_run_group_tests_name("findings_command", tests, make_store, drop_store);
}
