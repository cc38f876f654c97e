/* Well-formed UTF-8 only (Unicode standard, table 3-7): the second byte's range depends on the first, which shuts out
 * overlong forms, surrogates and numbers past U+10FFFF. An overlong '<' is how escapers get fooled. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second <= 0x9f;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second <= 0x8f;
    default: return true;
    }
}

size_t utf8_next(struct slice s, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = s.n ? length_of(p[0]) : 0;
    if (n == 0 || n > s.n)
        return 0;
    uint32_t v = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3f);
    }
    if (n > 1 && !second_fits(p[0], p[1]))
        return 0;
    *code = v;
    return n;
}
