/* What a run leaves for the next one, as claims.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/pipeline.h"

static void every_open_finding_is_remembered(void **state)
{
    (void)state;
    struct run_state before = {.closed_through = 7}, after;
    struct store *store = NULL;
    struct fault fault;
    enum { MANY = 100000 };
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(run_state_add_finding(&before, i * 3), WEIR_OK);
    if (store_open("sqlite::memory:", STORE_READ_WRITE, &store, &fault) || store_begin(store, &fault) || run_state_put(store, &before, &fault) ||
        store_commit(store, &fault) || run_state_get(store, &after, &fault))
        fail_msg("%s", fault.text);
    assert_int_equal(after.open_findings, MANY);
    assert_memory_equal(after.open_finding, before.open_finding, MANY * sizeof *after.open_finding);
    store_close(store);
    run_state_free(&before);
    run_state_free(&after);
}

static void a_host_has_one_open_finding_whatever_the_order(void **state)
{
    (void)state;
    struct run_state st = {.closed_through = 7};
    const uint64_t host[] = {5, 1, 9, 1, 5, 0, UINT64_MAX, 9}, kept[] = {0, 1, 5, 9, UINT64_MAX};
    for (size_t i = 0; i < WEIR_COUNT(host); i++)
        assert_int_equal(run_state_add_finding(&st, host[i]), WEIR_OK);
    assert_int_equal(st.open_findings, WEIR_COUNT(kept));
    assert_memory_equal(st.open_finding, kept, sizeof kept);
    run_state_free(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_open_finding_is_remembered),
        cmocka_unit_test(a_host_has_one_open_finding_whatever_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
