/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of a baseline.
 *   blob 'h' version 2: u64 host_id, u64 class_id, u64 hi, u64 lo, u16 first_day, u16 last_day, u16 days, u8 anchor, u8 anchor_days, varint evicted,
 *   FEATURE_COUNT * ring, profile, u8 runs, runs * (u8 test, u16 day, u16 last_day, u8 excess),
 *   u8 flags, flags * (u64 group, u16 day, u8 value), u8 countries, countries * (u16 country, u16 last_day), u8 groups,
 *   groups * (u64 group, u16 first_day, u16 last_day, varint days, varint born, u32 hours, varint total, ring)
 *   ring: u8 n, n bytes; profile: u8 days[2], u8 weeks[7], 24 * (u8 count, varint squares), means of what was learned, each
 *   24 * varint. */
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

static void put_hours(struct buffer *b, const uint16_t mean[24])
{
    for (unsigned h = 0; h < 24; h++)
        buffer_varint(b, mean[h]);
}

#define HOUR_MAX (48 * 32) /* 2^64 bytes on the scale of the profile */

static void get_hours(struct cursor *c, uint16_t mean[24])
{
    for (unsigned h = 0; h < 24; h++) {
        uint64_t v = cursor_varint(c);
        if (v > HOUR_MAX)
            c->err = c->err ? c->err : WEIR_CORRUPT;
        mean[h] = (uint16_t)v;
    }
}

static void put_profile(struct buffer *b, const struct baseline_profile *p)
{
    buffer_put(b, p->days, sizeof p->days);
    buffer_put(b, p->weeks, sizeof p->weeks);
    for (unsigned h = 0; h < 24; h++) {
        buffer_u8(b, (uint8_t)p->count[h]);
        buffer_varint(b, p->squares[h]);
    }
    for (unsigned i = 0; i < WEIR_COUNT(p->days); i++)
        if (p->days[i])
            put_hours(b, p->mean[i]);
    for (unsigned i = 0; i < WEIR_COUNT(p->weeks); i++)
        if (p->weeks[i])
            put_hours(b, p->week[i]);
}

static void get_profile(struct cursor *c, struct baseline_profile *p)
{
    for (unsigned i = 0; i < WEIR_COUNT(p->days); i++)
        p->days[i] = cursor_u8(c);
    for (unsigned i = 0; i < WEIR_COUNT(p->weeks); i++)
        p->weeks[i] = cursor_u8(c);
    for (unsigned h = 0; h < 24; h++) {
        p->count[h] = cursor_u8(c);
        p->squares[h] = (uint32_t)cursor_varint(c);
    }
    for (unsigned i = 0; i < WEIR_COUNT(p->days); i++)
        if (p->days[i])
            get_hours(c, p->mean[i]);
    for (unsigned i = 0; i < WEIR_COUNT(p->weeks); i++)
        if (p->weeks[i])
            get_hours(c, p->week[i]);
}

static void put_runs(struct buffer *b, const struct baseline *h)
{
    uint8_t n = 0;
    for (unsigned t = 0; t < BASELINE_HISTORIES; t++)
        n = (uint8_t)(n + (h->run[t].day != 0));
    buffer_u8(b, n);
    for (unsigned t = 0; t < BASELINE_HISTORIES; t++) {
        const struct baseline_run *r = &h->run[t];
        if (!r->day)
            continue;
        buffer_u8(b, (uint8_t)t);
        buffer_u16(b, r->day);
        buffer_u16(b, r->last_day);
        buffer_u8(b, r->excess);
    }
}

static void get_runs(struct cursor *c, struct baseline *h)
{
    for (unsigned n = cursor_u8(c); n > 0 && !c->err; n--) {
        unsigned t = cursor_u8(c);
        if (t >= BASELINE_HISTORIES) {
            c->err = WEIR_CORRUPT;
            return;
        }
        h->run[t].day = cursor_u16(c);
        h->run[t].last_day = cursor_u16(c);
        h->run[t].excess = cursor_u8(c);
    }
}

enum weir_err baseline_encode(const struct baseline *b, struct buffer *out)
{
    size_t begin = blob_begin(out, BASELINE_BLOB, BASELINE_VERSION);
    buffer_u64(out, b->host_id);
    buffer_u64(out, b->class_id);
    buffer_u64(out, b->host.hi);
    buffer_u64(out, b->host.lo);
    buffer_u16(out, b->first_day);
    buffer_u16(out, b->last_day);
    buffer_u16(out, b->days);
    buffer_u8(out, b->anchor);
    buffer_u8(out, b->anchor_days);
    buffer_varint(out, b->evicted);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        put_ring(out, &b->feature[i]);
    put_profile(out, &b->profile);
    put_runs(out, b);
    buffer_u8(out, b->flags);
    for (unsigned i = 0; i < b->flags; i++) {
        buffer_u64(out, b->flag[i].group);
        buffer_u16(out, b->flag[i].day);
        buffer_u8(out, b->flag[i].value);
    }
    buffer_u8(out, b->countries);
    for (unsigned i = 0; i < b->countries; i++) {
        buffer_u16(out, b->country[i].country);
        buffer_u16(out, b->country[i].last_day);
    }
    buffer_u8(out, (uint8_t)b->groups);
    for (unsigned i = 0; i < b->groups; i++) {
        const struct baseline_group *g = &b->group[i];
        buffer_u64(out, g->group);
        buffer_u16(out, g->first_day);
        buffer_u16(out, g->last_day);
        buffer_varint(out, g->days);
        buffer_varint(out, g->born);
        buffer_u32(out, g->hours);
        buffer_varint(out, g->total);
        put_ring(out, &g->ring);
    }
    blob_end(out, begin);
    return out->err;
}

static uint16_t get_small(struct cursor *c)
{
    uint64_t v = cursor_varint(c);
    return v > UINT16_MAX ? UINT16_MAX : (uint16_t)v;
}

static void get_group(struct cursor *c, struct baseline_group *g)
{
    g->group = cursor_u64(c);
    g->first_day = cursor_u16(c);
    g->last_day = cursor_u16(c);
    g->days = get_small(c);
    g->born = get_small(c);
    g->hours = cursor_u32(c);
    g->total = cursor_varint(c);
    get_ring(c, &g->ring);
    if (!c->err && g->ring.n == 0)
        c->err = WEIR_CORRUPT; /* a group is made by its first value */
}

static void get_lists(struct cursor *c, struct baseline *out)
{
    out->flags = cursor_u8(c);
    if (out->flags > BASELINE_FLAGS)
        c->err = c->err ? c->err : WEIR_CORRUPT;
    for (unsigned i = 0; !c->err && i < out->flags; i++) {
        out->flag[i].group = cursor_u64(c);
        out->flag[i].day = cursor_u16(c);
        out->flag[i].value = cursor_u8(c);
    }
    out->countries = cursor_u8(c);
    if (out->countries > BASELINE_COUNTRIES)
        c->err = c->err ? c->err : WEIR_CORRUPT;
    for (unsigned i = 0; !c->err && i < out->countries; i++) {
        out->country[i].country = cursor_u16(c);
        out->country[i].last_day = cursor_u16(c);
    }
}

enum weir_err baseline_decode(struct slice blob, struct baseline *out)
{
    struct cursor c;
    uint8_t version;
    enum weir_err err = blob_open(blob, BASELINE_BLOB, BASELINE_VERSION, &version, &c);
    if (err || version != BASELINE_VERSION)
        return err ? err : WEIR_CORRUPT;
    baseline_init(out, cursor_u64(&c), (struct ip){0, 0});
    out->class_id = cursor_u64(&c);
    out->host.hi = cursor_u64(&c);
    out->host.lo = cursor_u64(&c);
    out->first_day = cursor_u16(&c);
    out->last_day = cursor_u16(&c);
    out->days = cursor_u16(&c);
    out->anchor = cursor_u8(&c);
    out->anchor_days = cursor_u8(&c);
    out->evicted = (uint32_t)cursor_varint(&c);
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        get_ring(&c, &out->feature[i]);
    get_profile(&c, &out->profile);
    get_runs(&c, out);
    get_lists(&c, out);
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
