/* SPDX-License-Identifier: Apache-2.0 */
/* What a run knows of objects: which were counted before, which are given twice, the ledger's index by day, and the way back from
 * an id to the object. */
#include <stdlib.h>
#include <string.h>

#include "app/run.h"
#include "weir/source_s3.h"

/* ---- the ledger's index by day ---- */

/* A damaged index costs places of evidence, not the run: sums stand elsewhere, and what has no place is told. */
static enum weir_err read_day(struct run *run, uint16_t day, struct buffer *ids, struct fault *fault)
{
    enum weir_err err = ledger_day_get(run->store, day, ids, fault);
    if (err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
        return err;
    log_error(run->app->log, "index of a day damaged, evidence may lack places", LOG_TEXT("cause", slice_of(fault->text)));
    buffer_clear(ids);
    return WEIR_OK;
}

enum weir_err run_day_objects(struct run *run, uint16_t day, struct day_objects **out, struct fault *fault)
{
    for (size_t i = 0; i < run->days; i++)
        if (run->day[i].day == day) {
            *out = &run->day[i];
            return WEIR_OK;
        }
    struct day_objects *all = array_grow(run->day, &run->days_cap, run->days, sizeof *all);
    if (!all)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    run->day = all;
    struct day_objects *d = &all[run->days];
    *d = (struct day_objects){.day = day};
    buffer_init(&d->ids, STORE_VALUE_MAX - 64);
    enum weir_err err = read_day(run, day, &d->ids, fault);
    if (err) {
        buffer_fini(&d->ids);
        return err;
    }
    run->days++;
    *out = d;
    return WEIR_OK;
}

void run_forget_day(struct run *run, uint16_t day)
{
    for (size_t i = 0; i < run->days; i++)
        if (run->day[i].day == day) {
            buffer_fini(&run->day[i].ids);
            run->day[i] = run->day[--run->days];
            return;
        }
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct known_object *)a)->id.b, ((const struct known_object *)b)->id.b, SHA256_BYTES);
}

static bool from_list(const struct run *run, const struct sha256 *id, struct object *out)
{
    for (size_t i = 0; i < run->fresh_n; i++)
        if (memcmp(run->fresh[i].entry.id.b, id->b, SHA256_BYTES) == 0) {
            *out = *object_list_at(run->list, run->fresh[i].index);
            out->counted = run->fresh[i].entry.counted;
            return true;
        }
    struct known_object key = {.id = *id};
    const struct known_object *known = run->known_n ? bsearch(&key, run->known, run->known_n, sizeof key, by_id) : NULL;
    if (known) {
        *out = *object_list_at(run->list, known->index);
        out->counted = known->counted;
    }
    return known != NULL;
}

bool run_object(struct run *run, const struct sha256 *id, struct buffer *keep, struct object *out)
{
    struct ledger_entry e;
    if (from_list(run, id, out))
        return true;
    if (ledger_get(run->store, id, keep, &e, NULL))
        return false;
    char *path = keep->p + (e.path.p - keep->p); /* a slice of keep: end it there, not after a growth that moves it */
    if (e.path.n == 0 || memchr(path, 0, e.path.n))
        return false;
    path[e.path.n] = 0; /* overwrites the length of the key, which is read already */
    *out = (struct object){.path = path, .size_bytes = e.stored, .counted = e.counted};
    provenance_parse(path, &out->from, &out->key);
    return strcmp(path, "-") != 0;
}

/* By the days that it has sums of: between its first and its last record there may be hundreds more. */
static enum weir_err index_object(struct run *run, const struct fresh_object *o, struct fault *fault)
{
    for (size_t i = 0; i < o->days; i++) {
        struct day_objects *d = NULL;
        enum weir_err err = run_day_objects(run, run->fresh_day[o->first_day + i], &d, fault);
        if (err)
            return err;
        buffer_put(&d->ids, o->entry.id.b, SHA256_BYTES);
        d->changed = true;
        if (d->ids.err)
            return fault_set(fault, d->ids.err, "too many objects in one day");
    }
    return WEIR_OK;
}

static void touch(struct run *run, int64_t first_s, int64_t last_s)
{
    if (!first_s)
        return;
    if (!run->touched_first_s || first_s < run->touched_first_s)
        run->touched_first_s = first_s;
    if (last_s > run->touched_last_s)
        run->touched_last_s = last_s;
}

/* ---- duplicates: the same bytes under two names count once, under the first name ---- */

struct sized {
    uint64_t size;
    const char *etag; /* "": on this machine */
    size_t index;
    struct sha256 id;
    bool hashed;
};

static int by_size(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    int by_etag = strcmp(x->etag, y->etag);
    if (by_etag)
        return by_etag;
    return (x->index > y->index) - (x->index < y->index);
}

/* Counted before? The key of a ledger entry proves that, even when its value is damaged. */
static enum weir_err mark_known(struct run *run, const struct sized *s, struct fault *fault)
{
    struct ledger_entry e = {.first_s = 0};
    struct buffer keep;
    buffer_init(&keep, 1 << 20);
    enum weir_err err = ledger_get(run->store, &s->id, &keep, &e, fault);
    buffer_fini(&keep);
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err && err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
        return err;
    if (err)
        log_error(run->app->log, "ledger entry damaged, its object is taken as counted",
                  LOG_TEXT("object", slice_of(object_list_at(run->list, s->index)->path)));
    run->duplicate[s->index] = 1;
    run->known[run->known_n++] = (struct known_object){s->id, s->index, e.counted};
    touch(run, e.first_s, e.last_s);
    return WEIR_OK;
}

static void mark_twins(struct run *run, struct sized *s, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; s[i].hashed && k < i; k++)
            if (s[k].hashed && memcmp(s[i].id.b, s[k].id.b, SHA256_BYTES) == 0) {
                run->duplicate[s[i].index > s[k].index ? s[i].index : s[k].index] = 1;
                break;
            }
}

/* ---- stages of one blob in one run: the largest has all that the others have ---- */

static bool is_blob(const struct object *o)
{
    static const char *const tops[] = {"resourceId=", "flowLogResourceID="};
    for (size_t i = 0; i < WEIR_COUNT(tops); i++)
        if (o->key.n > strlen(tops[i]) && memcmp(o->key.p, tops[i], strlen(tops[i])) == 0)
            return true;
    return false;
}

static int by_blob(const void *a, const void *b)
{
    const struct object *x = *(const struct object *const *)a, *y = *(const struct object *const *)b;
    int order = slice_cmp(x->key, y->key);
    if (order || x->size_bytes != y->size_bytes)
        return order ? order : x->size_bytes < y->size_bytes ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* So which of them counts a record does not depend on the order of threads. Across runs, prints tell (growth.h). */
static bool mark_stages(struct run *run)
{
    size_t n = 0, all = object_list_count(run->list);
    const struct object **blob = calloc(all + 1, sizeof *blob);
    for (size_t i = 0; blob && i < all; i++)
        if (is_blob(object_list_at(run->list, i)))
            blob[n++] = object_list_at(run->list, i);
    if (n)
        qsort(blob, n, sizeof *blob, by_blob);
    for (size_t i = 1; i < n; i++)
        if (slice_eq(blob[i - 1]->key, blob[i]->key))
            run->duplicate[blob[i - 1] - object_list_at(run->list, 0)] = 1;
    free(blob);
    return blob != NULL;
}

static const char *etag_of(const struct object *o) { return o->etag ? o->etag : ""; }
static bool alike(const struct sized *a, const struct sized *b) { return a->size == b->size && strcmp(a->etag, b->etag) == 0; }

/* Known to the ledger, or worth being hashed. What is far is not fetched for that: where it lies tells, and what was never seen there is found out by
 * reading it, unless it is alike with another. */
static enum weir_err identify(struct run *run, struct source *source, struct sized *s, bool ledger, bool twin, struct fault *fault)
{
    const struct object *o = object_list_at(run->list, s->index);
    if (*s->etag && store_position(run->store).seq > 0) {
        enum weir_err err = ledger_locate(run->store, o, &s->id, fault);
        s->hashed = err == WEIR_OK;
        if (err && err != WEIR_NOTFOUND && err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
            return err;
        ledger = s->hashed;
    } else if (*s->etag) {
        ledger = false;
    }
    if (!s->hashed && (twin || (ledger && !*s->etag)))
        s->hashed = source_hash(source, o, &s->id, NULL) == WEIR_OK;
    return ledger && s->hashed ? mark_known(run, s, fault) : WEIR_OK;
}

/* Hash what may be a duplicate: objects of equal size, and all of them when the ledger is to be asked. Unreadable ones are told of later. */
enum weir_err run_find_duplicates(struct run *run, struct fault *fault)
{
    size_t n = object_list_count(run->list);
    bool ledger = run->feed->known_first && store_position(run->store).seq > 0;
    struct sized *s = calloc(n + 1, sizeof *s);
    struct source *source = source_new(&run->limits, INFLATE_BEST);
    run->duplicate = calloc(n + 1, 1);
    run->known = calloc(n + 1, sizeof *run->known);
    if (!s || !source || !run->duplicate || !run->known) {
        free(s);
        source_free(source);
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < n; i++)
        s[i] = (struct sized){.size = object_list_at(run->list, i)->size_bytes, .etag = etag_of(object_list_at(run->list, i)), .index = i};
    qsort(s, n, sizeof *s, by_size);
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < n && !err && !app_interrupted(); i++) {
        bool twin = (i && alike(&s[i - 1], &s[i])) || (i + 1 < n && alike(&s[i + 1], &s[i]));
        err = identify(run, source, &s[i], ledger, twin, fault);
    }
    if (run->known_n)
        qsort(run->known, run->known_n, sizeof *run->known, by_id);
    for (size_t i = 0, first = 0; i < n; i++)
        if (i + 1 == n || s[i + 1].size != s[first].size) {
            mark_twins(run, &s[first], i + 1 - first);
            first = i + 1;
        }
    if (!err && !mark_stages(run))
        err = fault_set(fault, WEIR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (run->duplicate[i]) {
            run->counts.objects_duplicate++;
            progress_add(run->progress, object_list_at(run->list, i)->size_bytes);
        }
    free(s);
    source_free(source);
    return err;
}

/* ---- into the ledger ---- */

/* The entry with a path that a later run finds from any folder. */
static enum weir_err put_entry(struct run *run, const struct ledger_entry *e, struct fault *fault)
{
    struct ledger_entry entry = *e;
    struct buffer path;
    buffer_init(&path, 2 * PATH_MAX);
    if (!slice_eq(e->path, SLICE_LIT("-")) && e->path.p[0] != '/' && !path_is_far(e->path)) {
        buffer_printf(&path, "%s/", run->folder);
        buffer_slice(&path, e->path);
        entry.path = (struct slice){path.p, path.n};
    }
    enum weir_err err = path.err ? fault_set(fault, path.err, "a path is too long") : ledger_put(run->store, &entry, fault);
    buffer_fini(&path);
    return err;
}

static int fresh_order(const void *a, const void *b)
{
    const struct fresh_object *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

void run_note_found(struct run *run, size_t index, const struct sha256 *id)
{
    struct known_object *all = object_list_at(run->list, index)->etag ? array_grow(run->found, &run->found_cap, run->found_n, sizeof *all) : NULL;
    if (!all)
        return; /* it is read again by the next run */
    run->found = all;
    all[run->found_n++] = (struct known_object){.id = *id, .index = index};
}

static enum weir_err put_locations(struct run *run, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < run->fresh_n && !err; i++) {
        const struct object *o = object_list_at(run->list, run->fresh[i].index);
        err = o->etag ? ledger_put_location(run->store, o, &run->fresh[i].entry.id, fault) : WEIR_OK;
    }
    for (size_t i = 0; i < run->found_n && !err; i++)
        err = ledger_put_location(run->store, object_list_at(run->list, run->found[i].index), &run->found[i].id, fault);
    return err;
}

enum weir_err run_put_ledger(struct run *run, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    if (run->fresh_n)
        qsort(run->fresh, run->fresh_n, sizeof *run->fresh, fresh_order);
    for (size_t i = 0; i < run->fresh_n && !err; i++) {
        err = put_entry(run, &run->fresh[i].entry, fault);
        if (!err)
            err = index_object(run, &run->fresh[i], fault);
        touch(run, run->fresh[i].entry.first_s, run->fresh[i].entry.last_s);
    }
    if (!err)
        err = put_locations(run, fault);
    if (!err)
        err = growths_put(&run->growths, run->store, fault);
    for (size_t i = 0; i < run->days && !err; i++)
        if (run->day[i].changed) {
            err = ledger_day_put(run->store, run->day[i].day, (struct slice){run->day[i].ids.p, run->day[i].ids.n}, fault);
            run->day[i].changed = false;
        }
    return err;
}
