/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes on a log scale, and rings of daily values.
 * Worked example: 40 GB is lg(40e9) = log2(1 + 40e9/65536) = 19.22 octaves, kept as 154 eighths. */
#include "weir/baseline.h"

#include <math.h>
#include <string.h>

#define LG_UNIT 65536.0
#define EIGHTHS 8.0

double lg_bytes(uint64_t bytes) { return log2(1.0 + (double)bytes / LG_UNIT); }

uint8_t lg_eighths(double octaves)
{
    double v = floor(octaves * EIGHTHS + 0.5);
    return v >= 255.0 ? 255 : v <= 0.0 ? 0 : (uint8_t)v;
}

uint8_t lg_round(uint64_t bytes) { return lg_eighths(lg_bytes(bytes)); }

double lg_unround(uint8_t v) { return (double)v / EIGHTHS; }

uint64_t lg_to_bytes(double octaves)
{
    double bytes = floor((exp2(octaves) - 1.0) * LG_UNIT + 0.5);
    return bytes >= 18446744073709549568.0 ? UINT64_MAX : bytes <= 0 ? 0 : (uint64_t)bytes;
}

uint8_t ring_rank(const struct ring *r, unsigned rank)
{
    uint8_t v[BASELINE_RING];
    if (rank >= r->n)
        return 0;
    memcpy(v, r->v, r->n);
    for (unsigned i = 0; i <= rank; i++) /* a few selections on at most 28 values */
        for (unsigned k = i + 1; k < r->n; k++)
            if (v[k] > v[i]) {
                uint8_t t = v[i];
                v[i] = v[k];
                v[k] = t;
            }
    return v[rank];
}

void ring_push(struct ring *r, uint8_t v)
{
    if (r->n == BASELINE_RING)
        memmove(r->v, r->v + 1, BASELINE_RING - 1);
    else
        r->n++;
    r->v[r->n - 1] = v;
}

#define FEATURE_WORD(id, word, text) word,
const char *baseline_feature_word(enum baseline_feature f)
{
    static const char *const words[] = {FEATURE_LIST(FEATURE_WORD)};
    return f < FEATURE_COUNT ? words[f] : "?";
}
