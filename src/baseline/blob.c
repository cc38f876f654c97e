/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of a baseline.
 *   blob 'h' version 1: u64 host_id, u64 hi, u64 lo, u16 first_day, u16 last_day, u16 days, varint evicted,
 *   u16 finding_first_day, u16 finding_last_day, FEATURE_COUNT * ring, u8 groups,
 *   groups * (u64 group, u16 first_day, u16 last_day, varint days, ring);   ring: u8 n, n bytes */
#include "weir/baseline.h"

static void put_ring(struct buffer *b, const struct ring *r)
{
    buffer_u8(b, r->n);
    buffer_put(b, r->v, r->n);
}

static void get_ring(struct cursor *c, struct ring *r)
{
    r->n = cursor_u8(c);
    if (r->n > BASELINE_RING)
        c->err = c->err ? c->err : WEIR_CORRUPT;
    for (unsigned i = 0; !c->err && i < r->n; i++)
        r->v[i] = cursor_u8(c);
}

enum weir_err baseline_encode(const struct baseline *b, struct buffer *out)
{
    size_t begin = blob_begin(out, BASELINE_BLOB, BASELINE_VERSION);
    buffer_u64(out, b->host_id);
    buffer_u64(out, b->host.hi);
    buffer_u64(out, b->host.lo);
    buffer_u16(out, b->first_day);
    buffer_u16(out, b->last_day);
    buffer_u16(out, b->days);
    buffer_varint(out, b->evicted);
    buffer_u16(out, b->finding_first_day);
    buffer_u16(out, b->finding_last_day);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        put_ring(out, &b->feature[i]);
    buffer_u8(out, (uint8_t)b->groups);
    for (unsigned i = 0; i < b->groups; i++) {
        const struct baseline_group *g = &b->group[i];
        buffer_u64(out, g->group);
        buffer_u16(out, g->first_day);
        buffer_u16(out, g->last_day);
        buffer_varint(out, g->days);
        put_ring(out, &g->ring);
    }
    blob_end(out, begin);
    return out->err;
}

static void get_group(struct cursor *c, struct baseline_group *g)
{
    g->group = cursor_u64(c);
    g->first_day = cursor_u16(c);
    g->last_day = cursor_u16(c);
    uint64_t days = cursor_varint(c);
    g->days = days > UINT16_MAX ? UINT16_MAX : (uint16_t)days;
    get_ring(c, &g->ring);
    if (!c->err && g->ring.n == 0)
        c->err = WEIR_CORRUPT; /* a group is made by its first value */
}

enum weir_err baseline_decode(struct slice blob, struct baseline *out)
{
    struct cursor c;
    uint8_t version;
    enum weir_err err = blob_open(blob, BASELINE_BLOB, BASELINE_VERSION, &version, &c);
    if (err)
        return err;
    uint64_t host_id = cursor_u64(&c);
    struct ip host = {cursor_u64(&c), 0};
    host.lo = cursor_u64(&c);
    baseline_init(out, host_id, host);
    out->first_day = cursor_u16(&c);
    out->last_day = cursor_u16(&c);
    out->days = cursor_u16(&c);
    out->evicted = (uint32_t)cursor_varint(&c);
    out->finding_first_day = cursor_u16(&c);
    out->finding_last_day = cursor_u16(&c);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        get_ring(&c, &out->feature[i]);
    out->groups = cursor_u8(&c);
    if (!c.err && out->groups > BASELINE_GROUPS)
        return WEIR_CORRUPT;
    for (unsigned i = 0; !c.err && i < out->groups; i++) {
        get_group(&c, &out->group[i]);
        if (i && out->group[i].group <= out->group[i - 1].group)
            return WEIR_CORRUPT;
    }
    return c.err || cursor_left(&c) ? WEIR_CORRUPT : WEIR_OK;
}
