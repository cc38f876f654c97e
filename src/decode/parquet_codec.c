/* The body of a page, unpacked whole: pages say how long they are on both sides, and are held to it.
 *
 * Snappy has no library that is worth a dependency: elements of a tag byte, whose low bits tell a literal from a copy of earlier output
 * with an offset of 11, 16 or 32 bits. A copy may overlap what it makes. Source: google/snappy, format_description.txt. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>
#ifdef WEIR_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include "decode/parquet.h"

struct unpacker {
    z_stream z;
    bool z_ready;
    ZSTD_DCtx *zstd;
#ifdef WEIR_HAVE_ISAL
    struct inflate_state isal;
#endif
};

struct unpacker *unpacker_new(void)
{
    struct unpacker *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->zstd = ZSTD_createDCtx();
    u->z_ready = inflateInit2(&u->z, 15 + 16) == Z_OK;
    if (u->zstd && u->z_ready)
        return u;
    unpacker_free(u);
    return NULL;
}

void unpacker_free(struct unpacker *u)
{
    if (!u)
        return;
    if (u->z_ready)
        inflateEnd(&u->z);
    ZSTD_freeDCtx(u->zstd);
    free(u);
}

/* ---- snappy ---- */

struct snappy {
    struct cursor in;
    unsigned char *out;
    size_t n, made;
};

static uint32_t little(struct cursor *c, unsigned bytes)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint32_t)cursor_u8(c) << 8 * i;
    return v;
}

static bool literal(struct snappy *s, unsigned tag)
{
    uint64_t n = (tag >> 2) + 1ULL;
    if (n > 60)
        n = little(&s->in, (unsigned)n - 60) + 1ULL;
    if (s->in.err || n > s->n - s->made || n > cursor_left(&s->in))
        return false;
    memcpy(s->out + s->made, cursor_bytes(&s->in, (size_t)n).p, (size_t)n);
    s->made += (size_t)n;
    return true;
}

static bool copy(struct snappy *s, size_t offset, size_t n)
{
    if (s->in.err || offset == 0 || offset > s->made || n > s->n - s->made)
        return false;
    unsigned char *to = s->out + s->made;
    const unsigned char *from = to - offset;
    s->made += n;
    if (offset >= n) {
        memcpy(to, from, n);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
    return true;
}

static bool element(struct snappy *s)
{
    unsigned tag = cursor_u8(&s->in);
    switch (tag & 3) {
    case 0: return literal(s, tag);
    case 1: return copy(s, (size_t)(tag >> 5) << 8 | cursor_u8(&s->in), 4 + (tag >> 2 & 7));
    case 2: return copy(s, cursor_u16(&s->in), 1 + (tag >> 2));
    default: return copy(s, cursor_u32(&s->in), 1 + (tag >> 2));
    }
}

bool snappy_unpack(struct slice in, unsigned char *out, size_t out_n)
{
    struct snappy s = {.in = cursor_of(in.p, in.n), .out = out, .n = out_n};
    if (cursor_varint(&s.in) != out_n || s.in.err)
        return false;
    while (cursor_left(&s.in))
        if (!element(&s))
            return false;
    return s.made == out_n;
}

/* ---- the others ---- */

#ifdef WEIR_HAVE_ISAL
/* One member, as all known writers make it. Whatever else there is, zlib judges. */
static bool fast_gzip_unpack(struct unpacker *u, struct slice in, unsigned char *out, size_t out_n)
{
    isal_inflate_init(&u->isal);
    u->isal.crc_flag = ISAL_GZIP;
    u->isal.next_in = (uint8_t *)(uintptr_t)in.p; /* it is not written to */
    u->isal.avail_in = (uint32_t)in.n;
    u->isal.next_out = out;
    u->isal.avail_out = (uint32_t)out_n;
    return isal_inflate_stateless(&u->isal) == ISAL_DECOMP_OK && u->isal.avail_out == 0 && u->isal.avail_in == 0;
}
#else
static bool fast_gzip_unpack(struct unpacker *u, struct slice in, unsigned char *out, size_t out_n)
{
    (void)u, (void)in, (void)out, (void)out_n;
    return false;
}
#endif

/* One member or several. */
static bool gzip_unpack(struct unpacker *u, struct slice in, unsigned char *out, size_t out_n)
{
    unsigned char spare; /* zlib wants somewhere to write even when nothing is to come */
    if (fast_gzip_unpack(u, in, out, out_n))
        return true;
    u->z.next_in = (const unsigned char *)in.p;
    u->z.avail_in = (uInt)in.n;
    u->z.next_out = out_n ? out : &spare;
    u->z.avail_out = (uInt)out_n;
    do {
        if (inflateReset(&u->z) != Z_OK || inflate(&u->z, Z_FINISH) != Z_STREAM_END)
            return false;
    } while (u->z.avail_in && u->z.avail_out);
    return u->z.avail_out == 0 && u->z.avail_in == 0;
}

static bool zstd_unpack(struct unpacker *u, struct slice in, unsigned char *out, size_t out_n)
{
    return ZSTD_decompressDCtx(u->zstd, out, out_n, in.p, in.n) == out_n;
}

enum weir_err unpack(struct unpacker *u, unsigned codec, struct slice in, unsigned char *out, size_t out_n, struct fault *fault)
{
    bool ok;
    switch (codec) {
    case PARQUET_SNAPPY: ok = snappy_unpack(in, out, out_n); break;
    case PARQUET_GZIP: ok = gzip_unpack(u, in, out, out_n); break;
    case PARQUET_ZSTD: ok = zstd_unpack(u, in, out, out_n); break;
    default: return fault_set(fault, WEIR_UNSUPPORTED, "Parquet pages packed with %s (number %u)", parquet_codec_name(codec), codec);
    }
    return ok ? WEIR_OK : fault_set(fault, WEIR_CORRUPT, "a %s page does not unpack to %zu bytes", parquet_codec_name(codec), out_n);
}
