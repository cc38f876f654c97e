/* SPDX-License-Identifier: Apache-2.0 */
/* What a run keeps in the store besides baselines, findings and windows: the ledger and its index by day, the run state.
 *   o <sha256>       blob 'o': string path, string key, varint stored, varint records, u64 first_s, u64 last_s
 *   s <sha256>       blob 's': the 32 bytes of an object's id; the key is of "path", NUL, "etag", NUL, "size" where it lies
 *   l <day, 4 hex>   blob 'l': 32-byte object ids, in the order of counting
 *   m 1              blob 'm': u8 enum context_grouping: how destinations were grouped at the last commit
 *   m 0              blob 'm': u64 watermark_s, u16 closed_through, varint days, days * u16, varint findings, findings * u64 */
#include <stdlib.h>
#include <string.h>
#include <string.h>

#include "app/pipeline.h"

#define VERSION 1
#define PATH_LIMIT 65536

static void day_id(uint16_t day, char id[8])
{
    unsigned char b[2] = {(unsigned char)(day >> 8), (unsigned char)day};
    hex_encode(b, sizeof b, id);
}

static enum weir_err put_blob(struct store *s, char kind, const char *id, struct buffer *b, struct fault *fault)
{
    enum weir_err err = b->err ? fault_set(fault, b->err, "cannot encode a value of kind '%c'", kind)
                               : store_put(s, kind, id, (struct slice){b->p, b->n}, fault);
    buffer_fini(b);
    return err;
}

static enum weir_err bad_value(struct fault *fault, enum weir_err err, char kind, const char *id)
{
    return fault_set(fault, err, "store value '%c:%s': %s", kind, id, weir_err_text(err));
}

/* ---- ledger ---- */

enum weir_err ledger_put(struct store *s, const struct ledger_entry *e, struct fault *fault)
{
    char id[2 * SHA256_BYTES + 1];
    struct buffer b;
    hex_encode(e->id.b, SHA256_BYTES, id);
    buffer_init(&b, 4 * PATH_LIMIT);
    size_t begin = blob_begin(&b, 'o', VERSION);
    buffer_string(&b, e->path);
    buffer_string(&b, e->key);
    buffer_varint(&b, e->stored);
    buffer_varint(&b, e->records);
    buffer_u64(&b, (uint64_t)e->first_s);
    buffer_u64(&b, (uint64_t)e->last_s);
    buffer_varint(&b, e->counted);
    blob_end(&b, begin);
    return put_blob(s, 'o', id, &b, fault);
}

enum weir_err ledger_get(struct store *s, const struct sha256 *object, struct buffer *keep, struct ledger_entry *out, struct fault *fault)
{
    char id[2 * SHA256_BYTES + 1];
    hex_encode(object->b, SHA256_BYTES, id);
    buffer_clear(keep);
    enum weir_err err = store_get(s, 'o', id, keep, fault);
    struct cursor c;
    uint8_t version;
    if (!err && (err = blob_open((struct slice){keep->p, keep->n}, 'o', VERSION, &version, &c)))
        return bad_value(fault, err, 'o', id);
    if (err)
        return err;
    *out = (struct ledger_entry){.id = *object, .path = cursor_string(&c, PATH_LIMIT)};
    out->key = cursor_string(&c, PATH_LIMIT);
    out->stored = cursor_varint(&c);
    out->records = cursor_varint(&c);
    out->first_s = (int64_t)cursor_u64(&c);
    out->last_s = (int64_t)cursor_u64(&c);
    if (cursor_left(&c)) /* older entries end here */
        out->counted = cursor_varint(&c);
    return c.err ? bad_value(fault, WEIR_CORRUPT, 'o', id) : WEIR_OK;
}

void ledger_name(void *store, const struct sha256 *object, struct buffer *out)
{
    struct buffer keep;
    struct ledger_entry entry;
    buffer_init(&keep, 1u << 20);
    if (ledger_get(store, object, &keep, &entry, NULL) == WEIR_OK)
        buffer_slice(out, entry.path.n ? entry.path : entry.key);
    buffer_fini(&keep);
}

bool ledger_has(struct store *s, const struct sha256 *object)
{
    char id[2 * SHA256_BYTES + 1];
    hex_encode(object->b, SHA256_BYTES, id);
    return store_has(s, 'o', id);
}

static void location_id(const struct object *o, char id[2 * SHA256_BYTES + 1])
{
    struct buffer b;
    struct sha256 digest;
    buffer_init(&b, 2 * PATH_LIMIT);
    buffer_put(&b, o->path, strlen(o->path) + 1);
    buffer_put(&b, o->etag, strlen(o->etag) + 1);
    buffer_printf(&b, "%llu", (unsigned long long)o->size_bytes);
    sha256_of(b.p, b.n, &digest);
    hex_encode(digest.b, sizeof digest.b, id);
    buffer_fini(&b);
}

enum weir_err ledger_locate(struct store *s, const struct object *o, struct sha256 *object, struct fault *fault)
{
    char id[2 * SHA256_BYTES + 1];
    struct buffer b;
    struct cursor c;
    uint8_t version;
    location_id(o, id);
    buffer_init(&b, 4096);
    enum weir_err err = store_get(s, 's', id, &b, fault);
    if (!err && (err = blob_open((struct slice){b.p, b.n}, 's', VERSION, &version, &c)))
        bad_value(fault, err, 's', id);
    if (!err) {
        struct slice bytes = cursor_bytes(&c, SHA256_BYTES);
        if (c.err)
            err = bad_value(fault, WEIR_CORRUPT, 's', id);
        else
            memcpy(object->b, bytes.p, SHA256_BYTES);
    }
    buffer_fini(&b);
    return err;
}

enum weir_err ledger_put_location(struct store *s, const struct object *o, const struct sha256 *object, struct fault *fault)
{
    char id[2 * SHA256_BYTES + 1];
    struct buffer b;
    location_id(o, id);
    buffer_init(&b, 4096);
    size_t begin = blob_begin(&b, 's', VERSION);
    buffer_put(&b, object->b, SHA256_BYTES);
    blob_end(&b, begin);
    return put_blob(s, 's', id, &b, fault);
}

enum weir_err ledger_day_get(struct store *s, uint16_t day, struct buffer *ids, struct fault *fault)
{
    char id[8];
    struct buffer b;
    day_id(day, id);
    buffer_init(&b, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'l', id, &b, fault);
    struct cursor c;
    uint8_t version;
    if (!err && (err = blob_open((struct slice){b.p, b.n}, 'l', VERSION, &version, &c)))
        bad_value(fault, err, 'l', id);
    if (!err) {
        struct slice all = cursor_bytes(&c, cursor_left(&c));
        buffer_slice(ids, all);
        err = ids->err;
    }
    buffer_fini(&b);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

enum weir_err ledger_day_put(struct store *s, uint16_t day, struct slice ids, struct fault *fault)
{
    char id[8];
    struct buffer b;
    day_id(day, id);
    buffer_init(&b, STORE_VALUE_MAX);
    size_t begin = blob_begin(&b, 'l', VERSION);
    buffer_slice(&b, ids);
    blob_end(&b, begin);
    return put_blob(s, 'l', id, &b, fault);
}

/* ---- run state ---- */

enum weir_err run_state_add_finding(struct run_state *st, uint64_t host_id)
{
    size_t low = 0, high = st->open_findings;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (st->open_finding[mid] < host_id)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < st->open_findings && st->open_finding[low] == host_id)
        return WEIR_OK;
    if (st->open_findings == OPEN_FINDINGS_MAX)
        return WEIR_LIMIT;
    uint64_t *all = array_grow(st->open_finding, &st->open_findings_cap, st->open_findings, sizeof *all);
    if (!all)
        return WEIR_NOMEM;
    st->open_finding = all;
    memmove(&all[low + 1], &all[low], (st->open_findings - low) * sizeof *all);
    all[low] = host_id;
    st->open_findings++;
    return WEIR_OK;
}

static enum weir_err run_state_read(struct cursor *c, struct run_state *out)
{
    out->watermark_s = (int64_t)cursor_u64(c);
    out->closed_through = cursor_u16(c);
    uint64_t days = cursor_varint(c);
    for (uint64_t i = 0; !c->err && i < days && i < RUN_OPEN_DAYS_MAX; i++)
        out->open_day[out->open_days++] = cursor_u16(c);
    uint64_t findings = cursor_varint(c);
    if (c->err || days > RUN_OPEN_DAYS_MAX || findings > OPEN_FINDINGS_MAX)
        return WEIR_CORRUPT;
    enum weir_err err = WEIR_OK;
    for (uint64_t i = 0; !c->err && !err && i < findings; i++)
        err = run_state_add_finding(out, cursor_u64(c));
    return c->err ? c->err : err;
}

enum weir_err run_state_get(struct store *s, struct run_state *out, struct fault *fault)
{
    memset(out, 0, sizeof *out);
    struct buffer b;
    struct cursor c;
    uint8_t version;
    buffer_init(&b, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'm', "0", &b, fault);
    if (!err && ((err = blob_open((struct slice){b.p, b.n}, 'm', VERSION, &version, &c)) || (err = run_state_read(&c, out))))
        bad_value(fault, err, 'm', "0");
    buffer_fini(&b);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

enum weir_err grouping_get(struct store *s, unsigned *out, struct fault *fault)
{
    struct buffer b;
    struct cursor c;
    uint8_t version;
    *out = 0;
    buffer_init(&b, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'm', "1", &b, fault);
    if (!err && !(err = blob_open((struct slice){b.p, b.n}, 'm', VERSION, &version, &c))) {
        *out = cursor_u8(&c);
        err = c.err;
    }
    if (err && err != WEIR_NOTFOUND)
        bad_value(fault, err, 'm', "1");
    buffer_fini(&b);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

enum weir_err grouping_put(struct store *s, unsigned grouping, struct fault *fault)
{
    struct buffer b;
    buffer_init(&b, 64);
    size_t begin = blob_begin(&b, 'm', VERSION);
    buffer_u8(&b, (uint8_t)grouping);
    blob_end(&b, begin);
    return put_blob(s, 'm', "1", &b, fault);
}

enum weir_err run_state_put(struct store *s, const struct run_state *st, struct fault *fault)
{
    struct buffer b;
    buffer_init(&b, STORE_VALUE_MAX);
    size_t begin = blob_begin(&b, 'm', VERSION);
    buffer_u64(&b, (uint64_t)st->watermark_s);
    buffer_u16(&b, st->closed_through);
    buffer_varint(&b, st->open_days);
    for (size_t i = 0; i < st->open_days; i++)
        buffer_u16(&b, st->open_day[i]);
    buffer_varint(&b, st->open_findings);
    for (size_t i = 0; i < st->open_findings; i++)
        buffer_u64(&b, st->open_finding[i]);
    blob_end(&b, begin);
    return put_blob(s, 'm', "0", &b, fault);
}

void run_state_free(struct run_state *st)
{
    free(st->open_finding);
    st->open_finding = NULL;
    st->open_findings = st->open_findings_cap = 0;
}
