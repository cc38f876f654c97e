/* See source_watch.h. What is known of a file stands in a table by the hash of its path (128 bits, keyed, so that nobody can
 * make two names meet); the path itself is kept only while the file rests or waits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "weir/source_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/watch.h"

#define NO_TAG ((struct slice){NULL, 0})
#define RESTING_MAX 65536 /* what is more is looked at by the next sweep */

static bool grown(void *array_of, size_t *cap, size_t n, size_t item)
{
    void **array = array_of;
    void *more = array_grow(*array, cap, n, item);
    if (more)
        *array = more;
    return more != NULL;
}

/* ---- open, close ---- */

static void forget_waiting(struct source_watch *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free((char *)(uintptr_t)w->waiting[i].object.path);
        free((char *)(uintptr_t)w->waiting[i].object.etag);
    }
}

void source_watch_close(struct source_watch *w)
{
    if (!w)
        return;
    forget_waiting(w, w->waiting_n);
    for (size_t i = 0; i < w->resting_n; i++)
        free(w->resting[i].path);
    for (size_t i = 0; i < w->roots; i++)
        free(w->root[i].path);
    free(w->waiting);
    free(w->resting);
    free(w->root);
    notice_close(&w->notice);
    file_table_free(&w->table);
    far_free(&w->far);
    free(w);
}

static bool is_inside(const struct source_watch *w, const char *path, size_t n)
{
    for (size_t i = 0; i < w->roots; i++) {
        size_t r = w->root[i].n;
        if (r <= n && memcmp(w->root[i].path, path, r) == 0 && (path[r] == 0 || path[r] == '/'))
            return true;
    }
    return false;
}

static enum weir_err add_root(struct source_watch *w, const char *dir, struct fault *fault)
{
    struct stat st;
    size_t n = strlen(dir);
    if (n >= PATH_MAX)
        return fault_set(fault, WEIR_USAGE, "a path of %zu bytes is too long", n);
    if (stat(dir, &st) != 0)
        return fault_set(fault, errno == ENOENT ? WEIR_NOTFOUND : WEIR_IO, "cannot watch '%s': %m", dir);
    if (!S_ISDIR(st.st_mode))
        return fault_set(fault, WEIR_USAGE, "cannot watch '%s': a %s, not a directory", dir, file_kind(st.st_mode));
    char *path = realpath(dir, NULL); /* the ledger must find it again from any folder */
    if (!path)
        return fault_set(fault, WEIR_IO, "cannot watch '%s': %m", dir);
    if (is_inside(w, path, strlen(path))) {
        free(path);
        return WEIR_OK;
    }
    w->root[w->roots++] = (struct watch_root){path, strlen(path)};
    return WEIR_OK;
}

enum weir_err source_watch_open(const char *const *dirs, size_t n, const struct watch_settings *settings, struct source_watch **out, struct fault *fault)
{
    struct source_watch *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w || !(w->root = calloc(n + 1, sizeof *w->root))) {
        free(w);
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    }
    w->settings = *settings;
    notice_open(&w->notice);
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = path_is_far(slice_of(dirs[i])) ? far_add(w, dirs[i], fault) : add_root(w, dirs[i], fault);
    if (!err && settings->queue && *settings->queue)
        err = queue_open(settings->queue, &w->far.queue, fault);
    if (err)
        source_watch_close(w);
    else
        *out = w;
    return err;
}

int source_watch_fd(const struct source_watch *w) { return w->notice.fd; }

/* ---- a file: known, resting, waiting ---- */

static size_t root_bytes_of(const struct source_watch *w, struct slice path)
{
    for (size_t i = 0; i < w->roots; i++)
        if (path.n > w->root[i].n && memcmp(path.p, w->root[i].path, w->root[i].n) == 0)
            return w->root[i].n;
    return 0;
}

static struct file_table *table_of(struct source_watch *w, struct slice path) { return path_is_far(path) ? &w->far.table : &w->table; }

enum weir_err wait_for_taking(struct source_watch *w, struct slice path, uint64_t size, uint64_t stamp, struct slice etag, int64_t now_ns)
{
    if (w->waiting_n >= WATCH_WAITING_MAX) {
        w->state.overflows++;
        return WEIR_OK;
    }
    struct known_file *f = file_table_put(table_of(w, path), path);
    char *copy = f ? strndup(path.p, path.n) : NULL, *tag = etag.n ? strndup(etag.p, etag.n) : NULL;
    if (!copy || (etag.n && !tag) || !grown(&w->waiting, &w->waiting_cap, w->waiting_n, sizeof *w->waiting)) {
        free(copy);
        free(tag);
        return WEIR_NOMEM;
    }
    f->stamp = stamp;
    f->state = FILE_WAITING;
    f->swept = path_is_far(path) ? w->far.sweep : w->sweep;
    struct waiting *item = &w->waiting[w->waiting_n++];
    *item = (struct waiting){.object = {.path = copy, .etag = tag, .size_bytes = size, .stamp = stamp, .root_bytes = root_bytes_of(w, path)}, .since_ns = now_ns};
    provenance_parse(copy, &item->object.from, &item->object.key);
    w->sorted = false;
    return WEIR_OK;
}

/* Look again later whether it is still the same. */
static enum weir_err rest(struct source_watch *w, struct slice path, uint64_t stamp, int64_t again_ns)
{
    if (w->resting_n >= RESTING_MAX)
        return WEIR_OK;
    struct known_file *f = file_table_put(&w->table, path);
    char *copy = f ? strndup(path.p, path.n) : NULL;
    if (!copy || !grown(&w->resting, &w->resting_cap, w->resting_n, sizeof *w->resting)) {
        free(copy);
        return WEIR_NOMEM;
    }
    f->stamp = stamp;
    f->state = FILE_RESTING;
    f->swept = w->sweep;
    w->resting[w->resting_n++] = (struct resting){copy, stamp, again_ns};
    return WEIR_OK;
}

static void refuse(struct source_watch *w, struct slice path, const struct stat *st)
{
    struct known_file *f = file_table_put(&w->table, path);
    uint64_t stamp = stamp_of(st);
    if (!f || (f->state == FILE_SETTLED && f->stamp == stamp)) {
        if (f)
            f->swept = w->sweep;
        return;
    }
    f->stamp = stamp;
    f->state = FILE_SETTLED;
    f->swept = w->sweep;
    w->state.not_regular++;
    if (w->settings.refused) {
        char *name = strndup(path.p, path.n);
        w->settings.refused(w->settings.ctx, name ? name : "", file_kind(st->st_mode));
        free(name);
    }
}

/* How a file gave itself away. */
enum hint { HINT_SWEPT, HINT_RENAMED, HINT_CLOSED, HINT_MADE };

/* A file seen now. One that is known with this stamp is no news. */
static enum weir_err see(struct source_watch *w, struct slice path, const struct stat *st, enum hint hint)
{
    uint64_t stamp = stamp_of(st);
    struct known_file *f = file_table_find(&w->table, path);
    if (f && f->stamp == stamp && f->state != FILE_RESTING) {
        f->swept = w->sweep;
        return WEIR_OK;
    }
    int64_t changed_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec, age_ns = w->unix_ns - changed_ns;
    bool old = age_ns >= w->settings.rest_ns && age_ns >= 0;
    if (f && f->state == FILE_RESTING && hint != HINT_RENAMED) { /* it has its turn; a rename ends that */
        f->swept = w->sweep;
        return WEIR_OK;
    }
    if (hint == HINT_RENAMED || (hint == HINT_SWEPT && old)) {
        w->state.found_by_sweep += hint == HINT_SWEPT;
        return wait_for_taking(w, path, (uint64_t)st->st_size, stamp, NO_TAG, w->now_ns);
    }
    if (hint == HINT_MADE && st->st_nlink < 2) /* its closing will be told; should it not, a sweep finds it at rest */
        return WEIR_OK;
    return rest(w, path, stamp, w->now_ns + w->settings.rest_ns);
}

/* ---- what the kernel tells ---- */

static enum weir_err told_file(void *ctx, struct slice path, const struct stat *st)
{
    return see(ctx, path, st, HINT_SWEPT);
}

static void told_strange(void *ctx, struct slice path, const struct stat *st) { refuse(ctx, path, st); }

static enum weir_err told_folder(void *ctx, int fd, struct slice path)
{
    struct source_watch *w = ctx;
    return notice_add(&w->notice, fd, path);
}

/* A folder came: with what may be in it already. */
static enum weir_err list_folder(struct source_watch *w, struct slice path, size_t root_n, struct fault *fault)
{
    const struct walk_told told = {w, told_folder, told_file, told_strange};
    struct object_list *list = object_list_new(NULL);
    enum weir_err err = list ? walk_directory(list, path, root_n, &told, fault) : WEIR_NOMEM;
    if (list)
        w->state.unreadable += object_list_skipped(list).unreadable;
    object_list_free(list);
    return err == WEIR_NOMEM ? fault_set(fault, err, "out of memory") : err;
}

static enum weir_err on_notice(void *ctx, const struct noticed *n)
{
    struct source_watch *w = ctx;
    struct stat st;
    struct fault ignored;
    struct slice path = {n->path, strlen(n->path)};
    size_t root_n = root_bytes_of(w, path);
    if (n->overflow) {
        w->state.overflows++;
        w->next_sweep_ns = w->now_ns;
        return WEIR_OK;
    }
    if (!root_n || is_quiet_name(strrchr(n->path, '/') + 1) || lstat(n->path, &st) != 0)
        return WEIR_OK; /* gone again: a temporary name */
    if (S_ISDIR(st.st_mode)) {
        enum weir_err err = n->is_folder ? list_folder(w, path, root_n, &ignored) : WEIR_OK;
        return err == WEIR_NOMEM ? err : WEIR_OK; /* what cannot be listed now is told by the sweep */
    }
    if (!S_ISREG(st.st_mode)) {
        refuse(w, path, &st);
        return WEIR_OK;
    }
    return see(w, path, &st, n->renamed ? HINT_RENAMED : n->closed ? HINT_CLOSED : HINT_MADE);
}

/* ---- turns ---- */

static enum weir_err look_at_resting(struct source_watch *w)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < w->resting_n && !err;) {
        struct resting r = w->resting[i];
        struct stat st;
        if (r.again_ns > w->now_ns) {
            i++;
            continue;
        }
        struct slice path = slice_of(r.path);
        struct known_file *f = file_table_find(&w->table, path);
        bool there = lstat(r.path, &st) == 0 && S_ISREG(st.st_mode), mine = f && f->state == FILE_RESTING;
        if (there && mine && stamp_of(&st) != r.stamp) {
            w->resting[i].stamp = f->stamp = stamp_of(&st);
            w->resting[i].again_ns = w->now_ns + w->settings.rest_ns;
            i++;
            continue;
        }
        w->resting[i] = w->resting[--w->resting_n];
        if (there && mine)
            err = wait_for_taking(w, path, (uint64_t)st.st_size, r.stamp, NO_TAG, w->now_ns);
        else if (mine)
            file_forget(f);
        free(r.path);
    }
    return err;
}

static enum weir_err sweep(struct source_watch *w, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    w->sweep++;
    w->notice.unwatched = 0;
    for (size_t i = 0; i < w->roots && err != WEIR_NOMEM; i++) {
        enum weir_err listed = list_folder(w, (struct slice){w->root[i].path, w->root[i].n}, w->root[i].n, fault);
        err = listed ? listed : err;
    }
    if (!err)
        err = file_table_forget(&w->table, w->sweep); /* what is no longer there */
    w->state.sweeps += w->roots > 0;
    w->next_sweep_ns = w->now_ns + w->settings.sweep_ns;
    return err == WEIR_NOMEM ? fault_set(fault, err, "out of memory") : err;
}

enum weir_err source_watch_turn(struct source_watch *w, int64_t now_ns, int64_t unix_ns, struct fault *fault)
{
    w->now_ns = now_ns;
    w->unix_ns = unix_ns;
    enum weir_err err = notice_read(&w->notice, on_notice, w);
    if (!err)
        err = look_at_resting(w);
    if (err)
        return fault_set(fault, err, "cannot note what came into a directory: %s", weir_err_text(err));
    w->state.unwatched = w->notice.unwatched;
    err = w->next_sweep_ns <= now_ns ? sweep(w, fault) : WEIR_OK;
    return err ? err : far_turn(w, fault);
}

int64_t source_watch_due_ns(const struct source_watch *w)
{
    int64_t due_ns = w->next_sweep_ns < far_due_ns(w) ? w->next_sweep_ns : far_due_ns(w);
    for (size_t i = 0; i < w->resting_n; i++)
        due_ns = w->resting[i].again_ns < due_ns ? w->resting[i].again_ns : due_ns;
    return due_ns;
}

/* ---- taking and settling ---- */

static int by_object(const void *a, const void *b)
{
    return object_compare(&((const struct waiting *)a)->object, &((const struct waiting *)b)->object);
}

enum weir_err source_watch_take(struct source_watch *w, size_t max, struct object_list **out, int64_t *next_s, struct fault *fault)
{
    size_t n = w->waiting_n < max ? w->waiting_n : max;
    enum weir_err err = WEIR_OK;
    if (!w->sorted && w->waiting_n)
        qsort(w->waiting, w->waiting_n, sizeof *w->waiting, by_object);
    w->sorted = true;
    *next_s = INT64_MAX;
    *out = object_list_new(NULL);
    if (!*out)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    for (size_t i = 0; i < n && !err; i++) {
        const struct object *o = &w->waiting[i].object;
        err = object_list_push(*out, slice_of(o->path), o->root_bytes, o->size_bytes, fault);
        if (!err && o->etag)
            object_list_describe(*out, slice_of(o->etag));
        if (!err)
            (*out)->v[(*out)->n - 1].stamp = o->stamp;
    }
    if (err) {
        object_list_free(*out);
        *out = NULL;
        return err;
    }
    forget_waiting(w, n);
    w->waiting_n -= n;
    if (w->waiting_n) { /* else there may be no array at all */
        memmove(w->waiting, w->waiting + n, w->waiting_n * sizeof *w->waiting);
        bool all_tell = w->waiting[w->waiting_n - 1].object.from.bucket_s != 0; /* those that tell none come last */
        *next_s = all_tell ? w->waiting[0].object.from.bucket_s : 0;
    }
    object_list_sort(*out); /* one path twice is one object */
    return WEIR_OK;
}

void source_watch_missing(struct source_watch *w, const struct object *o)
{
    struct known_file *f = path_is_far(slice_of(o->path)) ? file_table_find(&w->far.table, slice_of(o->path)) : NULL;
    far_settled(w, o, false);
    if (f && f->stamp == o->stamp)
        file_forget(f);
}

enum weir_err source_watch_settle_one(struct source_watch *w, const struct object *o, bool counted, int64_t now_ns)
{
    struct slice path = slice_of(o->path);
    if (!counted)
        return wait_for_taking(w, path, o->size_bytes, o->stamp, slice_of(o->etag ? o->etag : ""), now_ns);
    struct known_file *f = file_table_find(table_of(w, path), path);
    if (f && f->state == FILE_WAITING && f->stamp == o->stamp) /* else it has changed since, and waits again */
        f->state = FILE_SETTLED;
    far_settled(w, o, true);
    return WEIR_OK;
}

enum weir_err source_watch_settle(struct source_watch *w, const struct object_list *list, bool counted, int64_t now_ns)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < object_list_count(list) && !err; i++)
        err = source_watch_settle_one(w, object_list_at(list, i), counted, now_ns);
    return err;
}

void forget_settled(struct file_table *t)
{
    for (size_t i = 0; i < t->slots; i++)
        if (t->slot[i].state == FILE_SETTLED)
            file_forget(&t->slot[i]);
}

void source_watch_forget(struct source_watch *w)
{
    forget_settled(&w->table);
    far_forget(w);
    w->next_sweep_ns = w->now_ns;
}

struct watch_state source_watch_state(const struct source_watch *w)
{
    struct watch_state state = w->state;
    state.waiting = w->waiting_n;
    state.resting = w->resting_n;
    state.oldest_ns = 0;
    for (size_t i = 0; i < w->waiting_n; i++)
        if (!state.oldest_ns || w->waiting[i].since_ns < state.oldest_ns)
            state.oldest_ns = w->waiting[i].since_ns;
    return state;
}
