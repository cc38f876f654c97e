/* The one reader of foreign bytes. Lengths are compared, never pointers: a length near SIZE_MAX would make
 * `p + n > end` wrap and pass. The first failure stays, so a caller reads all fields and tests err once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <string.h>

enum { VARINT_MAX = 10 }; /* 7 bits a byte: 64 bits need 10 */

struct cursor cursor_of(const void *bytes, size_t n)
{
    const unsigned char *p = bytes ? bytes : (const unsigned char *)"";
    n = bytes ? n : 0;
    return (struct cursor){p, p + n, WEIR_OK};
}

size_t cursor_left(const struct cursor *c)
{
    return c->err ? 0 : (size_t)(c->end - c->p);
}

static void fail(struct cursor *c, enum weir_err err)
{
    if (!c->err)
        c->err = err;
}

/* The next n bytes, or NULL with err set. */
static const unsigned char *take(struct cursor *c, size_t n)
{
    if (WEIR_UNLIKELY(c->err || n > cursor_left(c))) {
        fail(c, WEIR_TRUNCATED);
        return NULL;
    }
    const unsigned char *p = c->p;
    c->p += n;
    return p;
}

static uint64_t little_endian(struct cursor *c, size_t n)
{
    const unsigned char *p = take(c, n);
    uint64_t v = 0;
    for (size_t i = n; p && i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

uint8_t cursor_u8(struct cursor *c)
{
    const unsigned char *p = take(c, 1);
    return p ? *p : 0;
}

uint16_t cursor_u16(struct cursor *c)
{
    return (uint16_t)little_endian(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
    return (uint32_t)little_endian(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
    return little_endian(c, 8);
}

uint64_t cursor_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VARINT_MAX; i++) {
        uint8_t b = cursor_u8(c);
        if (c->err)
            return 0;
        if (i == VARINT_MAX - 1 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (b < 0x80)
            return v;
    }
    fail(c, WEIR_RANGE);
    return 0;
}

struct slice cursor_bytes(struct cursor *c, size_t n)
{
    const unsigned char *p = take(c, n);
    return p ? (struct slice){(const char *)p, n} : (struct slice){"", 0};
}

struct slice cursor_string(struct cursor *c, size_t max)
{
    uint64_t n = cursor_varint(c);
    if (n > max)
        fail(c, WEIR_RANGE);
    return cursor_bytes(c, c->err ? 0 : (size_t)n);
}
