/* SPDX-License-Identifier: Apache-2.0 */
/* `weir baseline export | import`: what is normal, as one file. Values are copied byte for byte, so an export of what was imported is the
 * same file again.
 *
 * The file is a row of blobs (base: blob_begin):
 *   'x'  string "weir baselines", u64 watermark_s, u16 closed_through, u8 grouping
 *   'e'  u8 kind, string id, string value: an index (i), a baseline (h) or a class (f), in the order of the index
 *   'z'  u64 number of values: without it the file was cut short
 * Open days and the ledger stay behind: their logs are to be fed again. Days up to closed_through are not learned a second time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/baseline_tool.h"
#include "app/pipeline.h"

#define VERSION 1
#define TITLE "weir baselines"
#define HEAD_BYTES 11  /* of a blob before its payload: magic, kind, version, flags, length */
#define TAIL_BYTES 4   /* its checksum */
#define INDEX 'i'
#define INDEX_BUCKETS 256
#define INDEX_CLASSES "100"
#define ENTRY_MAX ((size_t)STORE_VALUE_MAX + 256)

/* Of a value of that kind: can it be used? */
static enum weir_err check_value(char kind, struct slice value)
{
    struct cursor c;
    uint8_t version;
    if (kind == BASELINE_BLOB) {
        struct baseline b;
        return baseline_decode(value, &b);
    }
    if (kind == CLASS_BLOB) {
        struct class_state *class = NULL;
        enum weir_err err = class_decode(value, &class);
        class_free(class);
        return err;
    }
    return blob_open(value, kind, UINT8_MAX, &version, &c);
}

static void tell_damaged(struct app *app, char kind, const char *id, enum weir_err err, struct baseline_moved *moved)
{
    char name[STORE_ID_MAX + 4];
    snprintf(name, sizeof name, "%c:%s", kind, id);
    log_error(app->log, "value damaged, left out", LOG_TEXT("value", slice_of(name)), LOG_TEXT("cause", slice_of(weir_err_text(err))));
    moved->damaged++;
}

/* ---- export ---- */

struct export {
    struct app *app;
    struct store *store;
    FILE *to;
    struct buffer value, blob;
    struct baseline_moved *moved;
    struct fault *fault;
};

static enum weir_err write_blob(struct export *e)
{
    if (e->blob.err)
        return fault_set(e->fault, e->blob.err, "cannot export baselines: %s", weir_err_text(e->blob.err));
    bool ok = fwrite(e->blob.p, 1, e->blob.n, e->to) == e->blob.n;
    return ok ? WEIR_OK : fault_set(e->fault, WEIR_IO, "cannot write the export: %s", strerror(errno));
}

static enum weir_err export_value(struct export *e, char kind, const char *id)
{
    buffer_clear(&e->value);
    enum weir_err err = store_get(e->store, kind, id, &e->value, e->fault);
    struct slice value = {e->value.p, e->value.n};
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (!err && (err = check_value(kind, value)) && err != WEIR_NOMEM) {
        tell_damaged(e->app, kind, id, err, e->moved);
        return WEIR_OK;
    }
    if (err)
        return err;
    buffer_clear(&e->blob);
    size_t begin = blob_begin(&e->blob, 'e', VERSION);
    buffer_u8(&e->blob, (uint8_t)kind);
    buffer_string(&e->blob, slice_of(id));
    buffer_string(&e->blob, value);
    blob_end(&e->blob, begin);
    e->moved->values++;
    return write_blob(e);
}

static enum weir_err export_host(void *ctx, const struct host_entry *host)
{
    char key[17];
    store_id(host->id, key);
    return export_value(ctx, BASELINE_BLOB, key);
}

static enum weir_err export_class(void *ctx, const struct class_name *class)
{
    char key[17];
    store_id(class->id, key);
    return export_value(ctx, CLASS_BLOB, key);
}

static enum weir_err export_head(struct export *e)
{
    struct run_state state;
    unsigned grouping = 0;
    enum weir_err err = run_state_get(e->store, &state, e->fault);
    if (!err)
        err = grouping_get(e->store, &grouping, e->fault);
    size_t begin = blob_begin(&e->blob, 'x', VERSION);
    buffer_string(&e->blob, SLICE_LIT(TITLE));
    buffer_u64(&e->blob, (uint64_t)state.watermark_s);
    buffer_u16(&e->blob, state.closed_through);
    buffer_u8(&e->blob, (uint8_t)grouping);
    blob_end(&e->blob, begin);
    run_state_free(&state);
    return err ? err : write_blob(e);
}

static enum weir_err export_indexes(struct export *e)
{
    enum weir_err err = export_value(e, INDEX, INDEX_CLASSES);
    for (unsigned bucket = 0; bucket < INDEX_BUCKETS && !err; bucket++) {
        char key[4];
        snprintf(key, sizeof key, "%02x", bucket);
        err = export_value(e, INDEX, key);
    }
    return err;
}

static enum weir_err export_all(struct export *e)
{
    const struct class_name fleet = {.id = CLASS_FLEET}, young = {.id = CLASS_YOUNG};
    enum weir_err err = export_head(e);
    if (!err)
        err = export_indexes(e);
    if (!err)
        err = export_class(e, &fleet);
    if (!err)
        err = export_class(e, &young);
    if (!err)
        err = class_index_each(e->store, export_class, e, e->fault);
    if (!err)
        err = host_index_each(e->store, export_host, e, e->fault);
    if (err)
        return err;
    buffer_clear(&e->blob);
    size_t begin = blob_begin(&e->blob, 'z', VERSION);
    buffer_u64(&e->blob, e->moved->values);
    blob_end(&e->blob, begin);
    return write_blob(e);
}

enum weir_err baseline_export(struct app *app, struct store *s, FILE *to, struct baseline_moved *moved, struct fault *fault)
{
    struct export e = {.app = app, .store = s, .to = to, .moved = moved, .fault = fault};
    *moved = (struct baseline_moved){0, 0};
    buffer_init(&e.value, STORE_VALUE_MAX);
    buffer_init(&e.blob, ENTRY_MAX + HEAD_BYTES + TAIL_BYTES);
    enum weir_err err = export_all(&e);
    buffer_fini(&e.value);
    buffer_fini(&e.blob);
    return err;
}

/* ---- import ---- */

struct import {
    struct app *app;
    struct store *store;
    FILE *from;
    struct buffer blob;
    struct baseline_moved *moved;
    uint64_t values; /* read, whole or not */
    bool end;
    struct fault *fault;
};

static enum weir_err bad_file(struct import *m, enum weir_err err)
{
    return fault_set(m->fault, err, "the file is no export of baselines, or damaged: nothing was imported: %s", weir_err_text(err));
}

static bool read_bytes(struct import *m, size_t n)
{
    char *to = buffer_reserve(&m->blob, n);
    size_t got = to ? fread(to, 1, n, m->from) : 0;
    m->blob.n += got;
    return got == n;
}

/* The next blob, whole and of that kind or of the other one. */
static enum weir_err next_blob(struct import *m, char *kind, struct cursor *payload)
{
    uint8_t version;
    buffer_clear(&m->blob);
    if (!read_bytes(m, HEAD_BYTES))
        return bad_file(m, WEIR_TRUNCATED);
    struct cursor head = cursor_of(m->blob.p, m->blob.n);
    (void)cursor_bytes(&head, HEAD_BYTES - 4);
    uint32_t length = cursor_u32(&head);
    *kind = m->blob.p[4];
    if (length > ENTRY_MAX)
        return bad_file(m, WEIR_CORRUPT);
    if (!read_bytes(m, (size_t)length + TAIL_BYTES))
        return bad_file(m, m->blob.err ? m->blob.err : WEIR_TRUNCATED);
    enum weir_err err = blob_open((struct slice){m->blob.p, m->blob.n}, *kind, VERSION, &version, payload);
    return err ? bad_file(m, err) : WEIR_OK;
}

static enum weir_err import_head(struct import *m)
{
    struct cursor c;
    char kind;
    enum weir_err err = next_blob(m, &kind, &c);
    if (err)
        return err;
    struct slice title = cursor_string(&c, 64);
    struct run_state state = {.watermark_s = (int64_t)cursor_u64(&c)};
    state.closed_through = cursor_u16(&c);
    unsigned grouping = cursor_u8(&c);
    if (kind != 'x' || c.err || !slice_eq(title, SLICE_LIT(TITLE)))
        return bad_file(m, WEIR_CORRUPT);
    err = run_state_put(m->store, &state, m->fault);
    return err ? err : grouping_put(m->store, grouping, m->fault);
}

static enum weir_err import_value(struct import *m, struct cursor *c)
{
    char kind = (char)cursor_u8(c), id[STORE_ID_MAX + 1];
    struct slice name = cursor_string(c, STORE_ID_MAX), value = cursor_string(c, STORE_VALUE_MAX);
    if (c->err || cursor_left(c) || (kind != INDEX && kind != BASELINE_BLOB && kind != CLASS_BLOB) || !name.n || memchr(name.p, 0, name.n))
        return bad_file(m, WEIR_CORRUPT);
    memcpy(id, name.p, name.n);
    id[name.n] = '\0';
    m->values++;
    enum weir_err err = check_value(kind, value);
    if (err == WEIR_NOMEM || (err && kind == INDEX))
        return bad_file(m, err);
    if (err) {
        tell_damaged(m->app, kind, id, err, m->moved);
        return WEIR_OK;
    }
    m->moved->values++;
    return store_put(m->store, kind, id, value, m->fault);
}

static enum weir_err import_next(struct import *m)
{
    struct cursor c;
    char kind;
    enum weir_err err = next_blob(m, &kind, &c);
    if (err || kind == 'e')
        return err ? err : import_value(m, &c);
    m->end = kind == 'z' && cursor_u64(&c) == m->values && !c.err && fgetc(m->from) == EOF;
    return m->end ? WEIR_OK : bad_file(m, WEIR_CORRUPT);
}

enum weir_err baseline_import(struct app *app, struct store *s, FILE *from, struct baseline_moved *moved, struct fault *fault)
{
    struct import m = {.app = app, .store = s, .from = from, .moved = moved, .fault = fault};
    *moved = (struct baseline_moved){0, 0};
    if (store_has(s, 'm', "0"))
        return fault_set(fault, WEIR_USAGE, "the store has been used before: baselines are imported into a new one only");
    enum weir_err err = store_begin(s, fault);
    if (err)
        return err;
    buffer_init(&m.blob, ENTRY_MAX + HEAD_BYTES + TAIL_BYTES);
    err = import_head(&m);
    while (!err && !m.end)
        err = import_next(&m);
    buffer_fini(&m.blob);
    if (!err)
        return store_commit(s, fault);
    store_abort(s);
    return err;
}
