/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of the rows of one day and bucket. Decoding merges, so a store may hold a bucket in several parts.
 *
 *   blob 'w' version 1: varint day, varint names, names * string   (accounts, flow logs and VPCs)
 *                       varint interfaces, interfaces * (varint account, string id, varint flow_log, varint vpc)
 *                       varint rows, rows * (varint interface, u8 kind, u64 hi, u64 lo, u8 level, u8 big level,
 *                                            varint cells, cells * cell)
 *   cell: u64 group, varint bytes_in, u8 hours, hours * (u8 hour, u8 ticks, varint bytes)
 *
 * Rows in order of host id, cells in order of group: the same sums give the same bytes. */
#include "table.h"

#include <stdlib.h>

#define VERSION 1

/* ---- encode ---- */

struct writer {
    const struct window *w;
    uint32_t last, interfaces;         /* the interface written last; how many are written */
    uint32_t name[64]; uint32_t names; /* recent names are few; more are written again */
    struct buffer names_out, interfaces_out, rows_out;
    struct ref *ref; uint32_t refs_cap; /* of one row; behind refs_cap as much room again for sorting */
};

static uint32_t name_number(struct writer *wr, uint32_t offset)
{
    struct slice s = text_at(wr->w, offset);
    uint32_t recent = wr->names < WEIR_COUNT(wr->name) ? wr->names : WEIR_COUNT(wr->name);
    for (uint32_t i = 0; i < recent; i++)
        if (wr->name[(wr->names - 1 - i) % WEIR_COUNT(wr->name)] == offset)
            return wr->names - 1 - i;
    for (uint32_t i = 0; i < recent; i++) {
        uint32_t number = wr->names - 1 - i;
        if (slice_eq(text_at(wr->w, wr->name[number % WEIR_COUNT(wr->name)]), s))
            return number;
    }
    wr->name[wr->names % WEIR_COUNT(wr->name)] = offset;
    buffer_string(&wr->names_out, s);
    return wr->names++;
}

/* Rows of one interface come together as a rule; one that comes again is written again, decoding merges it. */
static uint32_t interface_number(struct writer *wr, uint32_t interface)
{
    if (wr->interfaces && wr->last == interface)
        return wr->interfaces - 1;
    const struct interface *i = &wr->w->interface[interface];
    struct buffer *b = &wr->interfaces_out;
    buffer_varint(b, name_number(wr, i->account));
    buffer_string(b, text_at(wr->w, i->id));
    buffer_varint(b, name_number(wr, i->flow_log));
    buffer_varint(b, name_number(wr, i->vpc));
    wr->last = interface;
    return wr->interfaces++;
}

/* At most 24, and nearly in order as a rule. */
static void sort_hours(hour_t *h, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        hour_t x = h[i];
        size_t k = i;
        for (; k > 0 && h[k - 1] > x; k--)
            h[k] = h[k - 1];
        h[k] = x;
    }
}

#define CELL_BYTES_MAX (8 + 10 + 1 + 24 * (2 + 10))

static char *put_varint(char *p, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        *p++ = (char)(v | 128);
    *p++ = (char)v;
    return p;
}

/* By hand into reserved room: this is most of what a commit writes. */
static void encode_cell(struct writer *wr, const struct cell *c)
{
    WEIR_UNINITIALIZED hour_t hours[24];
    size_t n = cell_hours(wr->w, c, hours);
    sort_hours(hours, n);
    char *begin = buffer_reserve(&wr->rows_out, CELL_BYTES_MAX), *p = begin;
    if (!p)
        return;
    for (unsigned i = 0; i < 8; i++)
        *p++ = (char)(c->group >> 8 * i);
    p = put_varint(p, c->bytes_in);
    *p++ = (char)n;
    for (size_t i = 0; i < n; i++) {
        *p++ = (char)hour_of(hours[i]);
        *p++ = (char)hour_ticks(hours[i]);
        p = put_varint(p, hour_bytes(hours[i]));
    }
    wr->rows_out.n += (size_t)(p - begin);
}

#define AHEAD 32 /* cells fetched before they are written */
#define ROWS_AHEAD 12

static bool room_for_refs(struct writer *wr, uint32_t need)
{
    if (need <= wr->refs_cap)
        return true;
    struct ref *ref = realloc(wr->ref, (size_t)need * 4 * sizeof *ref);
    if (!ref)
        return false;
    wr->ref = ref;
    wr->refs_cap = need * 2;
    return true;
}

/* at: place of the row in the order. */
static enum weir_err encode_cells(struct writer *wr, uint32_t at)
{
    const struct order *o = &wr->w->order;
    uint32_t n = 0;
    if (!room_for_refs(wr, o->cell_start[at + 1] - o->cell_start[at]))
        return WEIR_NOMEM;
    for (uint32_t i = o->cell_start[at]; i < o->cell_start[at + 1] && o->cell[i] != NIL; i++) {
        if (i + AHEAD < o->cell_start[o->n] && o->cell[i + AHEAD] != NIL)
            __builtin_prefetch(&wr->w->cell[o->cell[i + AHEAD]]);
        const struct cell *c = &wr->w->cell[o->cell[i]];
        if (c->more != NIL)
            __builtin_prefetch(&wr->w->pool[c->more]);
        wr->ref[n++] = (struct ref){c->group, 0, o->cell[i]};
    }
    if (n)
        refs_sort(wr->ref, wr->ref + wr->refs_cap, n);
    buffer_varint(&wr->rows_out, n);
    for (uint32_t i = 0; i < n; i++)
        encode_cell(wr, &wr->w->cell[wr->ref[i].cell]);
    return WEIR_OK;
}

static enum weir_err encode_row(struct writer *wr, uint32_t at)
{
    const struct row *row = &wr->w->row[wr->w->order.row[at]];
    struct buffer *b = &wr->rows_out;
    buffer_varint(b, interface_number(wr, row->interface));
    buffer_u8(b, row->kind);
    buffer_u64(b, row->host.hi);
    buffer_u64(b, row->host.lo);
    buffer_u8(b, row->level[0]);
    buffer_u8(b, row->level[1]);
    return encode_cells(wr, at);
}

static enum weir_err write_blob(struct writer *wr, uint16_t day, uint32_t rows, struct buffer *out)
{
    if (wr->names_out.err || wr->interfaces_out.err || wr->rows_out.err)
        return WEIR_NOMEM;
    size_t begin = blob_begin(out, WINDOW_BLOB, VERSION);
    buffer_varint(out, day);
    buffer_varint(out, wr->names);
    buffer_put(out, wr->names_out.p, wr->names_out.n);
    buffer_varint(out, wr->interfaces);
    buffer_put(out, wr->interfaces_out.p, wr->interfaces_out.n);
    buffer_varint(out, rows);
    buffer_put(out, wr->rows_out.p, wr->rows_out.n);
    blob_end(out, begin);
    return out->err;
}

enum weir_err window_encode(struct window *w, int64_t day_s, unsigned bucket, struct buffer *out)
{
    enum weir_err err = window_order(w, (uint16_t)(day_s / DAY_S));
    if (err)
        return err;
    uint32_t first = w->order.start[bucket], end = w->order.start[bucket + 1];
    struct writer wr = {.w = w};
    buffer_init(&wr.names_out, out->max);
    buffer_init(&wr.interfaces_out, out->max);
    buffer_init(&wr.rows_out, out->max);
    for (uint32_t i = first; i < end && !err; i++) {
        if (i + 3 * ROWS_AHEAD < w->order.n) /* rows lie anywhere: bring them near, then what they name */
            __builtin_prefetch(&w->row[w->order.row[i + 3 * ROWS_AHEAD]]);
        if (i + 2 * ROWS_AHEAD < w->order.n)
            __builtin_prefetch(&w->interface[w->row[w->order.row[i + 2 * ROWS_AHEAD]].interface]);
        if (i + ROWS_AHEAD < w->order.n)
            __builtin_prefetch(&w->text[w->interface[w->row[w->order.row[i + ROWS_AHEAD]].interface].id]);
        err = encode_row(&wr, i);
    }
    if (!err)
        err = write_blob(&wr, (uint16_t)(day_s / DAY_S), end - first, out);
    buffer_fini(&wr.names_out);
    buffer_fini(&wr.interfaces_out);
    buffer_fini(&wr.rows_out);
    free(wr.ref);
    return err;
}

/* ---- decode ---- */

struct loader {
    struct window *w;
    struct cursor c;
    struct slice *name; uint64_t names;
    uint32_t *interface; uint64_t interfaces;
    uint16_t day;
};

static struct slice load_name(struct loader *l)
{
    uint64_t k = cursor_varint(&l->c);
    if (k < l->names)
        return l->name[k];
    if (!l->c.err)
        l->c.err = WEIR_CORRUPT;
    return (struct slice){"", 0};
}

static enum weir_err load_interfaces(struct loader *l)
{
    for (uint64_t i = 0; i < l->names; i++)
        l->name[i] = cursor_string(&l->c, UINT16_MAX);
    l->interfaces = cursor_varint(&l->c);
    if (l->c.err || l->interfaces > cursor_left(&l->c))
        return WEIR_CORRUPT;
    l->interface = malloc((l->interfaces + 1) * sizeof *l->interface);
    if (!l->interface)
        return WEIR_NOMEM;
    for (uint64_t i = 0; i < l->interfaces; i++) {
        struct interface_name name = {.account = load_name(l)};
        name.id = cursor_string(&l->c, UINT16_MAX);
        name.flow_log = load_name(l);
        name.vpc = load_name(l);
        if (l->c.err)
            return WEIR_CORRUPT;
        l->interface[i] = window_interface(l->w, &name);
        if (l->interface[i] == NIL)
            return l->w->interfaces >= l->w->limits.max_hosts ? WEIR_LIMIT : WEIR_NOMEM;
    }
    return WEIR_OK;
}

static enum weir_err load_cell(struct loader *l, uint32_t row)
{
    uint64_t group = cursor_u64(&l->c), in = cursor_varint(&l->c);
    unsigned hours = cursor_u8(&l->c);
    if (l->c.err || hours > 24 || group_kind(group) == GROUP_NONE || group_kind(group) >= GROUP_KINDS)
        return WEIR_CORRUPT;
    uint32_t k = cell_get(l->w, row, group);
    if (k == NIL)
        return WEIR_NOMEM;
    struct cell *c = &l->w->cell[k];
    bool sends = group_kind(group) != GROUP_IN && group_kind(group) < GROUP_POLICY;
    c->bytes_in = sat_add(c->bytes_in, in);
    for (unsigned i = 0; i < hours; i++) {
        unsigned hour = cursor_u8(&l->c), ticks = cursor_u8(&l->c);
        uint64_t bytes = cursor_varint(&l->c);
        if (l->c.err || hour > 23 || ticks > 63)
            return WEIR_CORRUPT;
        cell_add_hour(l->w, k, hour_make(hour, ticks, bytes));
        l->w->row[row].sent = sat_add(l->w->row[row].sent, sends ? bytes : 0);
    }
    return l->c.err ? WEIR_CORRUPT : WEIR_OK;
}

static enum weir_err load_row(struct loader *l)
{
    uint64_t interface = cursor_varint(&l->c);
    unsigned kind = cursor_u8(&l->c);
    struct ip host = {cursor_u64(&l->c), 0};
    host.lo = cursor_u64(&l->c);
    uint8_t level[2] = {cursor_u8(&l->c), 0};
    level[1] = cursor_u8(&l->c);
    uint64_t cells = cursor_varint(&l->c);
    if (l->c.err || interface >= l->interfaces || kind > ROW_INTERFACE || level[0] > 64 || level[1] > 64)
        return WEIR_CORRUPT;
    uint32_t row = row_get(l->w, l->interface[interface], host, l->day, (enum row_kind)kind);
    if (row == NIL)
        return l->w->rows - l->w->rows_free >= l->w->limits.max_hosts ? WEIR_LIMIT : WEIR_NOMEM;
    for (unsigned big = 0; big < 2; big++)
        row_raise_level(l->w, row, big, level[big]);
    enum weir_err err = WEIR_OK;
    for (uint64_t i = 0; i < cells && !err; i++)
        err = load_cell(l, row);
    return err;
}

enum weir_err window_decode(struct window *w, struct slice blob)
{
    struct loader l = {.w = w};
    uint8_t version;
    enum weir_err err = blob_open(blob, WINDOW_BLOB, VERSION, &version, &l.c);
    if (err)
        return err;
    uint64_t day = cursor_varint(&l.c);
    l.names = cursor_varint(&l.c);
    if (l.c.err || day == 0 || day > UINT16_MAX || l.names > cursor_left(&l.c))
        return WEIR_CORRUPT;
    l.day = (uint16_t)day;
    l.name = malloc((l.names + 1) * sizeof *l.name);
    err = l.name ? load_interfaces(&l) : WEIR_NOMEM;
    uint64_t rows = err ? 0 : cursor_varint(&l.c);
    for (uint64_t i = 0; i < rows && !err; i++)
        err = l.c.err ? WEIR_CORRUPT : load_row(&l);
    if (!err && (l.c.err || cursor_left(&l.c)))
        err = WEIR_CORRUPT;
    if (!err && w->nomem)
        err = WEIR_NOMEM;
    free(l.name);
    free(l.interface);
    return err;
}
