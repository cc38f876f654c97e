/* window without memory, as claims: what cannot be kept for lack of it is never counted as folded, the merge refuses. A pool or an array
 * that is as large as an index can tell behaves as one that memory has no room for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "window_make.h"

#include "window/table.h"

#define HOST "10.0.1.5"
#define FAR "203.0.113.5"

static struct window *with_one_flow(uint32_t *interface_of)
{
    struct window *w = window_usual();
    *interface_of = interface(w, "eni-1", "fl-1");
    charge(w, *interface_of, flow(HOST, FAR, 1000));
    return w;
}

static void refuses(struct window *w)
{
    struct window *run = window_usual();
    assert_int_equal(window_merge(run, w), WEIR_NOMEM);
    window_free(run);
    window_free(w);
}

static void an_hour_without_memory_is_no_folded_one(void **state)
{
    (void)state;
    uint32_t k, used;
    struct window *w = with_one_flow(&k);
    used = w->pool_n;
    w->pool_n = UINT32_MAX - 64;
    charge(w, k, later(flow(HOST, FAR, 1000), HOUR_S));
    w->pool_n = used;
    assert_int_equal(window_stats(w).folded, 0);
    refuses(w);
}

static void a_cell_without_memory_refuses_the_merge(void **state)
{
    (void)state;
    uint32_t k, used, cap;
    struct window *w = with_one_flow(&k);
    used = w->cells;
    cap = w->cells_cap;
    w->cells = w->cells_cap = UINT32_MAX - 64;
    struct flow other = flow(HOST, "198.51.100.7", 1000);
    assert_int_not_equal(window_add(w, k, &other, FLOW_CHARGED), WEIR_OK);
    w->cells = used;
    w->cells_cap = cap;
    refuses(w);
}

static void a_row_without_memory_refuses_the_merge(void **state)
{
    (void)state;
    uint32_t k, used, cap;
    struct window *w = with_one_flow(&k);
    used = w->rows;
    cap = w->rows_cap;
    w->rows = w->rows_free = UINT32_MAX - 64;
    struct flow other = flow("10.0.1.6", FAR, 1000);
    assert_int_not_equal(window_add(w, k, &other, FLOW_CHARGED), WEIR_OK);
    w->rows = used;
    w->rows_free = 0;
    w->rows_cap = cap;
    refuses(w);
}

static void the_next_object_begins_without_that(void **state)
{
    (void)state;
    uint32_t k;
    struct window *w = with_one_flow(&k), *run = window_usual();
    w->nomem = true;
    window_reuse(w);
    charge(w, k, flow(HOST, FAR, 1000));
    assert_int_equal(window_merge(run, w), WEIR_OK);
    window_free(run);
    window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_without_memory_is_no_folded_one),
        cmocka_unit_test(a_cell_without_memory_refuses_the_merge),
        cmocka_unit_test(a_row_without_memory_refuses_the_merge),
        cmocka_unit_test(the_next_object_begins_without_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
