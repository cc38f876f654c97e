/* Stage 1, and the loop over clean lines. Stage 1 turns each 64 bytes of text into three bit masks with SIMD, then the masks
 * into an index of separators. A separator is any byte <= ' ': one comparison finds blanks, line ends and every control byte.
 * Clean lines are those with the right number of single blanks and nothing else below ' '; all others go to decoder_line.
 *
 * Included by block_plain.c and block_avx2.c, which compile the same code for two kinds of machine: with AVX2 and BMI2
 * (shifts and bit scans without their old costs, bytes shuffled by a table) a record takes about half the time. Stage 1 does
 * not read past n: the last part is copied. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_BLOCK_H
#define DECODE_BLOCK_H

#include "decode/walk.h"

#if defined(DECODE_AVX2)
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
    d->counts.lines++;
    d->counts.emitted++;
    d->counts.by_status[r->status]++;
    d->counts.by_action[r->action] += r->status == STATUS_OK;
    d->sink.emit(d->sink.ctx, r);
}

ALWAYS_INLINE size_t lines_walk(struct decoder *d, const char *p, size_t readable)
{
    const struct index *ix = &d->index;
    const uint32_t *odd = ix->odd;
    uint32_t first = 1, from = 0; /* number of the line's first separator, and where the line starts */
    for (size_t i = 0; i < ix->newlines && !d->bad; i++) {
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
