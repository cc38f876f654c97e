/* The part of a watch that looks into buckets: nobody tells what came there, so the listing is swept against what is known, a page a turn, so
 * that the watch stands still for no longer than one answer. Keys of AWS hold their time: a sweep begins at the day that still matters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "source/watch.h"

#define AGAIN_NS INT64_C(10000000000) /* after a page that did not come; doubled up to the time between two sweeps */

enum weir_err far_add(struct source_watch *w, const char *url, struct fault *fault)
{
    struct s3_place place;
    enum weir_err err = s3_place_parse(slice_of(url), &place, fault);
    char **all = err ? NULL : array_grow(w->far.url, &w->far.cap, w->far.n, sizeof *all);
    char *copy = all ? strdup(url) : NULL;
    if (all)
        w->far.url = all;
    if (copy)
        w->far.url[w->far.n++] = copy;
    return err ? err : copy ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
}

static void end_walk(struct far_roots *f)
{
    if (f->walking)
        bucket_close(&f->walk);
    f->walking = false;
}

void far_free(struct far_roots *f)
{
    end_walk(f);
    queue_close(f->queue);
    for (size_t i = 0; i < f->n; i++)
        free(f->url[i]);
    free(f->url);
    file_table_free(&f->table);
}

static enum weir_err see_object(void *ctx, struct slice path, const struct s3_entry *e)
{
    struct source_watch *w = ctx;
    uint64_t stamp = far_stamp(e->etag, e->size);
    struct known_file *f = file_table_find(&w->far.table, path);
    if (f && f->stamp == stamp) {
        f->swept = w->far.sweep;
        return WEIR_OK;
    }
    w->state.found_by_sweep++;
    return wait_for_taking(w, path, e->size, stamp, e->etag, w->now_ns);
}

static void begin_walk(struct source_watch *w, struct fault *fault, enum weir_err *err)
{
    struct far_roots *f = &w->far;
    int64_t from_s = w->settings.since_s ? w->settings.since_s(w->settings.ctx) : INT64_MIN;
    f->sweep += f->at == 0;
    f->walk = (struct bucket_walk){.from_s = from_s, .to_s = INT64_MAX, .tries = 1, .object = see_object, .ctx = w};
    f->walking = true;
    *err = bucket_open(&f->walk, f->url[f->at], fault);
}

/* The next bucket, or all of them were swept. */
static enum weir_err go_on(struct source_watch *w)
{
    struct far_roots *f = &w->far;
    end_walk(f);
    f->failures = 0;
    f->at = (f->at + 1) % f->n;
    if (f->at)
        return WEIR_OK;
    w->state.sweeps++;
    f->next_ns = w->now_ns + w->settings.sweep_ns;
    return file_table_forget(&f->table, f->sweep);
}

/* ---- what the queue tells ---- */

static uint64_t ticket_of(struct slice path, uint64_t stamp) { return stable_hash(path.p, path.n) ^ stamp; }

/* Below a bucket and folder that is watched. */
static bool is_ours(const struct far_roots *f, const struct s3_event *e)
{
    struct s3_place place;
    struct fault ignored;
    for (size_t i = 0; i < f->n; i++) {
        if (s3_place_parse(slice_of(f->url[i]), &place, &ignored) || !slice_eq(place.bucket, e->bucket) || place.key.n > e->key.n ||
            (place.key.n && memcmp(place.key.p, e->key.p, place.key.n) != 0))
            continue;
        bool below = !place.key.n || place.key.p[place.key.n - 1] == '/' || place.key.n == e->key.n || e->key.p[place.key.n] == '/';
        if (below)
            return !bucket_is_quiet(place.key.n, e->key) && !memchr(e->key.p, 0, e->key.n);
    }
    return false;
}

static enum queue_verdict on_event(void *ctx, const struct s3_event *e, uint64_t *ticket)
{
    struct source_watch *w = ctx;
    struct buffer path;
    if (!is_ours(&w->far, e))
        return QUEUE_DONE;
    if (!e->etag) { /* not told what it is: the listing will */
        w->far.next_ns = w->now_ns;
        return QUEUE_FAILED;
    }
    buffer_init(&path, 2 * S3_KEY_MAX);
    buffer_puts(&path, S3_SCHEME);
    buffer_slice(&path, e->bucket);
    buffer_puts(&path, "/");
    buffer_slice(&path, e->key);
    struct slice name = {path.p, path.n}, etag = slice_of(e->etag);
    uint64_t stamp = far_stamp(etag, e->size);
    const struct known_file *f = path.err ? NULL : file_table_find(&w->far.table, name);
    enum queue_verdict verdict = path.err ? QUEUE_FAILED : QUEUE_PENDING;
    if (f && f->stamp == stamp)
        verdict = f->state == FILE_SETTLED ? QUEUE_DONE : QUEUE_PENDING;
    else if (!path.err && wait_for_taking(w, name, e->size, stamp, etag, w->now_ns))
        verdict = QUEUE_FAILED;
    *ticket = ticket_of(name, stamp);
    buffer_fini(&path);
    return verdict;
}

void far_settled(struct source_watch *w, const struct object *o, bool counted)
{
    if (w->far.queue)
        queue_settle(w->far.queue, ticket_of(slice_of(o->path), o->stamp), counted);
}

static enum weir_err sweep_turn(struct source_watch *w, struct fault *fault)
{
    struct far_roots *f = &w->far;
    enum weir_err err = WEIR_OK;
    if (w->now_ns < f->next_ns)
        return WEIR_OK;
    if (!f->walking)
        begin_walk(w, fault, &err);
    if (!err)
        err = bucket_page(&f->walk, fault);
    if (err == WEIR_END)
        return go_on(w);
    if (!err || err == WEIR_NOMEM)
        return err;
    end_walk(f); /* all of it again: pages hold together */
    f->at = 0;
    int64_t pause_ns = AGAIN_NS << (f->failures < 8 ? f->failures++ : 8);
    f->next_ns = w->now_ns + (pause_ns < w->settings.sweep_ns ? pause_ns : w->settings.sweep_ns);
    return err == WEIR_INTERRUPTED ? WEIR_OK : (fault->err = WEIR_IO);
}

enum weir_err far_turn(struct source_watch *w, struct fault *fault)
{
    if (!w->far.n)
        return WEIR_OK;
    enum weir_err err = w->far.queue ? queue_turn(w->far.queue, on_event, w, fault) : WEIR_OK;
    return err ? err : sweep_turn(w, fault);
}

void far_forget(struct source_watch *w)
{
    forget_settled(&w->far.table);
    end_walk(&w->far); /* its first pages were compared with what is forgotten now */
    w->far.at = 0;
    w->far.next_ns = w->now_ns;
}

int64_t far_due_ns(const struct source_watch *w) { return w->far.n ? w->far.next_ns : INT64_MAX; }
