/* SPDX-License-Identifier: Apache-2.0 */
/* What a host usually sends in each hour of a day, for pictures: the expectation and the spread of hour-volume, without its floor.
 *
 *   usual = 2^expected, high = 2^(expected + 2 spread)        two spreads: a benign hour in some twenty lies above */
#include <math.h>

#include "score_private.h"

#define SPREADS 2

bool score_hour_band(const struct score_model *m, const struct baseline *b, uint16_t day, uint64_t usual[24], uint64_t high[24])
{
    double expected = 0;
    for (unsigned h = 0; h < 24; h++) {
        if (!profile_expect(&b->profile, day, h, &expected))
            return false;
        double spread = fmax(profile_spread(&b->profile, h, m->hour_spread, m->hour_weight, m->hour_of_host), m->hour_least);
        usual[h] = lg_to_bytes(expected);
        high[h] = lg_to_bytes(expected + SPREADS * spread);
    }
    return true;
}
