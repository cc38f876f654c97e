/* Thrift's compact protocol, as far as Parquet uses it. A struct is fields until a zero byte; a field is a byte of id delta and type; numbers
 * are zigzag varints. What is not known is skipped, to a fixed depth.
 * Source: apache/thrift, doc/specs/thrift-compact-protocol.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/parquet.h"

#define DEPTH_MAX 24

static void damaged(struct cursor *c)
{
    if (!c->err)
        c->err = WEIR_CORRUPT;
}

static int64_t zigzag(struct cursor *c)
{
    uint64_t v = cursor_varint(c);
    return (int64_t)(v >> 1 ^ -(v & 1));
}

bool thrift_next(struct cursor *c, struct thrift_field *f)
{
    uint8_t head = cursor_u8(c);
    if (c->err || head == 0)
        return false;
    int64_t id = head >> 4 ? f->id + (head >> 4) : zigzag(c);
    f->type = head & 15;
    if (f->type == 0 || f->type > THRIFT_STRUCT || id < 0 || id > INT16_MAX)
        damaged(c);
    f->id = c->err ? 0 : (int32_t)id;
    return !c->err;
}

int64_t thrift_int(struct cursor *c, const struct thrift_field *f)
{
    if (f->type == THRIFT_I8)
        return (int8_t)cursor_u8(c);
    if (f->type >= THRIFT_I16 && f->type <= THRIFT_I64)
        return zigzag(c);
    damaged(c);
    return 0;
}

struct slice thrift_text(struct cursor *c, const struct thrift_field *f)
{
    if (f->type != THRIFT_BINARY)
        damaged(c);
    return cursor_string(c, cursor_left(c));
}

/* Items of a list or set, whatever they are. */
static uint32_t list_head(struct cursor *c, uint8_t *items)
{
    uint8_t head = cursor_u8(c);
    uint64_t n = head >> 4 == 15 ? cursor_varint(c) : head >> 4;
    *items = head & 15;
    if (n > cursor_left(c)) /* each item takes a byte at least */
        damaged(c);
    return c->err ? 0 : (uint32_t)n;
}

uint32_t thrift_list(struct cursor *c, const struct thrift_field *f, enum thrift_type items)
{
    uint8_t found;
    if (f->type != THRIFT_LIST)
        damaged(c);
    uint32_t n = list_head(c, &found);
    if (n && found != items)
        damaged(c);
    return c->err ? 0 : n;
}

static void skip(struct cursor *c, unsigned type, bool item, unsigned depth);

static void skip_list(struct cursor *c, unsigned depth)
{
    uint8_t items;
    uint32_t n = list_head(c, &items);
    for (uint32_t i = 0; i < n && !c->err; i++)
        skip(c, items, true, depth);
}

static void skip_map(struct cursor *c, unsigned depth)
{
    uint64_t n = cursor_varint(c);
    uint8_t types = n ? cursor_u8(c) : 0;
    for (uint64_t i = 0; i < n && !c->err; i++) {
        skip(c, types >> 4, true, depth);
        skip(c, types & 15, true, depth);
    }
}

static void skip_struct(struct cursor *c, unsigned depth)
{
    struct thrift_field f = {0, 0};
    while (thrift_next(c, &f))
        skip(c, f.type, false, depth);
}

/* Truth values stand in the type of a field, but in a byte of their own in lists. */
static void skip(struct cursor *c, unsigned type, bool item, unsigned depth)
{
    if (depth == DEPTH_MAX) {
        damaged(c);
        return;
    }
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        if (item)
            cursor_u8(c);
        break;
    case THRIFT_I8: cursor_u8(c); break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64: cursor_varint(c); break;
    case THRIFT_DOUBLE: cursor_u64(c); break;
    case THRIFT_BINARY: cursor_string(c, cursor_left(c)); break;
    case THRIFT_LIST:
    case THRIFT_SET: skip_list(c, depth + 1); break;
    case THRIFT_MAP: skip_map(c, depth + 1); break;
    case THRIFT_STRUCT: skip_struct(c, depth + 1); break;
    default: damaged(c);
    }
}

void thrift_skip(struct cursor *c, const struct thrift_field *f)
{
    skip(c, f->type, false, 0);
}
