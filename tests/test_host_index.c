/* The index of hosts and classes: complete, in order, each once, and robust against damage.
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/host_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "weir/app.h"

static struct store *store;

static int open_store(void **state)
{
    (void)state;
    return store_open("sqlite::memory:", STORE_READ_WRITE, &store, NULL) == WEIR_OK ? 0 : -1;
}

static int close_store(void **state)
{
    (void)state;
    store_close(store);
    return 0;
}

static struct host_day day_of(uint64_t id)
{
    return (struct host_day){.host_id = id, .account = SLICE_LIT("123456789012"), .interface = SLICE_LIT("eni-1"), .host = ip_from_v4((uint32_t)id)};
}

/* A closing day that meets these hosts first. */
static void learn(const uint64_t *id, size_t n)
{
    struct host_index *x = host_index_new(store, NULL);
    assert_int_equal(store_begin(store, NULL), WEIR_OK);
    for (size_t i = 0; i < n; i++) {
        struct host_day d = day_of(id[i]);
        assert_int_equal(host_index_add(x, &d, NULL), WEIR_OK);
        assert_int_equal(host_index_add_class(x, 1000 - i % 2, i % 2 ? SLICE_LIT("db") : SLICE_LIT("app"), NULL), WEIR_OK);
    }
    assert_int_equal(host_index_close(x, NULL), WEIR_OK);
    assert_int_equal(store_commit(store, NULL), WEIR_OK);
    host_index_free(x);
}

struct told { uint64_t id[16]; size_t n; char text[64]; };

static enum weir_err tell(void *ctx, const struct host_entry *e)
{
    struct told *t = ctx;
    t->id[t->n++] = e->id;
    snprintf(t->text, sizeof t->text, "%.*s %.*s", (int)e->account.n, e->account.p, (int)e->interface.n, e->interface.p);
    return WEIR_OK;
}

static enum weir_err tell_class(void *ctx, const struct class_name *c)
{
    struct told *t = ctx;
    t->id[t->n++] = c->id;
    size_t at = strlen(t->text);
    snprintf(t->text + at, sizeof t->text - at, "%.*s ", (int)c->name.n, c->name.p);
    return WEIR_OK;
}

static struct told told(void)
{
    struct told t = {.n = 0};
    assert_int_equal(host_index_each(store, tell, &t, NULL), WEIR_OK);
    return t;
}

static void lists_hosts_in_the_order_of_their_ids_each_once(void **state)
{
    (void)state;
    learn((const uint64_t[]){5, 9, 1ULL << 60, UINT64_MAX}, 4);
    learn((const uint64_t[]){1, 9, 1ULL << 60 | 1}, 3);
    const uint64_t all[] = {1, 5, 9, 1ULL << 60, 1ULL << 60 | 1, UINT64_MAX};
    struct told t = told();
    assert_int_equal(t.n, WEIR_COUNT(all));
    assert_memory_equal(t.id, all, sizeof all);
    assert_string_equal(t.text, "123456789012 eni-1");
}

static void lists_classes_with_their_names(void **state)
{
    (void)state;
    learn((const uint64_t[]){1, 2, 3, 4}, 4);
    struct told t = {.n = 0};
    assert_int_equal(class_index_each(store, tell_class, &t, NULL), WEIR_OK);
    assert_int_equal(t.n, 2);
    assert_string_equal(t.text, "db app ");
}

static void an_empty_store_lists_nobody(void **state)
{
    (void)state;
    assert_int_equal(told().n, 0);
}

static void who_is_removed_is_gone_and_nobody_else(void **state)
{
    (void)state;
    learn((const uint64_t[]){1, 2, 3}, 3);
    assert_int_equal(store_begin(store, NULL), WEIR_OK);
    assert_int_equal(host_index_remove(store, 2, NULL), WEIR_OK);
    assert_int_equal(store_commit(store, NULL), WEIR_OK);
    struct told t = told();
    assert_int_equal(t.n, 2);
    assert_int_equal(t.id[0], 1);
    assert_int_equal(t.id[1], 3);
}

static void put_damaged(void)
{
    assert_int_equal(store_begin(store, NULL), WEIR_OK);
    assert_int_equal(store_put(store, 'i', "00", SLICE_LIT("WEIRi damaged"), NULL), WEIR_OK);
    assert_int_equal(store_commit(store, NULL), WEIR_OK);
}

static void damage_is_told_with_its_key(void **state)
{
    (void)state;
    struct fault fault;
    struct told t = {.n = 0};
    put_damaged();
    assert_int_not_equal(host_index_each(store, tell, &t, &fault), WEIR_OK);
    assert_non_null(strstr(fault.text, "'i:00'"));
}

static int64_t no_time(void) { return 0; }

static void damage_costs_the_list_and_not_the_run(void **state)
{
    (void)state;
    FILE *talk = tmpfile();
    struct log *log = log_new(talk, LOG_LEVEL_ERROR, 0, no_time);
    struct host_index *x = host_index_new(store, log);
    struct host_day d = day_of(7);
    put_damaged();
    assert_int_equal(store_begin(store, NULL), WEIR_OK);
    assert_int_equal(host_index_add(x, &d, NULL), WEIR_OK);
    assert_int_equal(host_index_close(x, NULL), WEIR_OK);
    assert_int_equal(store_commit(store, NULL), WEIR_OK);
    assert_int_equal(told().n, 1);
    host_index_free(x);
    log_free(log);
    assert_true(ftell(talk) > 0);
    fclose(talk);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)
    const struct CMUnitTest tests[] = {
        WITH_STORE(lists_hosts_in_the_order_of_their_ids_each_once), WITH_STORE(lists_classes_with_their_names), WITH_STORE(an_empty_store_lists_nobody),
        WITH_STORE(who_is_removed_is_gone_and_nobody_else), WITH_STORE(damage_is_told_with_its_key), WITH_STORE(damage_costs_the_list_and_not_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
