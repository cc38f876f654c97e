/* SPDX-License-Identifier: Apache-2.0 */
/* `weir baseline stats`: how much is kept of how many hosts, and of their classes. */
#include <stdlib.h>
#include <string.h>

#include "app/baseline_tool.h"

#define PLANNED_BYTES 4096 /* of state a host, on average: docs/detection.md */

struct sums { uint64_t hosts, bytes, largest, groups, full, evicted, rings, values, flags, flagged; };
struct class_row {
    uint64_t id;
    char name[96];
    struct sums sums;
    uint16_t days;
    uint64_t bytes; /* of the class itself */
};
struct stats {
    struct store *store;
    struct class_row *row; size_t n, cap; /* by id once all are read */
    struct sums all;
    uint64_t class_bytes, index_bytes;
    uint16_t days, last_day;
    struct fault *fault;
};

static void sums_add(struct sums *to, const struct sums *from)
{
    to->hosts += from->hosts;
    to->bytes += from->bytes;
    to->largest = from->largest > to->largest ? from->largest : to->largest;
    to->groups += from->groups;
    to->full += from->full;
    to->evicted += from->evicted;
    to->rings += from->rings;
    to->values += from->values;
    to->flags += from->flags;
    to->flagged += from->flagged;
}

static void count_ring(struct sums *s, const struct ring *r)
{
    s->rings += r->n > 0;
    s->values += r->n;
}

static struct sums sums_of(const struct known_host *h)
{
    const struct baseline *b = &h->baseline;
    struct sums s = {.hosts = 1, .bytes = h->bytes, .largest = h->bytes, .groups = b->groups, .full = b->groups == BASELINE_GROUPS,
                     .evicted = b->evicted, .flags = b->flags, .flagged = b->flags > 0};
    for (unsigned f = 0; f < FEATURE_COUNT; f++)
        count_ring(&s, &b->feature[f]);
    for (unsigned i = 0; i < b->groups; i++)
        count_ring(&s, &b->group[i].ring);
    return s;
}

/* ---- classes ---- */

static enum weir_err read_class(struct stats *st, uint64_t id, struct class_row *row)
{
    char key[17];
    struct buffer blob;
    struct class_state *c = NULL;
    store_id(id, key);
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = store_get(st->store, CLASS_BLOB, key, &blob, st->fault);
    if (!err && (err = class_decode((struct slice){blob.p, blob.n}, &c)))
        fault_set(st->fault, err, "store value 'f:%s': %s", key, weir_err_text(err));
    if (!err) {
        row->days = class_days(c);
        row->bytes = blob.n;
        st->class_bytes += blob.n;
        st->last_day = class_last_day(c) > st->last_day ? class_last_day(c) : st->last_day;
    }
    class_free(c);
    buffer_fini(&blob);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static enum weir_err take_class(void *ctx, const struct class_name *class)
{
    struct stats *st = ctx;
    struct class_row *row = array_grow(st->row, &st->cap, st->n, sizeof *row);
    if (!row)
        return fault_set(st->fault, WEIR_NOMEM, "out of memory");
    st->row = row;
    row = &st->row[st->n++];
    *row = (struct class_row){.id = class->id};
    snprintf(row->name, sizeof row->name, "%.*s", (int)(class->name.n < sizeof row->name ? class->name.n : sizeof row->name - 1), class->name.p);
    return WEIR_OK;
}

static enum weir_err read_classes(struct stats *st)
{
    struct class_row fleet = {.id = CLASS_FLEET}, young = {.id = CLASS_YOUNG};
    enum weir_err err = class_index_each(st->store, take_class, st, st->fault);
    if (!err)
        err = read_class(st, CLASS_FLEET, &fleet);
    if (!err)
        err = read_class(st, CLASS_YOUNG, &young);
    st->days = fleet.days;
    for (size_t i = 0; i < st->n && !err; i++)
        err = read_class(st, st->row[i].id, &st->row[i]);
    return err;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct class_row *)a)->id, y = ((const struct class_row *)b)->id;
    return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
    const struct class_row *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : by_id(a, b);
}

/* ---- hosts ---- */

static enum weir_err take_host(void *ctx, const struct host_entry *e)
{
    struct stats *st = ctx;
    struct known_host h;
    enum weir_err err = known_host_get(st->store, e, &h, st->fault);
    if (err)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    struct sums one = sums_of(&h);
    struct class_row key = {.id = h.baseline.class_id};
    struct class_row *row = st->n ? bsearch(&key, st->row, st->n, sizeof key, by_id) : NULL;
    if (row)
        sums_add(&row->sums, &one);
    sums_add(&st->all, &one);
    return WEIR_OK;
}

/* ---- words ---- */

static double average(uint64_t sum, uint64_t n) { return n ? (double)sum / (double)n : 0; }

static void put_bytes(struct buffer *out, uint64_t bytes)
{
    char text[BYTES_TEXT_MAX];
    bytes_format(bytes, text);
    buffer_puts(out, text);
}

static uint64_t state_bytes(const struct stats *st) { return st->all.bytes + st->class_bytes + st->index_bytes; }

static void put_totals(const struct stats *st, struct buffer *out)
{
    const struct sums *a = &st->all;
    char day[TIME_TEXT_MAX];
    day_text(st->last_day, day);
    buffer_printf(out, "hosts         %llu in %zu class%s\n", (unsigned long long)a->hosts, st->n, st->n == 1 ? "" : "es");
    buffer_printf(out, "days          %u learned%s%s\n", st->days, st->days ? ", the last " : "", st->days ? day : "");
    buffer_puts(out, "baselines     ");
    put_bytes(out, (uint64_t)average(a->bytes, a->hosts));
    buffer_puts(out, " a host on average, ");
    put_bytes(out, a->largest);
    buffer_puts(out, " the largest\nstate         ");
    put_bytes(out, (uint64_t)average(state_bytes(st), a->hosts));
    buffer_puts(out, " a host on average with classes and index; planned for ");
    put_bytes(out, PLANNED_BYTES);
    buffer_printf(out, "\ndestinations  %llu known, %.1f a host of at most %d; %llu host%s full, %llu destination%s dropped\n", (unsigned long long)a->groups,
                  average(a->groups, a->hosts), BASELINE_GROUPS, (unsigned long long)a->full, a->full == 1 ? " is" : "s are", (unsigned long long)a->evicted,
                  a->evicted == 1 ? "" : "s");
    buffer_printf(out, "rings         %llu with %llu values\n", (unsigned long long)a->rings, (unsigned long long)a->values);
    buffer_printf(out, "quarantine    %llu destination%s of %llu host%s\n", (unsigned long long)a->flags, a->flags == 1 ? "" : "s", (unsigned long long)a->flagged,
                  a->flagged == 1 ? "" : "s");
}

static void put_row(const struct class_row *row, struct buffer *out)
{
    const struct sums *s = &row->sums;
    struct buffer name;
    char average_text[BYTES_TEXT_MAX], largest[BYTES_TEXT_MAX], class[BYTES_TEXT_MAX];
    buffer_init(&name, 1024);
    escape_terminal(&name, slice_of(row->name));
    bytes_format((uint64_t)average(s->bytes, s->hosts), average_text);
    bytes_format(s->largest, largest);
    bytes_format(row->bytes, class);
    buffer_printf(out, "%-24s %8llu %5u %10s %10s %13.1f %8llu %11s\n", buffer_cstr(&name), (unsigned long long)s->hosts, row->days, average_text, largest,
                  average(s->groups, s->hosts), (unsigned long long)s->evicted, class);
    buffer_fini(&name);
}

static void put_table(const struct stats *st, struct buffer *out)
{
    put_totals(st, out);
    if (!st->n)
        return;
    buffer_printf(out, "\n%-24s %8s %5s %10s %10s %13s %8s %11s\n", "CLASS", "HOSTS", "DAYS", "BYTES/HOST", "LARGEST", "DESTINATIONS", "DROPPED", "CLASS BYTES");
    for (size_t i = 0; i < st->n; i++)
        put_row(&st->row[i], out);
}

static void put_sums(const struct sums *s, struct buffer *out)
{
    buffer_printf(out, "\"hosts\":%llu,\"baseline_bytes\":%llu,\"baseline_bytes_average\":%.1f,\"baseline_bytes_largest\":%llu,\"destinations\":%llu,"
                  "\"hosts_full\":%llu,\"destinations_dropped\":%llu,\"rings\":%llu,\"ring_values\":%llu,\"quarantined\":%llu",
                  (unsigned long long)s->hosts, (unsigned long long)s->bytes, average(s->bytes, s->hosts), (unsigned long long)s->largest,
                  (unsigned long long)s->groups, (unsigned long long)s->full, (unsigned long long)s->evicted, (unsigned long long)s->rings,
                  (unsigned long long)s->values, (unsigned long long)s->flags);
}

static void put_json(const struct stats *st, struct buffer *out)
{
    buffer_puts(out, "{");
    put_sums(&st->all, out);
    buffer_printf(out, ",\"days\":%u,\"class_bytes\":%llu,\"index_bytes\":%llu,\"state_bytes_per_host\":%.1f,\"state_bytes_per_host_planned\":%d,\"classes\":[",
                  st->days, (unsigned long long)st->class_bytes, (unsigned long long)st->index_bytes, average(state_bytes(st), st->all.hosts), PLANNED_BYTES);
    for (size_t i = 0; i < st->n; i++) {
        buffer_puts(out, i ? ",{\"name\":" : "{\"name\":");
        escape_json(out, slice_of(st->row[i].name));
        buffer_printf(out, ",\"days\":%u,\"class_bytes\":%llu,", st->row[i].days, (unsigned long long)st->row[i].bytes);
        put_sums(&st->row[i].sums, out);
        buffer_puts(out, "}");
    }
    buffer_puts(out, "]}\n");
}

enum weir_err baseline_stats(struct store *s, unsigned format, struct buffer *out, struct fault *fault)
{
    struct stats st = {.store = s, .fault = fault};
    enum weir_err err = read_classes(&st);
    if (!err)
        err = host_index_each(s, take_host, &st, fault);
    st.index_bytes = host_index_bytes(s);
    if (!err && st.n)
        qsort(st.row, st.n, sizeof *st.row, by_name);
    if (!err)
        (format == BASELINE_JSON ? put_json : put_table)(&st, out);
    free(st.row);
    return err ? err : out->err;
}
