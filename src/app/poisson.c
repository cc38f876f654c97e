/* SPDX-License-Identifier: Apache-2.0 */
/* The interval of a count: low is the mean that reaches k or more in 2.5 % of cases, high the one that stays at k or below in 2.5 %.
 * Found by bisection on the sum of the Poisson terms; from 1,000 on by Wilson and Hilferty's cube, good to four digits there.
 * Source: Garwood, "Fiducial limits for the Poisson distribution", Biometrika 1936. */
#include <math.h>

#include "app/budget_tool.h"

#define TAIL 0.025
#define NORMAL_QUANTILE 1.959964
#define MANY 1000

/* P(count <= k) of a mean. */
static double at_most(uint64_t k, double mean)
{
    double sum = 0;
    for (uint64_t i = 0; i <= k; i++)
        sum += exp((double)i * log(mean) - mean - lgamma((double)i + 1));
    return sum;
}

/* The mean at which at_most(k) is p: it falls as the mean grows. */
static double mean_of(uint64_t k, double p)
{
    double low = 1e-9, high = 10 + 3 * (double)k;
    for (unsigned i = 0; i < 100; i++) {
        double mid = (low + high) / 2;
        if (at_most(k, mid) > p)
            low = mid;
        else
            high = mid;
    }
    return (low + high) / 2;
}

/* Half of the chi-square quantile of 2n degrees. */
static double cube(double n, double quantile) { return n * pow(1 - 1 / (9 * n) + quantile / (3 * sqrt(n)), 3); }

void poisson_interval(uint64_t k, double *low, double *high)
{
    if (k >= MANY) {
        *low = cube((double)k, -NORMAL_QUANTILE);
        *high = cube((double)k + 1, NORMAL_QUANTILE);
        return;
    }
    *low = k ? mean_of(k - 1, 1 - TAIL) : 0;
    *high = mean_of(k, TAIL);
}
