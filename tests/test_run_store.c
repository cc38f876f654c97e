/* A run on a store whose values are damaged, or were written under other limits, as claims: it says which value, and what to do.
 * SPDX-License-Identifier: Apache-2.0 */
#include "run_weir.h"

#include <sys/stat.h>

static void write_logs(const struct run_weir *r, const char *name, unsigned hosts, unsigned minute)
{
    char path[128];
    snprintf(path, sizeof path, "%s/logs", r->folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/logs/%s", r->folder, name);
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    for (unsigned i = 0; i < hosts; i++)
        fprintf(out, "2 123456789012 eni-%08x 10.0.1.%u 203.0.113.9 40000 443 6 9 9000 %u %u ACCEPT OK\n", i, i + 1, 1772409600 + 60 * minute,
                1772409660 + 60 * minute);
    fclose(out);
}

static void run_logs(struct run_weir *r, const char *variable)
{
    char path[64];
    snprintf(path, sizeof path, "%s/logs", r->folder);
    run_batch_any(r, path, (char *)(uintptr_t)variable);
}

static void spoil(const struct run_weir *r, char kind, const char *id)
{
    struct store *store = NULL;
    struct fault fault;
    if (store_open(r->url, STORE_READ_WRITE, &store, &fault) || store_begin(store, &fault) || store_put(store, kind, id, SLICE_LIT("rotten"), &fault) ||
        store_commit(store, &fault))
        fail_msg("%s", fault.text);
    store_close(store);
}

/* Day 20514 is 5022; all 256 buckets of its hosts. */
static void damaged_sums_of_an_open_day_stop_the_run_and_are_named(void **state)
{
    struct run_weir *r = *state;
    write_logs(r, "a.log", 1, 0);
    run_logs(r, NULL);
    assert_int_equal(r->rc, APP_DONE);
    spoil(r, 'w', "502200");
    write_logs(r, "b.log", 1, 1);
    run_logs(r, NULL);
    assert_non_null(strstr(r->err, "store value 'w:502200', sums of an open day, is damaged: restore a copy of the store, or begin a new one"));
    assert_int_not_equal(r->rc, APP_DONE);
}

static void a_damaged_index_of_a_day_costs_places_and_not_the_run(void **state)
{
    struct run_weir *r = *state;
    write_logs(r, "a.log", 1, 0);
    run_logs(r, NULL);
    assert_int_equal(r->rc, APP_DONE);
    spoil(r, 'l', "5022");
    write_logs(r, "b.log", 1, 1);
    run_logs(r, NULL);
    assert_int_equal(r->rc, APP_DONE);
    assert_non_null(strstr(r->err, "index of a day damaged"));
    assert_non_null(strstr(r->err, "l:5022"));
}

static void fewer_host_days_than_are_open_is_a_fault_of_the_configuration(void **state)
{
    struct run_weir *r = *state;
    write_logs(r, "a.log", 50, 0);
    run_logs(r, NULL);
    write_logs(r, "b.log", 1, 1);
    run_logs(r, "WEIR_WINDOW_MAX_HOSTS=10");
    assert_int_equal(r->rc, APP_USAGE);
    assert_non_null(strstr(r->err, "more host-days than 'window.max_hosts'"));
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, run_begin, run_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(damaged_sums_of_an_open_day_stop_the_run_and_are_named),
        CLAIM(a_damaged_index_of_a_day_costs_places_and_not_the_run),
        CLAIM(fewer_host_days_than_are_open_is_a_fault_of_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
