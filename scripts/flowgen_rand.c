/* Chance and addresses. xoshiro256** (Blackman, Vigna 2018) seeded through splitmix64; powers and logarithms are our own polynomials,
 * because libm's last digit differs between versions and a differing digit would be a differing log.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen.h"

#include <arpa/inet.h>
#include <string.h>

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t hash4(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return mix(mix(mix(mix(a) ^ b) ^ c) ^ d);
}

struct rng rng_of(uint64_t seed, uint64_t what, uint64_t who, uint64_t when)
{
    struct rng r;
    uint64_t x = hash4(seed, what, who, when);
    for (int i = 0; i < 4; i++) r.s[i] = x = mix(x);
    return r;
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)(((rng_u64(r) >> 32) * n) >> 32);
}

double unit_of(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1p-53;
}

double rng_unit(struct rng *r)
{
    return unit_of(rng_u64(r));
}

/* Sum of twelve uniform values: close enough to normal for volumes, and exact on every machine. */
static double twelve(uint64_t a, uint64_t b, uint64_t c)
{
    double sum = 0;
    for (int i = 0; i < 64; i += 16) sum += (double)((a >> i) & 0xffff) + (double)((b >> i) & 0xffff) + (double)((c >> i) & 0xffff);
    return sum / 65536 - 6;
}

double rng_normal(struct rng *r)
{
    uint64_t a = rng_u64(r), b = rng_u64(r), c = rng_u64(r);
    return twelve(a, b, c);
}

double normal_of(uint64_t hash)
{
    uint64_t b = mix(hash);
    return twelve(hash, b, mix(b));
}

double pow2(double x)
{
    if (x < -1000) return 0;
    if (x > 1000) x = 1000;
    int whole = (int)x - (x < 0);
    double f = (x - whole) * 0.6931471805599453, term = 1, sum = 1;
    for (int i = 1; i < 16; i++) sum += term *= f / i;
    double base = whole < 0 ? 0.5 : 2;
    for (int n = whole < 0 ? -whole : whole; n; n >>= 1, base *= base)
        if (n & 1) sum *= base;
    return sum;
}

/* log2 by the series of atanh on the mantissa in [1, 2). */
double log_2(double x)
{
    int whole = 0;
    for (; x >= 2; x /= 2) whole++;
    for (; x < 1; x *= 2) whole--;
    double y = (x - 1) / (x + 1), y2 = y * y, power = y, sum = 0;
    for (int i = 1; i < 40; i += 2, power *= y2) sum += power / i;
    return whole + 2 * sum * 1.4426950408889634;
}

uint32_t rng_poisson(struct rng *r, double mean)
{
    if (mean > 64) {
        double root = mean / 8;
        for (int i = 0; i < 20; i++) root = (root + mean / root) / 2;
        double x = mean + root * rng_normal(r) + 0.5;
        return x < 0 ? 0 : (uint32_t)x;
    }
    double limit = pow2(-mean * 1.4426950408889634), product = rng_unit(r);
    uint32_t n = 0;
    for (; product > limit; n++) product *= rng_unit(r);
    return n;
}

static size_t octet_print(unsigned v, char *out)
{
    size_t n = 0;
    if (v >= 100) out[n++] = (char)('0' + v / 100);
    if (v >= 10) out[n++] = (char)('0' + v / 10 % 10);
    out[n++] = (char)('0' + v % 10);
    return n;
}

size_t addr_print(struct addr a, char *out)
{
    if (a.hi) {
        unsigned char raw[16];
        for (int i = 0; i < 8; i++) raw[i] = (unsigned char)(a.hi >> (56 - 8 * i)), raw[8 + i] = (unsigned char)(a.lo >> (56 - 8 * i));
        return inet_ntop(AF_INET6, raw, out, 46) ? strlen(out) : 0;
    }
    size_t n = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        n += octet_print((unsigned)(a.lo >> shift) & 255, out + n);
        out[n++] = shift ? '.' : '\0';
    }
    return n - 1;
}

bool addr_parse(const char *text, struct addr *out)
{
    unsigned char raw[16];
    *out = (struct addr){0, 0};
    if (inet_pton(AF_INET, text, raw) == 1) {
        for (int i = 0; i < 4; i++) out->lo = out->lo << 8 | raw[i];
        return true;
    }
    if (inet_pton(AF_INET6, text, raw) != 1) return false;
    for (int i = 0; i < 8; i++) out->hi = out->hi << 8 | raw[i], out->lo = out->lo << 8 | raw[8 + i];
    return out->hi != 0;
}

struct addr addr_public(uint64_t hash)
{
    static const unsigned char reserved[] = {10, 100, 127, 169, 172, 192, 198, 203};
    for (;; hash = mix(hash)) {
        unsigned first = 1 + (unsigned)((hash >> 32) % 223);
        if (!memchr(reserved, (int)first, sizeof reserved)) return (struct addr){0, (uint64_t)first << 24 | (hash & 0xffffff)};
    }
}
