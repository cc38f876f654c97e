/* base, the growing array, as claims.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <weir/base.h>

static void keeps_what_it_holds_while_it_grows(void **state)
{
    (void)state;
    uint64_t *v = NULL;
    size_t cap = 0;
    for (size_t n = 0; n < 1000; n++) {
        v = array_grow(v, &cap, n, sizeof *v);
        assert_true(v && cap > n);
        v[n] = n;
    }
    for (size_t n = 0; n < 1000; n++)
        assert_int_equal(v[n], n);
    free(v);
}

static void moves_only_when_full(void **state)
{
    (void)state;
    size_t cap = 0;
    char *v = array_grow(NULL, &cap, 0, 1);
    for (size_t n = 1; n < cap; n++)
        assert_ptr_equal(array_grow(v, &cap, n, 1), v);
    free(v);
}

static void a_size_past_the_address_space_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    size_t cap = SIZE_MAX / 8;
    assert_null(array_grow(NULL, &cap, cap, 64));
    assert_int_equal(cap, SIZE_MAX / 8);
    cap = SIZE_MAX / 2 + 1; /* doubled it would be 0 */
    assert_null(array_grow(NULL, &cap, cap, 1));
    assert_int_equal(cap, SIZE_MAX / 2 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_it_holds_while_it_grows),
        cmocka_unit_test(moves_only_when_full),
        cmocka_unit_test(a_size_past_the_address_space_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
