/* Columns side by side as records, by the rules and in the order in which a line of text is judged (walk.h): a row with two faults is
 * rejected for the same one as its line would be. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/parquet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/walk.h"

#define TAIL_BYTES 8 /* length of the footer, PAR1 */
/* Runs make rows from nothing. Real logs take three bytes a row and more, constant columns or not; what claims to do better is a bomb. */
#define ROWS_FREE 1000000u
#define ROWS_PER_BYTE 8u

/* Fields in the order of walk_line. */
static const uint8_t order[] = {
    FIELD_ACCOUNT_ID, FIELD_INTERFACE_ID, FIELD_TGW_SRC_ENI, FIELD_RESOURCE_ID, FIELD_TGW_ATTACHMENT_ID, FIELD_VPC_ID, FIELD_SUBNET_ID,
    FIELD_INSTANCE_ID, FIELD_SRCADDR, FIELD_DSTADDR, FIELD_SRCPORT, FIELD_DSTPORT, FIELD_PROTOCOL, FIELD_PACKETS, FIELD_BYTES,
    FIELD_START, FIELD_END, FIELD_PKT_SRCADDR, FIELD_PKT_DSTADDR, FIELD_TCP_FLAGS, FIELD_TRAFFIC_PATH, FIELD_ACTION, FIELD_LOG_STATUS,
    FIELD_FLOW_DIRECTION, FIELD_REJECT_REASON, FIELD_INTERFACE_TYPE};

struct row {
    struct record r;
    uint64_t has;
    uint32_t notes;
    uint8_t why; /* enum decode_reject; REJECT_COUNT: none so far */
    uint8_t field;
    struct value bad; /* what was refused */
};

struct parquet *parquet_new(void)
{
    struct parquet *pq = calloc(1, sizeof *pq);
    if (!pq)
        return NULL;
    pq->unpacker = unpacker_new();
    pq->rows = calloc(PARQUET_BATCH, sizeof *pq->rows);
    if (pq->unpacker && pq->rows)
        return pq;
    parquet_free(pq);
    return NULL;
}

void parquet_free(struct parquet *pq)
{
    if (!pq)
        return;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        column_free(pq->by_field[i]);
    unpacker_free(pq->unpacker);
    free(pq->footer.p);
    free(pq->head.p);
    free(pq->rows);
    free(pq);
}

/* ---- footer and schema ---- */

static enum weir_err footer_read(struct parquet *pq, struct fault *fault)
{
    unsigned char tail[TAIL_BYTES];
    uint64_t size = pq->bytes.size;
    if (size < 4 + TAIL_BYTES)
        return fault_set(fault, WEIR_TRUNCATED, "a Parquet file of %llu bytes", (unsigned long long)size);
    enum weir_err err = pq->bytes.read(pq->bytes.ctx, size - TAIL_BYTES, tail, sizeof tail, fault);
    if (err)
        return err;
    if (memcmp(tail + 4, "PARE", 4) == 0)
        return fault_set(fault, WEIR_UNSUPPORTED, "an encrypted Parquet footer");
    if (memcmp(tail + 4, "PAR1", 4) != 0)
        return fault_set(fault, WEIR_TRUNCATED, "the Parquet file does not end with PAR1: it is cut short");
    uint32_t n = load_32((const char *)tail);
    if (n == 0 || n > size - 4 - TAIL_BYTES)
        return fault_set(fault, WEIR_CORRUPT, "a Parquet footer of %u bytes in a file of %llu", n, (unsigned long long)size);
    if (n > PARQUET_FOOTER_MAX)
        return fault_set(fault, WEIR_LIMIT, "a Parquet footer of more than %u MiB", PARQUET_FOOTER_MAX >> 20);
    if (n > pq->footer.cap) {
        free(pq->footer.p);
        pq->footer = (struct memory){.p = malloc(n), .cap = n};
        if (!pq->footer.p) {
            pq->footer.cap = 0;
            return fault_set(fault, WEIR_NOMEM, "out of memory");
        }
    }
    pq->footer.n = n;
    return pq->bytes.read(pq->bytes.ctx, size - TAIL_BYTES - n, pq->footer.p, n, fault);
}

static bool is_number(unsigned field)
{
    static const uint8_t numbers[] = {FIELD_SRCPORT, FIELD_DSTPORT, FIELD_PROTOCOL, FIELD_PACKETS, FIELD_BYTES, FIELD_START, FIELD_END,
                                      FIELD_TCP_FLAGS, FIELD_TRAFFIC_PATH};
    return memchr(numbers, (int)field, sizeof numbers) != NULL;
}

static enum weir_err leaf_check(const struct parquet_leaf *leaf, struct fault *fault)
{
    const char *name = decode_field_name(leaf->field);
    bool number = leaf->type == PARQUET_INT32 || leaf->type == PARQUET_INT64;
    if (leaf->repeated)
        return fault_set(fault, WEIR_UNSUPPORTED, "column '%s' is a list", name);
    if (leaf->type == PARQUET_BYTES || (number && is_number(leaf->field)))
        return WEIR_OK;
    return fault_set(fault, WEIR_UNSUPPORTED, "column '%s' is of type %s", name, parquet_type_name(leaf->type));
}

static enum weir_err column_take(struct parquet *pq, unsigned field, unsigned index, struct fault *fault)
{
    struct column **c = &pq->by_field[field];
    if (!*c && !(*c = calloc(1, sizeof **c)))
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    (*c)->leaf = &pq->meta.leaf[index];
    (*c)->index = index;
    (*c)->field = (uint8_t)field;
    pq->column[pq->columns++] = *c;
    return leaf_check((*c)->leaf, fault);
}

/* The schema as a layout, so that what is needed is decided in one place. */
static enum weir_err layout_of(struct parquet *pq, struct layout *layout, struct fault *fault)
{
    bool seen[FIELD_COUNT] = {false};
    *layout = (struct layout){.columns = (uint16_t)pq->meta.leaves};
    for (unsigned i = 0; i < pq->meta.leaves; i++) {
        unsigned f = layout->field[i] = pq->meta.leaf[i].field;
        if (f < FIELD_COUNT && seen[f])
            return fault_set(fault, WEIR_EXISTS, "column '%s' stands twice", decode_field_name(f));
        if (f < FIELD_COUNT)
            seen[f] = true;
    }
    layout->transit_gateway = seen[FIELD_TGW_ID] || seen[FIELD_TGW_ATTACHMENT_ID];
    return WEIR_OK;
}

static enum weir_err columns_suffice(struct parquet *pq, const struct layout *layout, struct fault *fault)
{
    struct buffer words;
    enum weir_err err = WEIR_OK;
    buffer_init(&words, sizeof fault->text);
    layout_missing(layout, &words);
    if (words.n)
        err = fault_set(fault, WEIR_NOTFOUND, "%s%s", buffer_cstr(&words),
                        pq->meta.nested ? "; its columns stand in groups: is this another schema, as OCSF of a security lake?" : "");
    buffer_fini(&words);
    return err;
}

static enum weir_err columns_take(struct parquet *pq, struct fault *fault)
{
    pq->columns = 0;
    enum weir_err err = layout_of(pq, &pq->layout, fault);
    if (!err)
        err = columns_suffice(pq, &pq->layout, fault);
    if (err)
        return err;
    program_make(&pq->program, &pq->layout, false);
    for (size_t i = 0; i < sizeof order && !err; i++)
        if (pq->program.column[order[i]] != COLUMN_NONE)
            err = column_take(pq, order[i], pq->program.column[order[i]], fault);
    return err;
}

enum weir_err parquet_open(struct parquet *pq, const struct parquet_bytes *bytes, struct fault *fault)
{
    pq->bytes = *bytes;
    pq->row = pq->rows_left = 0;
    enum weir_err err = footer_read(pq, fault);
    if (!err)
        err = parquet_meta_parse((struct slice){(const char *)pq->footer.p, pq->footer.n}, &pq->meta, fault);
    if (!err && pq->meta.rows > ROWS_FREE && (pq->meta.rows - ROWS_FREE) / ROWS_PER_BYTE > bytes->size)
        err = fault_set(fault, WEIR_LIMIT, "%llu rows in %llu bytes", (unsigned long long)pq->meta.rows, (unsigned long long)bytes->size);
    return err ? err : columns_take(pq, fault);
}

/* ---- a column into the rows of a batch ---- */

#define EACH(statement)                                                                                              \
    for (unsigned i = 0; i < n; i++) {                                                                              \
        struct record *r = &row[i].r;                                                                               \
        const struct value *v = &c->value[i];                                                                       \
        statement;                                                                                                  \
    }                                                                                                               \
    break

static void interface_take(const struct column *c, struct row *row, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (row[i].r.interface.n == 0 && c->state[i] & VALUE_FINE)
            row[i].r.interface = c->value[i].text;
}

static void values_into(const struct column *c, struct row *row, unsigned n)
{
    switch (c->field) {
    case FIELD_ACCOUNT_ID: EACH(r->account = v->text);
    case FIELD_INTERFACE_ID:
    case FIELD_TGW_SRC_ENI:
    case FIELD_RESOURCE_ID:
    case FIELD_TGW_ATTACHMENT_ID: interface_take(c, row, n); break;
    case FIELD_VPC_ID: EACH(r->vpc = v->text);
    case FIELD_SUBNET_ID: EACH(r->subnet = v->text);
    case FIELD_INSTANCE_ID: EACH(r->instance = v->text);
    case FIELD_SRCADDR: EACH(r->src = v->ip);
    case FIELD_DSTADDR: EACH(r->dst = v->ip);
    case FIELD_PKT_SRCADDR: EACH(r->pkt_src = v->ip);
    case FIELD_PKT_DSTADDR: EACH(r->pkt_dst = v->ip);
    case FIELD_SRCPORT: EACH(r->src_port = (uint16_t)v->number);
    case FIELD_DSTPORT: EACH(r->dst_port = (uint16_t)v->number);
    case FIELD_PROTOCOL: EACH(r->protocol = (uint8_t)v->number);
    case FIELD_PACKETS: EACH(r->packets = v->number);
    case FIELD_BYTES: EACH(r->bytes = v->number);
    case FIELD_START: EACH(r->start_s = (int64_t)v->number);
    case FIELD_END: EACH(r->end_s = (int64_t)v->number);
    case FIELD_TCP_FLAGS: EACH(r->tcp_flags = (uint16_t)v->number);
    case FIELD_TRAFFIC_PATH: EACH(r->traffic_path = (uint8_t)v->number);
    case FIELD_ACTION: EACH(r->action = (uint8_t)v->number);
    case FIELD_LOG_STATUS: EACH(r->status = (uint8_t)v->number);
    case FIELD_FLOW_DIRECTION: EACH(r->direction = (uint8_t)v->number);
    case FIELD_INTERFACE_TYPE: EACH(r->forwarder_type = v->number != 0);
    default: break;
    }
}

static void state_odd(const struct column *c, struct row *row, unsigned i)
{
    uint8_t state = c->state[i];
    row->notes |= (state & VALUE_MS ? NOTE_BIT(TIMES_IN_MS) : 0) | (state & VALUE_ODD ? NOTE_BIT(ODD_STATUS) : 0);
    if (!(state & VALUE_FINE) && c->field < 64)
        row->has &= ~(1ULL << c->field);
    if (state & VALUE_WHY && row->why == REJECT_COUNT) {
        row->why = (uint8_t)((state & VALUE_WHY) - 1);
        row->field = c->field;
        row->bad = c->value[i];
    }
}

static void column_into(const struct column *c, struct row *row, unsigned n)
{
    values_into(c, row, n);
    for (unsigned i = 0; i < n; i++)
        if (c->state[i] != VALUE_FINE)
            state_odd(c, &row[i], i);
}

/* ---- rows ---- */

static void row_tell(const struct parquet *pq, struct row *row, struct decode_out *out)
{
    struct walk w = {.pg = &pq->program, .r = &row->r, .has = row->has, .notes = row->notes, .other_family = true, .why = REJECT_COUNT};
    if (row->why != REJECT_COUNT) {
        decode_refuse(out, row->why, row->r.line, row->field, row->bad.text);
        return;
    }
    if (!walk_sense(&w)) {
        decode_refuse(out, w.why, row->r.line, w.field, (struct slice){"", 0});
        return;
    }
    row->r.has = w.has;
    if (WEIR_UNLIKELY(w.notes))
        decode_notes(out, w.notes);
    decode_emit(out, &row->r);
}

static void rows_clear(struct parquet *pq, unsigned n)
{
    const struct record empty = {.transit_gateway = pq->program.transit_gateway, .text = {"", 0}};
    for (unsigned i = 0; i < n; i++) {
        pq->rows[i] = (struct row){.r = empty, .has = pq->program.has, .why = REJECT_COUNT};
        pq->rows[i].r.line = ++pq->row;
    }
}

static enum weir_err batch(struct parquet *pq, struct decode_out *out, struct fault *fault)
{
    uint64_t n = pq->rows_left < PARQUET_BATCH ? pq->rows_left : PARQUET_BATCH;
    for (unsigned i = 0; i < pq->columns; i++) {
        enum weir_err err = column_page(pq, pq->column[i], fault);
        if (err)
            return err;
        n = pq->column[i]->page_left < n ? pq->column[i]->page_left : n;
    }
    rows_clear(pq, (unsigned)n);
    for (unsigned i = 0; i < pq->columns; i++) {
        enum weir_err err = column_read(pq->column[i], (unsigned)n, fault);
        if (err)
            return err;
        column_into(pq->column[i], pq->rows, (unsigned)n);
    }
    for (unsigned i = 0; i < n; i++)
        row_tell(pq, &pq->rows[i], out);
    pq->rows_left -= n;
    return WEIR_OK;
}

static enum weir_err group_begin(struct parquet *pq, struct fault *fault)
{
    enum weir_err err = parquet_group_next(&pq->meta, &pq->group, fault);
    if (err == WEIR_END && pq->row != pq->meta.rows)
        return fault_set(fault, WEIR_CORRUPT, "%llu rows where the Parquet footer tells of %llu", (unsigned long long)pq->row, (unsigned long long)pq->meta.rows);
    if (!err && pq->group.rows > pq->meta.rows - pq->row)
        return fault_set(fault, WEIR_CORRUPT, "more rows in groups than in the Parquet file");
    for (unsigned i = 0; i < pq->columns && !err && pq->group.rows; i++)
        err = column_begin(pq, pq->column[i], fault);
    pq->rows_left = err ? 0 : pq->group.rows;
    return err;
}

enum weir_err parquet_rows(struct parquet *pq, struct decode_out *out, struct fault *fault)
{
    if (pq->rows_left == 0)
        return group_begin(pq, fault);
    return batch(pq, out, fault);
}
