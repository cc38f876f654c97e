/* Values of a page as bits. Two encodings pack numbers of w bits one after another, lowest bit first: the hybrid of runs and groups of eight
 * (levels, dictionary indices), and deltas in blocks of miniblocks. Reads of whole words go up to DECODE_PAD bytes past the end,
 * never what they give. Source: apache/parquet-format, Encodings.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/parquet.h"
#include "decode/values.h"

/* Bits [at, at + width) of p; width at most 57. */
static inline uint64_t bits_at(const unsigned char *p, uint64_t at, unsigned width)
{
    return load_64((const char *)p + at / 8) >> (at % 8) & ((1ULL << width) - 1);
}

static uint64_t wide_bits_at(const unsigned char *p, uint64_t at, unsigned width)
{
    if (width <= 57)
        return bits_at(p, at, width);
    return bits_at(p, at, 32) | bits_at(p, at + 32, width - 32) << 32;
}

/* ---- runs ---- */

bool runs_init(struct runs *r, const unsigned char *p, size_t n, unsigned width)
{
    *r = (struct runs){.p = p, .left = n, .width = width};
    return width <= 32;
}

/* A varint in front of what is left. */
static bool front_varint(const unsigned char **p, size_t *left, uint64_t *out)
{
    struct cursor c = cursor_of(*p, *left);
    *out = cursor_varint(&c);
    *p += *left - cursor_left(&c);
    *left = cursor_left(&c);
    return !c.err;
}

static bool runs_head(struct runs *r)
{
    uint64_t head;
    size_t value_bytes = (r->width + 7) / 8;
    if (!front_varint(&r->p, &r->left, &head) || head >> 1 > UINT32_MAX)
        return false;
    if (head & 1) {
        uint64_t bytes = (head >> 1) * r->width;
        if (bytes > r->left) /* the last group may be cut behind its last value */
            bytes = r->left;
        r->packed = r->width ? bytes * 8 / r->width : (head >> 1) * 8;
        r->bits = r->p;
        r->bit = 0;
        r->p += bytes;
        r->left -= (size_t)bytes;
        return true;
    }
    if (value_bytes > r->left)
        return false;
    r->value = (uint32_t)bits_at(r->p, 0, r->width);
    r->repeated = head >> 1;
    r->p += value_bytes;
    r->left -= value_bytes;
    return true;
}

static void packed_read(struct runs *r, uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++, r->bit += r->width)
        out[i] = (uint32_t)bits_at(r->bits, r->bit, r->width);
    r->packed -= n;
}

bool runs_read(struct runs *r, uint32_t *out, size_t n)
{
    while (n) {
        size_t some;
        if (r->repeated) {
            some = r->repeated < n ? (size_t)r->repeated : n;
            for (size_t i = 0; i < some; i++)
                out[i] = r->value;
            r->repeated -= some;
        } else if (r->packed) {
            some = r->packed < n ? (size_t)r->packed : n;
            packed_read(r, out, some);
        } else {
            some = 0;
            if (r->left == 0 || !runs_head(r))
                return false;
        }
        out += some;
        n -= some;
    }
    return true;
}

/* ---- deltas ---- */

#define BLOCK_VALUES_MAX (1u << 20)

static uint64_t unzigzag(uint64_t v)
{
    return v >> 1 ^ -(v & 1);
}

bool deltas_init(struct deltas *d, const unsigned char *p, size_t n)
{
    uint64_t block, minis, values, first;
    *d = (struct deltas){.p = p, .left = n};
    if (!front_varint(&d->p, &d->left, &block) || !front_varint(&d->p, &d->left, &minis) || !front_varint(&d->p, &d->left, &values) ||
        !front_varint(&d->p, &d->left, &first))
        return false;
    if (block == 0 || block > BLOCK_VALUES_MAX || minis == 0 || block % minis || block / minis % 32 || values > UINT32_MAX)
        return false;
    d->blocks_of = (uint32_t)block;
    d->minis = d->mini = (uint32_t)minis;
    d->per_mini = (uint32_t)(block / minis);
    d->values = values;
    d->last = unzigzag(first);
    d->first = true;
    return true;
}

static bool block_head(struct deltas *d)
{
    uint64_t min;
    if (!front_varint(&d->p, &d->left, &min) || d->left < d->minis)
        return false;
    d->min_delta = unzigzag(min);
    d->widths = d->p;
    d->p += d->minis;
    d->left -= d->minis;
    d->mini = 0;
    return true;
}

/* The next miniblock. The file pads it to its full size, but for the very last, of which the needed bytes are enough. */
static bool mini_head(struct deltas *d)
{
    if (d->mini == d->minis && !block_head(d))
        return false;
    d->width = d->widths[d->mini++];
    uint64_t bytes = (uint64_t)d->per_mini * d->width / 8;
    uint64_t needed = d->values < d->per_mini ? (d->values * d->width + 7) / 8 : bytes;
    if (d->width > 64 || needed > d->left)
        return false;
    if (bytes > d->left)
        bytes = d->left;
    d->bits = d->p;
    d->bit = 0;
    d->in_mini = d->per_mini;
    d->p += bytes;
    d->left -= (size_t)bytes;
    return true;
}

bool deltas_read(struct deltas *d, uint64_t *out, size_t n)
{
    if (n > d->values)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!d->first) {
            if (d->in_mini == 0 && !mini_head(d))
                return false;
            d->last += d->min_delta + wide_bits_at(d->bits, d->bit, d->width);
            d->bit += d->width;
            d->in_mini--;
        }
        d->first = false;
        d->values--;
        out[i] = d->last;
    }
    return true;
}

bool deltas_skip(struct deltas *d)
{
    if (d->first && d->values) {
        d->first = false;
        d->values--;
    }
    while (d->values) {
        if (!mini_head(d))
            return false;
        d->values -= d->values < d->per_mini ? d->values : d->per_mini;
    }
    return true;
}
