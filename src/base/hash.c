/* Hashes. Two families that must not be mixed up: keyed ones with a secret of this process, so that nobody outside
 * can choose keys that collide in our tables, and fixed ones, which give the same ids in every run for ever.
 *
 * hash_u64x2 multiplies to 128 bits and folds (the idea of wyhash and folly's hash_128_to_64): two multiplications.
 * hash_bytes and stable_hash are SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

__extension__ typedef unsigned __int128 u128;

static uint64_t secret[4];

/* Before main, so that the hot path tests nothing. 32 bytes: getrandom gives up to 256 whole once it gives any. */
__attribute__((constructor)) static void draw_secret(void)
{
    if (getrandom(secret, sizeof secret, 0) == (ssize_t)sizeof secret)
        return;
    /* An old kernel or a strict filter: the kernel gave every process 16 random bytes at its start. */
    uint64_t seed[2] = {0, 0};
    const void *given = (const void *)getauxval(AT_RANDOM);
    if (given)
        memcpy(seed, given, sizeof seed);
    for (unsigned i = 0; i < 4; i++)
        secret[i] = stable_mix(seed[i % 2] + i * 0x9e3779b97f4a7c15ULL);
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_u64x2(uint64_t a, uint64_t b)
{
    u128 product = (u128)(a ^ secret[0]) * (b ^ secret[1]);
    return fold((uint64_t)product ^ secret[0], (uint64_t)(product >> 64) ^ secret[1]);
}

static inline uint64_t rotl(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t m, unsigned c)
{
    v[3] ^= m;
    for (unsigned i = 0; i < c; i++)
        sip_round(v);
    v[0] ^= m;
}

/* Up to 8 bytes as a little-endian number, on any machine. */
static inline uint64_t load_le(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint64_t siphash(const uint64_t key[2], unsigned c, unsigned d, const void *bytes, size_t n)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
                     key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
    const unsigned char *p = bytes;
    size_t whole = n / 8;
    for (size_t i = 0; i < whole; i++)
        sip_word(v, load_le(p + 8 * i, 8), c);
    uint64_t tail = n % 8 ? load_le(p + 8 * whole, n % 8) : 0;
    sip_word(v, (uint64_t)n << 56 | tail, c);
    v[2] ^= 0xff;
    for (unsigned i = 0; i < d; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_bytes(const void *bytes, size_t n)
{
    return siphash(secret + 2, 1, 3, bytes, n);
}

/* SipHash-2-4 with the all-zero key. Stored ids and sampling levels depend on it: it can never change. */
uint64_t stable_hash(const void *bytes, size_t n)
{
    static const uint64_t zero_key[2] = {0, 0};
    return siphash(zero_key, 2, 4, bytes, n);
}
