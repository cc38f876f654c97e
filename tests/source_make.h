/* Gzip by the byte for the tests and the fuzz target of the source room: members with any header, any trailer and any
 * damage, and one way to read an object to its end with either engine. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SOURCE_MAKE_H
#define TESTS_SOURCE_MAKE_H

#include <stdlib.h>
#include <string.h>
#include <weir/source.h>
#include <zlib.h>

#include "source/internal.h"

#define MAKE_MAX (256U << 20)

/* How a member departs from the plain one. */
struct member {
    unsigned char flags, method_delta;
    uint32_t crc_delta, length_delta;
    int level, strategy; /* 0 = 6 */
};

static inline void put_raw_deflate(struct buffer *b, const void *bytes, size_t n, int level, int strategy)
{
    z_stream z = {0};
    if (deflateInit2(&z, level ? level : 6, Z_DEFLATED, -15, 8, strategy) != Z_OK)
        abort();
    size_t bound = deflateBound(&z, (uLong)n) + 64;
    z.next_in = (z_const Bytef *)bytes;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)buffer_reserve(b, bound);
    z.avail_out = (uInt)bound;
    if (!z.next_out || deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    b->n += bound - z.avail_out;
    deflateEnd(&z);
}

static inline void put_header(struct buffer *b, struct member m)
{
    size_t begin = b->n;
    const unsigned char fixed[10] = {0x1f, 0x8b, (unsigned char)(8 - m.method_delta), m.flags, 0, 0, 0, 0, 0, 3};
    buffer_put(b, fixed, sizeof fixed);
    if (m.flags & 4)
        buffer_put(b, "\5\0extra", 7);
    if (m.flags & 8)
        buffer_put(b, "name", 5);
    if (m.flags & 16)
        buffer_put(b, "comment", 8);
    if (m.flags & 2)
        buffer_u16(b, (uint16_t)crc32(0, (const Bytef *)b->p + begin, (uInt)(b->n - begin)));
}

static inline void put_member(struct buffer *b, const void *bytes, size_t n, struct member m)
{
    put_header(b, m);
    put_raw_deflate(b, bytes, n, m.level, m.strategy);
    buffer_u32(b, (uint32_t)crc32(0, bytes, (uInt)n) + m.crc_delta);
    buffer_u32(b, (uint32_t)n + m.length_delta);
}

static inline void put_gzip(struct buffer *b, const char *text)
{
    put_member(b, text, strlen(text), (struct member){0});
}

/* Flow log lines, the same for the same seed. */
static inline void put_log(struct buffer *b, unsigned lines, uint64_t seed)
{
    buffer_puts(b, "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n");
    for (unsigned i = 0; i < lines; i++) {
        uint64_t r = stable_mix(seed + i);
        buffer_printf(b, "2 123456789010 eni-%08x 10.0.%u.%u 198.51.100.%u %u 443 6 %u %u %u %u ACCEPT OK\n", (unsigned)(r & 0xf) * 0x1234567U,
                      (unsigned)(r >> 8 & 3), (unsigned)(r >> 16 & 0xff), (unsigned)(r >> 24 & 0xff), (unsigned)(r >> 32 & 0xffff),
                      (unsigned)(r >> 48 & 0xff), (unsigned)(r >> 40 & 0xfffff), 1700000000 + i / 50, 1700000060 + i / 50);
    }
}

struct verdict {
    enum weir_err err;
    enum source_reject why;
    unsigned notes;
    size_t n, cap;
    uint32_t crc; /* of the n bytes */
    char *bytes;
    struct fault fault;
};

static inline bool verdict_keep(struct verdict *v, const char *bytes, size_t n)
{
    if (v->n + n + 1 > v->cap) {
        v->cap = 2 * (v->n + n + 1);
        v->bytes = realloc(v->bytes, v->cap);
        if (!v->bytes)
            return false;
    }
    memcpy(v->bytes + v->n, bytes, n);
    v->n += n;
    v->bytes[v->n] = '\0';
    v->crc = (uint32_t)crc32(v->crc, (const Bytef *)bytes, (uInt)n);
    return true;
}

#define READ_CAP (64 * 1024)
#define CANARY_BYTES 64

/* To the end of what is open (err is what opening said). The engines are partly assembly, which no sanitizer sees: a canary stands behind out. */
static inline struct verdict read_to_end(struct source *s, enum weir_err err, struct fault fault)
{
    static char out[READ_CAP + CANARY_BYTES];
    struct verdict v = {.fault = fault};
    memset(out + READ_CAP, 0x5a, CANARY_BYTES);
    while (err == WEIR_OK) {
        size_t n = 0;
        err = source_read(s, out, READ_CAP, &n, &v.fault);
        if (err == WEIR_OK && (n == 0 || n > READ_CAP || !verdict_keep(&v, out, n)))
            abort();
    }
    for (size_t i = 0; i < CANARY_BYTES; i++)
        if (out[READ_CAP + i] != 0x5a)
            abort();
    v.err = err;
    v.why = source_why(s);
    v.notes = source_notes(s);
    if (source_inflated_bytes(s) != v.n)
        abort();
    return v;
}

/* An exact-size copy of the bytes, read in pieces of at most chunk (0 = any). */
static inline struct verdict read_bytes(struct source *s, const void *bytes, size_t n, size_t chunk)
{
    struct fault fault = {0};
    unsigned char *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    if (n)
        memcpy(copy, bytes, n);
    source_set_chunk(s, chunk);
    struct verdict v = read_to_end(s, source_open_bytes(s, copy, n, &fault), fault);
    free(copy);
    return v;
}

#endif
