/* How many packets were lost, as bytes: a magic, then three big-endian numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "weir/decode.h"

static const char magic[8] = "WEIRGAP";
#define TIME_MOST_S (1LL << 33)

static void put(uint8_t *to, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof v);
}

static uint64_t get(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, sizeof v);
    return __builtin_bswap64(v);
}

void capture_loss_put(const struct capture_loss *m, uint8_t out[CAPTURE_LOSS_BYTES])
{
    memcpy(out, magic, sizeof magic);
    put(out + 8, m->lost);
    put(out + 16, (uint64_t)m->start_s);
    put(out + 24, (uint64_t)m->end_s);
}

bool capture_loss_get(const uint8_t in[CAPTURE_LOSS_BYTES], struct capture_loss *out)
{
    uint64_t start = get(in + 16), end = get(in + 24);
    if (memcmp(in, magic, sizeof magic) != 0 || start < DAY_S || end < start || end > TIME_MOST_S)
        return false;
    *out = (struct capture_loss){get(in + 8), (int64_t)start, (int64_t)end};
    return true;
}
