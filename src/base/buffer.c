/* Owned bytes that grow by doubling up to a limit given at birth. An append either happens whole or not at all.
 * One byte beyond cap is always allocated, so that buffer_cstr can end the text without a failure of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

void buffer_init(struct buffer *b, size_t max)
{
    /* SIZE_MAX - 1: the byte for the NUL must not wrap. */
    *b = (struct buffer){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void buffer_fini(struct buffer *b)
{
    free(b->p);
    buffer_init(b, b->max);
}

void buffer_clear(struct buffer *b)
{
    b->n = 0;
    b->err = WEIR_OK;
}

static size_t grown_cap(const struct buffer *b, size_t need)
{
    size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
    if (cap < FIRST_CAP)
        cap = FIRST_CAP < b->max ? FIRST_CAP : b->max;
    return cap > need ? cap : need;
}

static char *grow(struct buffer *b, size_t n)
{
    if (n > b->max - b->n) {
        b->err = WEIR_LIMIT;
        return NULL;
    }
    size_t cap = grown_cap(b, b->n + n);
    char *p = realloc(b->p, cap + 1);
    if (!p) {
        b->err = WEIR_NOMEM;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return p + b->n;
}

char *buffer_reserve(struct buffer *b, size_t n)
{
    if (b->err)
        return NULL;
    if (WEIR_LIKELY(b->p && n <= b->cap - b->n))
        return b->p + b->n;
    return grow(b, n);
}

void buffer_put(struct buffer *b, const void *bytes, size_t n)
{
    char *to = n ? buffer_reserve(b, n) : NULL;
    if (!to)
        return;
    memcpy(to, bytes, n);
    b->n += n;
}

void buffer_puts(struct buffer *b, const char *cstr)
{
    buffer_put(b, cstr, strlen(cstr));
}

void buffer_slice(struct buffer *b, struct slice s)
{
    buffer_put(b, s.p, s.n);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *to = n > 0 ? buffer_reserve(b, (size_t)n) : NULL;
    if (n < 0 && !b->err)
        b->err = WEIR_RANGE;
    if (to) {
        vsnprintf(to, (size_t)n + 1, format, again); /* the NUL lands in the byte beyond cap at the latest */
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

static void little_endian(struct buffer *b, uint64_t v, size_t n)
{
    char *to = buffer_reserve(b, n);
    if (!to)
        return;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(unsigned char)(v >> (8 * i));
    b->n += n;
}

void buffer_u8(struct buffer *b, uint8_t v)
{
    little_endian(b, v, 1);
}

void buffer_u16(struct buffer *b, uint16_t v)
{
    little_endian(b, v, 2);
}

void buffer_u32(struct buffer *b, uint32_t v)
{
    little_endian(b, v, 4);
}

void buffer_u64(struct buffer *b, uint64_t v)
{
    little_endian(b, v, 8);
}

static size_t encode_varint(uint64_t v, unsigned char out[10])
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (unsigned char)(v | 0x80);
    out[n++] = (unsigned char)v;
    return n;
}

void buffer_varint(struct buffer *b, uint64_t v)
{
    unsigned char bytes[10];
    buffer_put(b, bytes, encode_varint(v, bytes));
}

void buffer_string(struct buffer *b, struct slice s)
{
    unsigned char length[10];
    size_t n = encode_varint(s.n, length);
    /* Room for both first: half a string would be worse than none. */
    if (s.n > SIZE_MAX - n || !buffer_reserve(b, n + s.n)) {
        if (!b->err)
            b->err = WEIR_LIMIT;
        return;
    }
    buffer_put(b, length, n);
    buffer_put(b, s.p, s.n);
}

const char *buffer_cstr(struct buffer *b)
{
    if (b->err || !b->p)
        return "";
    b->p[b->n] = '\0';
    return b->p;
}

void *array_grow(void *array, size_t *cap, size_t n, size_t item_bytes)
{
    if (n < *cap)
        return array;
    size_t more = *cap ? *cap * 2 : 16;
    void *moved = more > *cap && more <= SIZE_MAX / item_bytes ? realloc(array, more * item_bytes) : NULL;
    *cap = moved ? more : *cap;
    return moved;
}
