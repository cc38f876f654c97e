/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in an array, found through open addressing; making them coarser builds the table anew. */
#include "app/tally.h"

#include <stdlib.h>
#include <string.h>

#include "weir/finding.h"

#define NO_ROW UINT32_MAX

void tally_init(struct tally *t, uint32_t max, unsigned levels, void (*coarsen)(struct tally_key *key, unsigned level))
{
    *t = (struct tally){.max = max, .levels = levels, .coarsen = coarsen};
}

void tally_fini(struct tally *t)
{
    free(t->row);
    free(t->head);
    *t = (struct tally){.max = t->max, .levels = t->levels, .coarsen = t->coarsen};
}

void tally_clear(struct tally *t)
{
    if (t->rows)
        memset(t->head, 0, t->heads * sizeof *t->head);
    t->rows = 0;
    t->level = 0;
    t->lost = 0;
}

static uint32_t slot_of(const struct tally *t, const struct tally_key *key)
{
    uint32_t at = (uint32_t)hash_bytes(key, sizeof *key) & (t->heads - 1);
    while (t->head[at] && memcmp(&t->row[t->head[at] - 1].key, key, sizeof *key) != 0)
        at = (at + 1) & (t->heads - 1);
    return at;
}

static bool grow(struct tally *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : 16, heads = cap * 2;
    struct tally_row *row = realloc(t->row, cap * sizeof *row);
    if (row)
        t->row = row;
    uint32_t *head = calloc(heads, sizeof *head);
    if (!row || !head) {
        free(head);
        t->nomem = true;
        return false;
    }
    free(t->head);
    t->head = head;
    t->heads = heads;
    t->cap = cap;
    for (uint32_t i = 0; i < t->rows; i++)
        t->head[slot_of(t, &t->row[i].key)] = i + 1;
    return true;
}

void tally_join(struct tally_row *to, const struct tally_row *from)
{
    to->bytes = sat_add(to->bytes, from->bytes);
    to->records = sat_add(to->records, from->records);
    to->days |= from->days;
    to->first_s = from->first_s < to->first_s ? from->first_s : to->first_s;
    to->last_s = from->last_s > to->last_s ? from->last_s : to->last_s;
}

static uint32_t add_at_level(struct tally *t, const struct tally_row *row)
{
    if (t->rows == t->cap && !grow(t))
        return NO_ROW;
    uint32_t at = slot_of(t, &row->key);
    if (t->head[at]) {
        tally_join(&t->row[t->head[at] - 1], row);
        return t->head[at] - 1;
    }
    if (t->rows >= t->max && t->level + 1 >= t->levels) {
        t->lost = sat_add(t->lost, row->records);
        return NO_ROW;
    }
    t->row[t->rows] = *row;
    t->head[at] = ++t->rows;
    return t->rows - 1;
}

void tally_raise(struct tally *t)
{
    uint32_t n = t->rows;
    t->level++;
    t->rows = 0;
    if (n)
        memset(t->head, 0, t->heads * sizeof *t->head);
    for (uint32_t i = 0; i < n; i++) { /* never writes beyond i */
        struct tally_row row = t->row[i];
        t->coarsen(&row.key, t->level);
        add_at_level(t, &row);
    }
}

uint32_t tally_add(struct tally *t, const struct tally_row *row)
{
    struct tally_row own = *row;
    if (t->level)
        t->coarsen(&own.key, t->level);
    uint32_t i = add_at_level(t, &own);
    while (t->rows > t->max && t->level + 1 < t->levels) {
        tally_raise(t);
        i = NO_ROW; /* it moved */
    }
    return i;
}

uint32_t tally_find(const struct tally *t, const struct tally_key *key)
{
    return t->heads ? t->head[slot_of(t, key)] - 1 : NO_ROW; /* an empty slot holds 0 */
}

void tally_merge(struct tally *to, const struct tally *from)
{
    while (to->level < from->level)
        tally_raise(to);
    for (uint32_t i = 0; i < from->rows; i++)
        tally_add(to, &from->row[i]);
    to->lost = sat_add(to->lost, from->lost);
    to->nomem |= from->nomem;
}

int tally_key_compare(const struct tally_key *a, const struct tally_key *b)
{
    const int order[] = {(a->role > b->role) - (a->role < b->role), ip_cmp(a->host, b->host), (a->interface > b->interface) - (a->interface < b->interface),
                         (a->protocol > b->protocol) - (a->protocol < b->protocol), (a->port > b->port) - (a->port < b->port),
                         (a->kind > b->kind) - (a->kind < b->kind), ip_cmp(a->end, b->end), (a->flow_log > b->flow_log) - (a->flow_log < b->flow_log)};
    for (size_t i = 0; i < WEIR_COUNT(order); i++)
        if (order[i])
            return order[i];
    return 0;
}

static int compare_rows(const void *a, const void *b) { return tally_key_compare(&((const struct tally_row *)a)->key, &((const struct tally_row *)b)->key); }

void tally_sort(struct tally *t)
{
    if (t->rows)
        qsort(t->row, t->rows, sizeof *t->row, compare_rows);
}

struct tally_row tally_row_of(uint64_t bytes, int64_t start_s, int64_t end_s)
{
    struct tally_row row;
    memset(&row, 0, sizeof row);
    row.bytes = bytes;
    row.records = 1;
    row.days = 1ULL << (start_s / DAY_S & 63);
    row.first_s = start_s;
    row.last_s = end_s;
    return row;
}

void tally_format(const struct tally_row *row, struct buffer *out)
{
    char bytes[FINDING_BYTES_TEXT_MAX];
    int days = __builtin_popcountll(row->days);
    finding_bytes(row->bytes, bytes);
    buffer_printf(out, "%s in %llu record%s on %s%d day%s", bytes, (unsigned long long)row->records, row->records == 1 ? "" : "s",
                  days == 64 ? "at least " : "", days, days == 1 ? "" : "s");
}
