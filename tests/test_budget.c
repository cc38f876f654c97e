/* The interval of a count, against tables of exact Poisson limits (95 %, two-sided).
 * SPDX-License-Identifier: Apache-2.0 */
#include "app/budget_tool.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_interval(uint64_t k, double low, double high)
{
    double l, h;
    poisson_interval(k, &l, &h);
    if (fabs(l - low) > 0.001 * low + 0.0005 || fabs(h - high) > 0.001 * high)
        fail_msg("%llu: %.4f to %.4f", (unsigned long long)k, l, h);
}

static void limits_are_those_of_the_tables(void **state)
{
    (void)state;
    assert_interval(0, 0, 3.6889);
    assert_interval(1, 0.0253, 5.5716);
    assert_interval(2, 0.2422, 7.2247);
    assert_interval(10, 4.7954, 18.3904);
    assert_interval(100, 81.3640, 121.6275);
}

static void large_counts_continue_the_small_ones(void **state)
{
    (void)state;
    double low[2], high[2];
    poisson_interval(999, &low[0], &high[0]);
    poisson_interval(1000, &low[1], &high[1]);
    assert_true(low[1] - low[0] > 0.9 && low[1] - low[0] < 1.1);
    assert_true(high[1] - high[0] > 0.9 && high[1] - high[0] < 1.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_those_of_the_tables),
        cmocka_unit_test(large_counts_continue_the_small_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
