/* Stage 1, and the loop over clean lines. Stage 1 turns each 64 bytes of text into three bit masks with SIMD, then the masks
 * into an index of separators. A separator is any byte <= ' ': one comparison finds blanks, line ends and every control byte.
 * Clean lines are those with the right number of single blanks and nothing else below ' '; all others go to decoder_line.
 *
 * Included by block_plain.c, block_avx2.c and block_avx512.c, which compile the same code for three kinds of machine: AVX2 and
 * BMI2 shift and scan bits without their old costs and shuffle bytes by a table; AVX-512 squeezes the places out of a mask in
 * one instruction. Stage 1 does not read past n: the last part is copied. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_BLOCK_H
#define DECODE_BLOCK_H

#include "decode/walk.h"

#if defined(DECODE_AVX512)
ALWAYS_INLINE void masks_make(const char *p, struct masks *m, size_t i)
{
    __m512i v = _mm512_loadu_si512(p);
    m->separator[i] = _mm512_cmple_epu8_mask(v, _mm512_set1_epi8(' '));
    m->control[i] = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(' '));
    m->newline[i] = _mm512_cmpeq_epu8_mask(v, _mm512_set1_epi8('\n'));
}
#elif defined(DECODE_AVX2)
ALWAYS_INLINE void masks_make(const char *p, struct masks *m, size_t i)
{
    uint64_t separator = 0, control = 0, newline = 0;
    for (unsigned k = 0; k < 2; k++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * k));
        __m256i le_blank = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(' ')), v);
        __m256i lt_blank = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(' ' - 1)), v);
        separator |= (uint64_t)(uint32_t)_mm256_movemask_epi8(le_blank) << (32 * k);
        control |= (uint64_t)(uint32_t)_mm256_movemask_epi8(lt_blank) << (32 * k);
        newline |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n'))) << (32 * k);
    }
    m->separator[i] = separator;
    m->control[i] = control;
    m->newline[i] = newline;
}
#elif defined(__SSE2__)
ALWAYS_INLINE void masks_make(const char *p, struct masks *m, size_t i)
{
    uint64_t separator = 0, control = 0, newline = 0;
    for (unsigned k = 0; k < 4; k++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * k));
        __m128i le_blank = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(' ')), v);
        __m128i lt_blank = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(' ' - 1)), v);
        separator |= (uint64_t)(uint32_t)_mm_movemask_epi8(le_blank) << (16 * k);
        control |= (uint64_t)(uint32_t)_mm_movemask_epi8(lt_blank) << (16 * k);
        newline |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))) << (16 * k);
    }
    m->separator[i] = separator;
    m->control[i] = control;
    m->newline[i] = newline;
}
#else
ALWAYS_INLINE void masks_make(const char *p, struct masks *m, size_t i)
{
    uint64_t separator = 0, control = 0, newline = 0;
    for (unsigned k = 0; k < 64; k++) {
        unsigned char c = (unsigned char)p[k];
        separator |= (uint64_t)(c <= ' ') << k;
        control |= (uint64_t)(c < ' ') << k;
        newline |= (uint64_t)(c == '\n') << k;
    }
    m->separator[i] = separator;
    m->control[i] = control;
    m->newline[i] = newline;
}
#endif

#if defined(DECODE_AVX512)
/* The places of all bits of m: the numbers 0 to 63 squeezed to those with a bit, then widened, 16 at a time. What stands in out
 * beyond the last one is never read. */
ALWAYS_INLINE size_t spread_bits(uint64_t m, uint32_t place, uint32_t *out)
{
    const __m512i numbers = _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39,
                                            38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14,
                                            13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i base = _mm512_set1_epi32((int)place);
    size_t n = (size_t)__builtin_popcountll(m);
    __m512i bits = _mm512_maskz_compress_epi8(m, numbers);
    _mm512_storeu_si512(out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(bits))));
    if (WEIR_UNLIKELY(n > 16)) {
        _mm512_storeu_si512(out + 16, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bits, 1))));
        _mm512_storeu_si512(out + 32, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bits, 2))));
        _mm512_storeu_si512(out + 48, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(bits, 3))));
    }
    return n;
}
#else
/* The places of the four lowest bits of m; what stands in out beyond the last bit is never read. Returns m without them. */
ALWAYS_INLINE uint64_t spread_four(uint64_t m, uint32_t place, uint32_t *out)
{
    const uint64_t defined = 1ULL << 63; /* the count of zeros in 0 is not */
    out[0] = place + (uint32_t)__builtin_ctzll(m | defined);
    m &= m - 1;
    out[1] = place + (uint32_t)__builtin_ctzll(m | defined);
    m &= m - 1;
    out[2] = place + (uint32_t)__builtin_ctzll(m | defined);
    m &= m - 1;
    out[3] = place + (uint32_t)__builtin_ctzll(m | defined);
    return m & (m - 1);
}

/* The places of all bits of m. Twelve without a branch: a text of flow records has about eight in 64 bytes. */
ALWAYS_INLINE size_t spread_bits(uint64_t m, uint32_t place, uint32_t *out)
{
    size_t n = (size_t)__builtin_popcountll(m);
    m = spread_four(m, place, out);
    m = spread_four(m, place, out + 4);
    m = spread_four(m, place, out + 8);
    for (size_t i = 12; WEIR_UNLIKELY(i < n); i += 4)
        m = spread_four(m, place, out + i);
    return n;
}
#endif

/* Which of the separators (the first has number `number`) are newlines. More than one in 64 bytes is rare. */
ALWAYS_INLINE size_t spread_newlines(uint64_t newline, uint64_t separator, size_t number, uint32_t *out)
{
    size_t n = (size_t)__builtin_popcountll(newline);
    for (size_t i = 0; i == 0 || WEIR_UNLIKELY(i < n); i++, newline &= newline - 1) {
        uint64_t below = newline ^ (newline - 1); /* up to and with the lowest newline */
        out[i] = (uint32_t)(number + (size_t)__builtin_popcountll(separator & below) - 1);
    }
    return n;
}

ALWAYS_INLINE void index_make(struct index *ix, size_t words)
{
    size_t n = 1, newlines = 0, odds = 0;
    uint64_t carry = 1; /* a blank at the start of a line is odd */
    ix->at[0] = UINT32_MAX;
    for (size_t i = 0; i < words; i++) {
        uint64_t separator = ix->masks.separator[i], newline = ix->masks.newline[i];
        uint64_t odd = (ix->masks.control[i] & ~newline) | (separator & (separator << 1 | carry));
        carry = separator >> 63;
        newlines += spread_newlines(newline, separator, n, ix->newline + newlines);
        n += spread_bits(separator, (uint32_t)(64 * i), ix->at + n);
        for (; WEIR_UNLIKELY(odd); odd &= odd - 1)
            ix->odd[odds++] = (uint32_t)(64 * i) + (uint32_t)__builtin_ctzll(odd);
    }
    ix->newlines = newlines;
    ix->odd[odds] = UINT32_MAX;
}

/* The rest of a block below 64 bytes, filled up with a letter. */
static inline const char *padded(const char *p, size_t n, char scratch[64])
{
    memset(scratch, 'x', 64);
    memcpy(scratch, p, n);
    return scratch;
}

ALWAYS_INLINE void emit(struct decoder *d, const char *p, size_t n, uint32_t notes)
{
    struct record *r = &d->record;
    r->line = d->line_no;
    r->text = (struct slice){p, n};
    if (WEIR_UNLIKELY(notes))
        decoder_note(d, notes);
    d->out.counts.lines++;
    d->out.counts.emitted++;
    d->out.counts.by_status[r->status]++;
    d->out.counts.by_action[r->action] += r->status == STATUS_OK;
    d->out.sink.emit(d->out.sink.ctx, r);
}

ALWAYS_INLINE size_t lines_walk(struct decoder *d, const char *p, size_t readable)
{
    const struct index *ix = &d->index;
    const uint32_t *odd = ix->odd;
    uint32_t first = 1, from = 0; /* number of the line's first separator, and where the line starts */
    for (size_t i = 0; i < ix->newlines && !d->out.bad; i++) {
        uint32_t last = ix->newline[i], to = ix->at[last];
        struct walk w = {.pg = &d->program, .base = p, .before = ix->at + first - 1, .end = ix->at + first, .r = &d->record};
        while (WEIR_UNLIKELY(*odd < from))
            odd++;
        bool clean = last - first + 1 == d->program.columns && *odd > to && to + DECODE_PAD <= readable &&
                     p[from] != '{' && p[from] != '#';
        if (WEIR_LIKELY(clean && walk_line(&w)))
            emit(d, p + from, to - from, w.notes);
        else
            decoder_line(d, (struct slice){p + from, to - from});
        d->line_no++;
        first = last + 1;
        from = to + 1;
    }
    return from;
}

ALWAYS_INLINE size_t block_read(struct decoder *d, const char *p, size_t n, size_t readable)
{
    char scratch[64];
    size_t words = n / 64;
    for (size_t i = 0; i < words; i++)
        masks_make(p + 64 * i, &d->index.masks, i);
    if (n % 64)
        masks_make(padded(p + 64 * words, n % 64, scratch), &d->index.masks, words);
    index_make(&d->index, words + (n % 64 != 0));
    return lines_walk(d, p, readable);
}

#endif
