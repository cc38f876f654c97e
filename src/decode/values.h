/* Values from text without a branch per character. Every reader here may load, but not use, DECODE_PAD bytes past the
 * start of the value; what it refuses goes to the careful readers in line.c, which know the reason.
 *
 * Eight digits at once: with d0 the first digit in the lowest byte of v, v * 10 + (v >> 8) holds 10*d0+d1, 10*d2+d3 ...
 * in the even bytes; two multiplications then weigh the pairs by 1000000, 10000, 100, 1 into the upper half.
 * Worked example, "00001234": pairs 0, 0, 12, 34; 0*1000000 + 0*10000 + 12*100 + 34 = 1234.
 * Source: D. Lemire, "Quickly parsing eight digits" (2018). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_VALUES_H
#define DECODE_VALUES_H

#include <string.h>

#include "decode/internal.h"
#if defined(DECODE_AVX2)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

ALWAYS_INLINE uint64_t load_64(const char *p) /* first byte lowest */
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

ALWAYS_INLINE uint32_t load_32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

/* 1 to 8 digits and nothing else. The shift drops what stands behind them and fills zeros in front. */
ALWAYS_INLINE bool read_digits(const char *p, size_t n, uint64_t *out)
{
    if (WEIR_UNLIKELY(n - 1 > 7))
        return false;
    uint64_t v = (load_64(p) ^ 0x3030303030303030ULL) << (64 - 8 * n);
    if (WEIR_UNLIKELY(((v + 0x7676767676767676ULL) | v) & 0x8080808080808080ULL))
        return false;
    v = v * 10 + (v >> 8);
    v = ((v & 0xff000000ffULL) * 0xf424000000064ULL + ((v >> 16) & 0xff000000ffULL) * 0x271000000001ULL) >> 32;
    *out = v & 0xffffffff;
    return true;
}

/* Two such numbers at once. */
ALWAYS_INLINE bool read_two(struct slice a, struct slice b, uint64_t *x, uint64_t *y)
{
#if defined(DECODE_AVX2)
    if (WEIR_UNLIKELY(((a.n - 1) | (b.n - 1)) > 7))
        return false;
    uint64_t low = (load_64(a.p) ^ 0x3030303030303030ULL) << (64 - 8 * a.n);
    uint64_t high = (load_64(b.p) ^ 0x3030303030303030ULL) << (64 - 8 * b.n);
    __m128i digits = _mm_set_epi64x((long long)high, (long long)low);
    if (WEIR_UNLIKELY(!_mm_test_all_zeros(_mm_subs_epu8(digits, _mm_set1_epi8(9)), _mm_set1_epi8(-1))))
        return false;
    __m128i twos = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));       /* 10, 1 */
    __m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(0x00010064));       /* 100, 1 */
    __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710)); /* 10000, 1 */
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    *x = both & 0xffffffff;
    *y = both >> 32;
    return true;
#else
    return read_digits(a.p, a.n, x) && read_digits(b.p, b.n, y);
#endif
}

#define TIME_MIN_S 1262304000ULL /* 2010-01-01: flow logs began in 2015 */
#define TIME_END_S 4291747200ULL /* 2106-01-01 */

/* The last two of ten digits, and the range. */
ALWAYS_INLINE bool seconds_end(const char *p, uint64_t head, int64_t *out)
{
    unsigned tens = (unsigned)(unsigned char)p[8] - '0', ones = (unsigned)(unsigned char)p[9] - '0';
    uint64_t s = head * 100 + tens * 10 + ones;
    *out = (int64_t)s;
    return tens <= 9 && ones <= 9 && s - TIME_MIN_S < TIME_END_S - TIME_MIN_S;
}

ALWAYS_INLINE bool read_seconds(struct slice text, int64_t *out)
{
    uint64_t head;
    return text.n == 10 && read_digits(text.p, 8, &head) && seconds_end(text.p, head, out);
}

ALWAYS_INLINE bool read_two_seconds(struct slice a, struct slice b, int64_t *x, int64_t *y)
{
    uint64_t head_x, head_y;
    if (WEIR_UNLIKELY(a.n != 10 || b.n != 10 || !read_two((struct slice){a.p, 8}, (struct slice){b.p, 8}, &head_x, &head_y)))
        return false;
    return seconds_end(a.p, head_x, x) && seconds_end(b.p, head_y, y);
}

/* Dotted quads whose octets have n1..n4 = 1..3 digits and nothing wrong but, perhaps, their size. */
#if defined(DECODE_AVX2)
/* One shuffle puts each octet into its own lane as hundreds, tens, ones, 0, the last octet lowest; 0x80 gives 0.
 * Then 100 * h + 10 * t and 1 * o + 0, and their sum. Source: D. Lemire, "Parsing IP addresses crazily fast" (2023). */
#define OCTET(at, n) (char)((n) == 3 ? (at) : 0x80), (char)((n) >= 2 ? (at) + (n) - 2 : 0x80), (char)((at) + (n) - 1), (char)0x80
#define QUAD(n1, n2, n3, n4) {OCTET(n1 + n2 + n3 + 3, n4), OCTET(n1 + n2 + 2, n3), OCTET(n1 + 1, n2), OCTET(0, n1)}
#define QUADS_3(n2, n3, n4) QUAD(1, n2, n3, n4), QUAD(2, n2, n3, n4), QUAD(3, n2, n3, n4)
#define QUADS_9(n3, n4) QUADS_3(1, n3, n4), QUADS_3(2, n3, n4), QUADS_3(3, n3, n4)
#define QUADS_27(n4) QUADS_9(1, n4), QUADS_9(2, n4), QUADS_9(3, n4)
static const char quad_shuffles[81][16] = {QUADS_27(1), QUADS_27(2), QUADS_27(3)};

ALWAYS_INLINE bool quad_value(const char *p, unsigned n1, unsigned n2, unsigned n3, unsigned n4, uint32_t *out)
{
    const char *row = quad_shuffles[n1 + 3 * n2 + 9 * n3 + 27 * n4 - 40];
    __m128i digits = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('0'));
    __m128i lanes = _mm_shuffle_epi8(digits, _mm_loadu_si128((const __m128i *)(const void *)row));
    __m128i pairs = _mm_maddubs_epi16(lanes, _mm_set1_epi32(0x00010a64)); /* 100, 10, 1, 0 */
    __m128i octets = _mm_madd_epi16(pairs, _mm_set1_epi16(1));
    *out = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(_mm_packus_epi32(octets, octets), octets));
    return _mm_movemask_epi8(_mm_cmpgt_epi32(octets, _mm_set1_epi32(255))) == 0;
}
#else
/* One octet as bytes 0, hundreds, tens, ones (lowest first). */
ALWAYS_INLINE uint64_t octet_digits(const char *p, unsigned n)
{
    return (load_32(p) ^ 0x30303030u) << (32 - 8 * n);
}

/* Two octets, one in each half. */
ALWAYS_INLINE uint64_t octet_values(uint64_t low, uint64_t high)
{
    const uint64_t byte = 0x000000ff000000ffULL;
    uint64_t v = low | high << 32;
    return ((v >> 24) & byte) + 10 * ((v >> 16) & byte) + 100 * ((v >> 8) & byte);
}

ALWAYS_INLINE bool quad_value(const char *p, unsigned n1, unsigned n2, unsigned n3, unsigned n4, uint32_t *out)
{
    const char *p2 = p + n1 + 1, *p3 = p2 + n2 + 1, *p4 = p3 + n3 + 1;
    uint64_t low = octet_values(octet_digits(p4, n4), octet_digits(p3, n3));
    uint64_t high = octet_values(octet_digits(p2, n2), octet_digits(p, n1));
    *out = ((uint32_t)(low | low >> 24) & 0xffff) | ((uint32_t)(high | high >> 24) & 0xffff) << 16;
    return !((low | high) & 0xffffff00ffffff00ULL);
}
#endif

/* Strict as inet_pton. The places of digits and dots come as bit masks; a 0 that starts an octet and has a digit behind it is
 * refused ("010" is octal to some readers). */
ALWAYS_INLINE bool read_ipv4(const char *p, size_t n, uint32_t *out)
{
#ifdef __SSE2__
    if (WEIR_UNLIKELY(n - 7 > 8))
        return false;
    const uint32_t within = (1u << n) - 1, beyond = 0xc0000000u | 1u << n;
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i value = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    uint32_t dots = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('.'))) & within;
    uint32_t digits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value)) & within;
    uint32_t zeros = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(value, _mm_setzero_si128()));
    uint32_t m = dots | beyond; /* the upper bits keep the counts below defined, whatever the text */
    unsigned a = (unsigned)__builtin_ctz(m);
    m &= m - 1;
    unsigned b = (unsigned)__builtin_ctz(m);
    m &= m - 1;
    unsigned c = (unsigned)__builtin_ctz(m);
    m &= m - 1;
    unsigned n1 = a, n2 = b - a - 1, n3 = c - b - 1, n4 = (unsigned)n - c - 1;
    uint32_t wrong = ((digits | dots) ^ within) | (m ^ beyond) | (zeros & (dots << 1 | 1u) & (digits >> 1));
    if (WEIR_UNLIKELY(wrong || n1 - 1 > 2 || n2 - 1 > 2 || n3 - 1 > 2 || n4 - 1 > 2))
        return false;
    return quad_value(p, n1, n2, n3, n4, out);
#else
    (void)p, (void)n, (void)out;
    return false;
#endif
}

/* The same text of up to 16 bytes? "No" may also mean: not known. */
ALWAYS_INLINE bool same_short_text(struct slice a, struct slice b)
{
#ifdef __SSE2__
    if (a.n != b.n || a.n > 16)
        return false;
    __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)a.p), _mm_loadu_si128((const __m128i *)(const void *)b.p));
    return (~(uint32_t)_mm_movemask_epi8(equal) & ((1u << a.n) - 1)) == 0;
#else
    return slice_eq(a, b);
#endif
}

#endif
