/* SPDX-License-Identifier: Apache-2.0 */
/* What delivery keeps in the store, kind 'd':
 *   d 0      blob 'd': varint n, n * (string name, u64 place, varint cursor, u8 disabled)
 *   d <uid>  blob 'd': varint first, varint shown
 * The cursors are one value, since one commit moves several of them. Where a finding first stood tells whether a state of it is news
 * or an update, whichever sink asks and however often: the stored text cannot tell, for it is a function of the logs alone. */
#include <string.h>

#include "app/delivery_private.h"

#define KIND 'd'
#define KEY "0"
#define VERSION 1

static enum weir_err get_blob(struct store *s, const char *id, struct buffer *keep, struct cursor *out, struct fault *fault)
{
    uint8_t version;
    enum weir_err err = store_get(s, KIND, id, keep, fault);
    if (!err && (err = blob_open((struct slice){keep->p, keep->n}, KIND, VERSION, &version, out)))
        fault_set(fault, err, "store value 'd:%s': %s", id, weir_err_text(err));
    return err;
}

static enum weir_err put_blob(struct store *s, const char *id, struct buffer *b, size_t begin, struct fault *fault)
{
    blob_end(b, begin);
    enum weir_err err = b->err ? fault_set(fault, b->err, "out of memory") : store_put(s, KIND, id, (struct slice){b->p, b->n}, fault);
    buffer_fini(b);
    return err;
}

/* ---- cursors ---- */
static enum weir_err read_cursors(struct cursor *c, struct cursors *out)
{
    uint64_t n = cursor_varint(c);
    for (; n && !c->err && out->n < CURSORS_MAX; n--) {
        struct cursor_entry *e = &out->entry[out->n++];
        struct slice name = cursor_string(c, sizeof e->name - 1);
        *e = (struct cursor_entry){.place = cursor_u64(c), .seq = cursor_varint(c)};
        e->disabled = cursor_u8(c);
        if (name.n) memcpy(e->name, name.p, name.n);
    }
    return c->err || n || cursor_left(c) ? WEIR_CORRUPT : WEIR_OK;
}

enum weir_err cursors_get(struct store *s, struct cursors *out, struct fault *fault)
{
    struct buffer keep;
    struct cursor c;
    out->n = 0;
    buffer_init(&keep, STORE_VALUE_MAX);
    enum weir_err err = get_blob(s, KEY, &keep, &c, fault);
    if (!err && (err = read_cursors(&c, out))) fault_set(fault, err, "store value 'd:%s', how far sinks have got: %s", KEY, weir_err_text(err));
    buffer_fini(&keep);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

enum weir_err cursors_put(struct store *s, const struct cursors *c, struct fault *fault)
{
    struct buffer b;
    buffer_init(&b, STORE_VALUE_MAX);
    size_t begin = blob_begin(&b, KIND, VERSION);
    buffer_varint(&b, c->n);
    for (size_t i = 0; i < c->n; i++) {
        buffer_string(&b, slice_of(c->entry[i].name));
        buffer_u64(&b, c->entry[i].place);
        buffer_varint(&b, c->entry[i].seq);
        buffer_u8(&b, c->entry[i].disabled);
    }
    return put_blob(s, KEY, &b, begin, fault);
}

struct cursor_entry *cursors_of(struct cursors *c, const char *name, bool (*wanted)(void *ctx, const char *name), void *ctx)
{
    size_t spare = c->n;
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->entry[i].name, name) == 0) return &c->entry[i];
    if (c->n < CURSORS_MAX) c->n++;
    else
        for (spare = 0; spare + 1 < CURSORS_MAX && wanted(ctx, c->entry[spare].name);) spare++;
    struct cursor_entry *e = &c->entry[spare];
    *e = (struct cursor_entry){.seq = 0};
    memcpy(e->name, name, strnlen(name, sizeof e->name - 1));
    return e;
}

/* ---- where a finding first stood ---- */
enum weir_err first_seen_get(struct store *s, const char *uid, struct first_seen *out, struct fault *fault)
{
    struct buffer keep;
    struct cursor c;
    *out = (struct first_seen){.any = 0};
    memcpy(out->uid, uid, strnlen(uid, STORE_ID_MAX));
    buffer_init(&keep, STORE_VALUE_MAX);
    enum weir_err err = get_blob(s, uid, &keep, &c, fault);
    if (!err) {
        out->any = cursor_varint(&c);
        out->shown = cursor_varint(&c);
        if (c.err) err = fault_set(fault, WEIR_CORRUPT, "store value 'd:%s': %s", uid, weir_err_text(c.err));
    }
    buffer_fini(&keep);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

enum weir_err first_seen_put(struct store *s, const struct first_seen *f, struct fault *fault)
{
    struct buffer b;
    buffer_init(&b, 64);
    size_t begin = blob_begin(&b, KIND, VERSION);
    buffer_varint(&b, f->any);
    buffer_varint(&b, f->shown);
    return put_blob(s, f->uid, &b, begin, fault);
}
