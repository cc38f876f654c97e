/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of a class.
 *   blob 'f' version 1: u64 id, u16 days, u16 last_day, u32 hosts, varint full, FEATURE_COUNT bytes quartile,
 *   u8 calendar days, each (u16 day, u8 tests, each (u8 test, varint host_days, varint above, varint n, n bytes)),
 *   varint groups, each (u64 group, varint hosts, u16 last_day, u8 reference). */
#include "baseline/class.h"

#include <stdlib.h>
#include <string.h>

static void put_calendar(struct buffer *b, const struct class_calendar *at)
{
    uint8_t n = 0;
    for (unsigned t = 0; t < BASELINE_HISTORIES; t++)
        n = (uint8_t)(n + (at->test[t].host_days != 0));
    buffer_u16(b, at->day);
    buffer_u8(b, n);
    for (unsigned t = 0; t < BASELINE_HISTORIES; t++) {
        const struct class_day *d = &at->test[t];
        if (!d->host_days)
            continue;
        buffer_u8(b, (uint8_t)t);
        buffer_varint(b, d->host_days);
        buffer_varint(b, d->above);
        buffer_varint(b, d->n);
        buffer_put(b, d->excess, d->n);
    }
}

enum weir_err class_encode(const struct class_state *c, struct buffer *out)
{
    uint8_t days = 0;
    for (unsigned i = 0; i < CALIBRATION_DAYS; i++)
        days = (uint8_t)(days + (c->calendar[i].day != 0));
    size_t begin = blob_begin(out, CLASS_BLOB, CLASS_VERSION);
    buffer_u64(out, c->id);
    buffer_u16(out, c->days);
    buffer_u16(out, c->last_day);
    buffer_u32(out, c->hosts);
    buffer_varint(out, c->full);
    buffer_put(out, c->quartile, sizeof c->quartile);
    buffer_u8(out, days);
    for (unsigned i = 0; i < CALIBRATION_DAYS; i++)
        if (c->calendar[i].day)
            put_calendar(out, &c->calendar[i]);
    buffer_varint(out, c->groups);
    for (size_t i = 0; i < c->groups; i++) {
        buffer_u64(out, c->group[i].group);
        buffer_varint(out, c->group[i].hosts);
        buffer_u16(out, c->group[i].last_day);
        buffer_u8(out, c->group[i].reference);
    }
    blob_end(out, begin);
    return out->err;
}

static void get_test(struct cursor *c, struct class_calendar *at)
{
    unsigned t = cursor_u8(c);
    uint64_t host_days = cursor_varint(c), above = cursor_varint(c), n = cursor_varint(c);
    struct slice excess = cursor_bytes(c, n > CALIBRATION_KEPT ? CALIBRATION_KEPT : n);
    if (c->err || t >= BASELINE_HISTORIES || n > CALIBRATION_KEPT || at->test[t].excess) {
        c->err = c->err ? c->err : WEIR_CORRUPT;
        return;
    }
    struct class_day *d = &at->test[t];
    if (!(d->excess = malloc(n + 1))) {
        c->err = WEIR_NOMEM;
        return;
    }
    if (n)
        memcpy(d->excess, excess.p, n);
    d->host_days = host_days;
    d->above = above;
    d->n = d->cap = (uint16_t)n;
    for (unsigned i = 1; i < n; i++)
        if (d->excess[i] > d->excess[i - 1])
            c->err = WEIR_CORRUPT;
}

static void get_calendar(struct cursor *c, struct class_state *out)
{
    for (unsigned days = cursor_u8(c); days > 0 && !c->err; days--) {
        uint16_t day = cursor_u16(c);
        struct class_calendar *at = &out->calendar[day % CALIBRATION_DAYS];
        if (at->day) {
            c->err = WEIR_CORRUPT;
            return;
        }
        at->day = day;
        for (unsigned n = cursor_u8(c); n > 0 && !c->err; n--)
            get_test(c, at);
    }
}

static void get_groups(struct cursor *c, struct class_state *out)
{
    uint64_t n = cursor_varint(c);
    if (c->err || n > cursor_left(c) / 12) { /* u64, varint, u16, u8 at least */
        c->err = c->err ? c->err : WEIR_CORRUPT;
        return;
    }
    if (!(out->group = malloc((n + 1) * sizeof *out->group))) {
        c->err = WEIR_NOMEM;
        return;
    }
    out->cap = n + 1;
    for (uint64_t i = 0; i < n && !c->err; i++) {
        struct class_group *g = &out->group[i];
        *g = (struct class_group){.group = cursor_u64(c), .hosts = (uint32_t)cursor_varint(c)};
        g->last_day = cursor_u16(c);
        g->reference = cursor_u8(c);
        if (i && g->group <= g[-1].group)
            c->err = WEIR_CORRUPT;
    }
    out->groups = c->err ? 0 : n;
}

enum weir_err class_decode(struct slice blob, struct class_state **out)
{
    struct cursor c;
    uint8_t version;
    enum weir_err err = blob_open(blob, CLASS_BLOB, CLASS_VERSION, &version, &c);
    if (err)
        return err;
    struct class_state *s = class_new(cursor_u64(&c));
    if (!s)
        return WEIR_NOMEM;
    s->days = cursor_u16(&c);
    s->last_day = cursor_u16(&c);
    s->hosts = cursor_u32(&c);
    s->full = cursor_varint(&c);
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        s->quartile[f] = cursor_u8(&c);
    get_calendar(&c, s);
    get_groups(&c, s);
    if (c.err || cursor_left(&c)) {
        class_free(s);
        return c.err == WEIR_NOMEM ? WEIR_NOMEM : WEIR_CORRUPT;
    }
    *out = s;
    return WEIR_OK;
}
