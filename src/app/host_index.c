/* SPDX-License-Identifier: Apache-2.0 */
/* The index of hosts and classes. A day meets its hosts in the order of their ids, so one bucket is open at a time. */
#include "app/host_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/app.h"

#define KIND 'i'
#define VERSION 1
#define BUCKETS 256
#define CLASSES "100"
#define TEXT_MAX 4096
#define SEEN 16384

struct entry { uint64_t id; size_t at, n; }; /* place of the encoded entry in a buffer */
struct list { struct entry *entry; size_t n, cap; struct buffer bytes; };
struct host_index {
    struct store *store;
    struct log *log;
    unsigned bucket;
    struct list hosts, classes; /* fresh ones; classes may be there twice until they are sorted */
    uint64_t seen[SEEN];        /* classes added lately */
};

static unsigned bucket_of(uint64_t host_id) { return (unsigned)(host_id >> 56); }
static void bucket_key(unsigned bucket, char out[4]) { snprintf(out, 4, "%02x", bucket & 0xff); }

static void list_init(struct list *l)
{
    *l = (struct list){NULL, 0, 0, {0}};
    buffer_init(&l->bytes, STORE_VALUE_MAX);
}

static void list_fini(struct list *l)
{
    free(l->entry);
    buffer_fini(&l->bytes);
}

static bool list_room(struct list *l)
{
    struct entry *entry = array_grow(l->entry, &l->cap, l->n, sizeof *entry);
    if (entry)
        l->entry = entry;
    return entry != NULL;
}

/* ---- one value of the store ---- */

static void skip_host(struct cursor *c)
{
    (void)cursor_bytes(c, 16);
    (void)cursor_string(c, TEXT_MAX);
    (void)cursor_string(c, TEXT_MAX);
}

static void skip_class(struct cursor *c) { (void)cursor_string(c, TEXT_MAX); }

static enum weir_err read_list(struct slice blob, void (*skip)(struct cursor *), struct list *l)
{
    struct cursor c;
    uint8_t version;
    enum weir_err err = blob_open(blob, KIND, VERSION, &version, &c);
    for (uint64_t n = err ? 0 : cursor_varint(&c); n > 0 && !c.err; n--) {
        struct entry e = {.at = l->bytes.n};
        const unsigned char *from = c.p;
        size_t left = cursor_left(&c);
        e.id = cursor_u64(&c);
        skip(&c);
        e.n = left - cursor_left(&c);
        if (c.err || (l->n && e.id <= l->entry[l->n - 1].id))
            return WEIR_CORRUPT;
        if (!list_room(l))
            return WEIR_NOMEM;
        buffer_put(&l->bytes, from, e.n);
        l->entry[l->n++] = e;
    }
    return err ? err : c.err || cursor_left(&c) ? WEIR_CORRUPT : l->bytes.err;
}

/* No value: an empty list. */
static enum weir_err load(struct store *s, const char *key, void (*skip)(struct cursor *), struct list *l, struct fault *fault)
{
    struct buffer blob;
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, KIND, key, &blob, fault);
    if (!err && (err = read_list((struct slice){blob.p, blob.n}, skip, l)))
        fault_set(fault, err, "store value 'i:%s', an index of hosts: %s", key, weir_err_text(err));
    buffer_fini(&blob);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* old and fresh as one; who is in both, as fresh has it. */
static void merge(const struct list *old, const struct list *fresh, struct buffer *out)
{
    size_t i = 0, k = 0, n = 0;
    struct buffer body;
    buffer_init(&body, STORE_VALUE_MAX);
    while (i < old->n || k < fresh->n) {
        bool from_old = k == fresh->n || (i < old->n && old->entry[i].id < fresh->entry[k].id);
        const struct list *l = from_old ? old : fresh;
        const struct entry *e = &l->entry[from_old ? i : k];
        i += from_old || (i < old->n && old->entry[i].id == e->id);
        k += !from_old;
        buffer_put(&body, l->bytes.p + e->at, e->n);
        n++;
    }
    size_t begin = blob_begin(out, KIND, VERSION);
    buffer_varint(out, n);
    buffer_slice(out, (struct slice){body.p, body.n});
    blob_end(out, begin);
    if (body.err)
        out->err = body.err;
    buffer_fini(&body);
}

static enum weir_err put(struct store *s, const char *key, const struct list *old, const struct list *fresh, struct fault *fault)
{
    struct buffer blob;
    buffer_init(&blob, STORE_VALUE_MAX);
    merge(old, fresh, &blob);
    enum weir_err err = blob.err ? fault_set(fault, blob.err, "an index of hosts is too large to store")
                                 : store_put(s, KIND, key, (struct slice){blob.p, blob.n}, fault);
    buffer_fini(&blob);
    return err;
}

/* ---- writing ---- */

struct host_index *host_index_new(struct store *s, struct log *log)
{
    struct host_index *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->store = s;
    x->log = log;
    list_init(&x->hosts);
    list_init(&x->classes);
    return x;
}

void host_index_free(struct host_index *x)
{
    if (!x)
        return;
    list_fini(&x->hosts);
    list_fini(&x->classes);
    free(x);
}

/* A damaged index costs the list of hosts, not what is known of them: the run goes on. */
static enum weir_err flush(struct host_index *x, const char *key, void (*skip)(struct cursor *), struct list *fresh, struct fault *fault)
{
    struct list old;
    if (!fresh->n)
        return WEIR_OK;
    list_init(&old);
    enum weir_err err = load(x->store, key, skip, &old, fault);
    if (err == WEIR_CORRUPT || err == WEIR_TRUNCATED) {
        log_error(x->log, "index of hosts damaged, it begins anew", LOG_TEXT("key", slice_of(key)));
        old.n = 0;
        err = WEIR_OK;
    }
    if (!err)
        err = put(x->store, key, &old, fresh, fault);
    list_fini(&old);
    fresh->n = 0;
    buffer_clear(&fresh->bytes);
    return err;
}

static enum weir_err flush_hosts(struct host_index *x, struct fault *fault)
{
    char key[4];
    bucket_key(x->bucket, key);
    return flush(x, key, skip_host, &x->hosts, fault);
}

enum weir_err host_index_add(struct host_index *x, const struct host_day *d, struct fault *fault)
{
    enum weir_err err = bucket_of(d->host_id) != x->bucket ? flush_hosts(x, fault) : WEIR_OK;
    if (err || !list_room(&x->hosts))
        return err ? err : WEIR_NOMEM;
    struct buffer *b = &x->hosts.bytes;
    struct entry *e = &x->hosts.entry[x->hosts.n++];
    x->bucket = bucket_of(d->host_id);
    *e = (struct entry){d->host_id, b->n, 0};
    buffer_u64(b, d->host_id);
    buffer_u64(b, d->host.hi);
    buffer_u64(b, d->host.lo);
    buffer_string(b, d->account);
    buffer_string(b, d->interface);
    e->n = b->n - e->at;
    return b->err;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct entry *)a)->id, y = ((const struct entry *)b)->id;
    return (x > y) - (x < y);
}

enum weir_err host_index_add_class(struct host_index *x, uint64_t class_id, struct slice name, struct fault *fault)
{
    struct list *l = &x->classes;
    uint64_t *seen = &x->seen[stable_mix(class_id) % SEEN];
    if (*seen == class_id)
        return WEIR_OK;
    *seen = class_id;
    if (!list_room(l))
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    struct entry *e = &l->entry[l->n++];
    *e = (struct entry){class_id, l->bytes.n, 0};
    buffer_u64(&l->bytes, class_id);
    buffer_string(&l->bytes, name);
    e->n = l->bytes.n - e->at;
    return l->bytes.err;
}

static void sort_once(struct list *l)
{
    size_t kept = 0;
    if (l->n)
        qsort(l->entry, l->n, sizeof *l->entry, by_id);
    for (size_t i = 0; i < l->n; i++)
        if (!kept || l->entry[kept - 1].id != l->entry[i].id)
            l->entry[kept++] = l->entry[i];
    l->n = kept;
}

enum weir_err host_index_close(struct host_index *x, struct fault *fault)
{
    enum weir_err err = flush_hosts(x, fault);
    sort_once(&x->classes);
    return err ? err : flush(x, CLASSES, skip_class, &x->classes, fault);
}

enum weir_err host_index_remove(struct store *s, uint64_t host_id, struct fault *fault)
{
    struct list all, none;
    char key[4];
    size_t kept = 0;
    list_init(&all);
    list_init(&none);
    bucket_key(bucket_of(host_id), key);
    enum weir_err err = load(s, key, skip_host, &all, fault);
    for (size_t i = 0; i < all.n; i++)
        if (all.entry[i].id != host_id)
            all.entry[kept++] = all.entry[i];
    all.n = kept;
    if (!err)
        err = put(s, key, &all, &none, fault);
    list_fini(&all);
    return err;
}

/* ---- reading ---- */

static enum weir_err each_of(struct store *s, const char *key, void (*skip)(struct cursor *), enum weir_err (*each)(void *, struct cursor *), void *ctx,
                             struct fault *fault)
{
    struct list l;
    list_init(&l);
    enum weir_err err = load(s, key, skip, &l, fault);
    for (size_t i = 0; i < l.n && !err; i++) {
        struct cursor c = cursor_of(l.bytes.p + l.entry[i].at, l.entry[i].n);
        err = each(ctx, &c);
    }
    list_fini(&l);
    return err;
}

struct telling { void *ctx; host_each *host; class_each *class; };

static enum weir_err tell_host(void *ctx, struct cursor *c)
{
    struct telling *t = ctx;
    struct host_entry e = {.id = cursor_u64(c)};
    e.host.hi = cursor_u64(c);
    e.host.lo = cursor_u64(c);
    e.account = cursor_string(c, TEXT_MAX);
    e.interface = cursor_string(c, TEXT_MAX);
    return t->host(t->ctx, &e);
}

static enum weir_err tell_class(void *ctx, struct cursor *c)
{
    struct telling *t = ctx;
    struct class_name e = {.id = cursor_u64(c)};
    e.name = cursor_string(c, TEXT_MAX);
    return t->class(t->ctx, &e);
}

enum weir_err host_index_each(struct store *s, host_each *each, void *ctx, struct fault *fault)
{
    struct telling t = {ctx, each, NULL};
    enum weir_err err = WEIR_OK;
    for (unsigned bucket = 0; bucket < BUCKETS && !err; bucket++) {
        char key[4];
        bucket_key(bucket, key);
        err = each_of(s, key, skip_host, tell_host, &t, fault);
    }
    return err;
}

enum weir_err class_index_each(struct store *s, class_each *each, void *ctx, struct fault *fault)
{
    struct telling t = {ctx, NULL, each};
    return each_of(s, CLASSES, skip_class, tell_class, &t, fault);
}

uint64_t host_index_bytes(struct store *s)
{
    uint64_t bytes = 0;
    struct buffer blob;
    buffer_init(&blob, STORE_VALUE_MAX);
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        char key[4];
        bucket_key(bucket, key);
        buffer_clear(&blob);
        if (!store_get(s, KIND, key, &blob, NULL))
            bytes += blob.n;
    }
    buffer_fini(&blob);
    return bytes;
}
