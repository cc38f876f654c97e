/* See capture_plain.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/capture_plain.h"

#include <string.h>

#define FILE_HEADER_BYTES 24u
#define RECORD_HEADER_BYTES 16u

static uint32_t word_at(const struct plain *f, const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return f->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t half_at(const struct plain *f, const char *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return f->swapped ? __builtin_bswap16(v) : v;
}

static bool set_form(struct plain *f, const char *head)
{
    static const struct { uint32_t magic, scale; } forms[] = {{0xa1b2c3d4, 1000}, {0xa1b23c4d, 1}};
    for (size_t i = 0; i < 2 * WEIR_COUNT(forms); i++) {
        f->swapped = i % 2;
        f->scale = forms[i / 2].scale;
        if (word_at(f, head) == forms[i / 2].magic)
            return true;
    }
    return false;
}

bool plain_claims(struct plain *f, struct stream *in)
{
    struct slice head = in->head;
    if (head.n < FILE_HEADER_BYTES || !set_form(f, head.p))
        return false;
    f->in = in;
    f->piece = (struct slice){NULL, 0};
    f->snap = word_at(f, head.p + 16);
    f->link = word_at(f, head.p + 20);
    f->first = true;
    return half_at(f, head.p + 4) == 2 && half_at(f, head.p + 6) == 4 && f->snap > 0 && f->snap <= PLAIN_PACKET_MAX;
}

static bool draw(struct plain *f)
{
    char *p;
    size_t n;
    if (stream_next(f->in, &p, &n))
        return false;
    f->piece = (struct slice){p, n};
    return true;
}

/* The next n bytes, one behind the other; *have: how many there are. */
static inline const char *together(struct plain *f, size_t n, size_t *have)
{
    const char *p = f->piece.p;
    *have = n;
    if (WEIR_LIKELY(f->piece.n >= n)) {
        f->piece = (struct slice){p + n, f->piece.n - n};
        return p;
    }
    for (*have = 0; *have < n && (f->piece.n || draw(f));) {
        size_t part = n - *have < f->piece.n ? n - *have : f->piece.n;
        memcpy(f->gather + *have, f->piece.p, part);
        f->piece = (struct slice){f->piece.p + part, f->piece.n - part};
        *have += part;
    }
    return f->gather;
}

static enum weir_err cut(struct fault *why, const char *what, size_t wanted, size_t have)
{
    return fault_set(why, WEIR_SYNTAX, "truncated dump file; tried to read %zu %s bytes, only got %zu", wanted, what, have);
}

/* More was captured than the file says it would: the rest is passed over, as libpcap does. How many bytes there were. */
static size_t pass_over(struct plain *f, size_t n)
{
    size_t left = n;
    while (left && (f->piece.n || draw(f))) {
        size_t part = left < f->piece.n ? left : f->piece.n;
        f->piece = (struct slice){f->piece.p + part, f->piece.n - part};
        left -= part;
    }
    return n - left;
}

static enum weir_err take_bytes(struct plain *f, struct plain_packet *out, struct fault *why)
{
    uint32_t there = out->captured;
    size_t have;
    if (there > PLAIN_PACKET_MAX)
        return fault_set(why, WEIR_SYNTAX, "invalid packet capture length %u, bigger than snaplen of %u", there, f->snap);
    out->captured = there < f->snap ? there : f->snap;
    out->bytes = together(f, out->captured, &have);
    if (have < out->captured)
        return cut(why, "captured", out->captured, have);
    if (there == out->captured)
        return WEIR_OK;
    have += pass_over(f, there - out->captured);
    return have == there ? WEIR_OK : cut(why, "captured", there, have);
}

enum weir_err plain_next(struct plain *f, struct plain_packet *out, struct fault *why)
{
    size_t have;
    if (f->first) {
        together(f, FILE_HEADER_BYTES, &have);
        f->first = false;
    }
    const char *h = together(f, RECORD_HEADER_BYTES, &have);
    if (have < RECORD_HEADER_BYTES)
        return have ? cut(why, "header", RECORD_HEADER_BYTES, have) : WEIR_END;
    out->s = word_at(f, h);
    out->fraction_ns = (int64_t)word_at(f, h + 4) * f->scale;
    out->captured = word_at(f, h + 8);
    out->wire = word_at(f, h + 12);
    return take_bytes(f, out, why);
}
