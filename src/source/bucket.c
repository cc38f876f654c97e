/* See bucket.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/bucket.h"

#include <stdlib.h>
#include <string.h>

#include "source/list.h"

#define FOLDERS_MAX 100000
#define PATH_LIMIT (S3_KEY_MAX + 128)

/* ---- open, close ---- */

static void put_key(struct buffer *b, struct slice s)
{
    buffer_clear(b);
    buffer_slice(b, s);
}

static bool add_folder(struct bucket_walk *b, struct slice name)
{
    char **all = b->todo.n < FOLDERS_MAX ? array_grow(b->todo.name, &b->todo.cap, b->todo.n, sizeof *all) : NULL;
    char *copy = all ? strndup(name.p, name.n) : NULL;
    if (all)
        b->todo.name = all;
    if (copy)
        b->todo.name[b->todo.n++] = copy;
    return copy != NULL;
}

enum weir_err bucket_open(struct bucket_walk *b, const char *url, struct fault *fault)
{
    struct buffer *const buffers[] = {&b->url, &b->folder, &b->after, &b->until, &b->path};
    for (size_t i = 0; i < WEIR_COUNT(buffers); i++)
        buffer_init(buffers[i], PATH_LIMIT);
    buffer_puts(&b->url, url);
    enum weir_err err = b->url.err ? fault_set(fault, WEIR_USAGE, "'%.100s...': too long", url) : WEIR_OK;
    if (!err)
        err = s3_place_parse(slice_of(buffer_cstr(&b->url)), &b->place, fault);
    if (!err && !(b->s3 = s3_client(fault)))
        err = fault->err;
    if (!err && !(b->web = web_new(fault)))
        err = fault->err;
    if (err)
        return err;
    struct slice key = b->place.key;
    buffer_slice(&b->folder, key);
    buffer_puts(&b->folder, key.n && key.p[key.n - 1] != '/' ? "/" : "");
    return add_folder(b, (struct slice){b->folder.p ? b->folder.p : "", b->folder.n}) ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
}

void bucket_close(struct bucket_walk *b)
{
    struct buffer *const buffers[] = {&b->url, &b->folder, &b->after, &b->until, &b->path};
    for (size_t i = 0; i < WEIR_COUNT(buffers); i++)
        buffer_fini(buffers[i]);
    for (size_t i = 0; i < b->todo.n; i++)
        free(b->todo.name[i]);
    free(b->todo.name);
    web_free(b->web);
    b->web = NULL;
    b->todo = (struct folders){NULL, 0, 0};
}

/* ---- what a page holds ---- */

/* A folder of the walk over directories that is passed over, below what the user named; or a name. */
bool bucket_is_quiet(size_t folder_n, struct slice key)
{
    char name[256];
    size_t at = folder_n <= key.n ? folder_n : key.n;
    while (at < key.n) {
        const char *slash = memchr(key.p + at, '/', key.n - at);
        size_t n = slash ? (size_t)(slash - key.p) - at : key.n - at;
        memcpy(name, key.p + at, n < sizeof name ? n : 0);
        name[n < sizeof name ? n : 0] = 0;
        if (n && n < sizeof name && is_quiet_name(name))
            return true;
        at += n + 1;
    }
    return key.n && key.p[key.n - 1] == '/'; /* what consoles make for an empty folder */
}

static enum weir_err give(struct bucket_walk *b, const struct s3_entry *e)
{
    struct provenance from;
    struct slice key;
    b->found = true; /* the url names a folder */
    if (bucket_is_quiet(b->place.key.n, e->key)) {
        b->quiet++;
        return WEIR_OK;
    }
    buffer_clear(&b->path);
    buffer_puts(&b->path, S3_SCHEME);
    buffer_slice(&b->path, b->place.bucket);
    buffer_puts(&b->path, "/");
    buffer_slice(&b->path, e->key);
    if (b->path.err || memchr(e->key.p, 0, e->key.n)) {
        b->unreadable++;
        return WEIR_OK;
    }
    provenance_parse(buffer_cstr(&b->path), &from, &key);
    if (from.account.n && (from.bucket_s < b->from_s || from.bucket_s >= b->to_s))
        return WEIR_OK;
    return b->object(b->ctx, (struct slice){b->path.p, b->path.n}, e);
}

/* The last folder of a prefix is a year: "2026/", or named: "year=2026/". */
static bool is_year(struct slice prefix, bool *named)
{
    static const char word[] = "year=";
    size_t begin = prefix.n ? prefix.n - 1 : 0;
    while (begin && prefix.p[begin - 1] != '/')
        begin--;
    struct slice name = {prefix.p + begin, prefix.n - begin};
    *named = name.n == 10 && memcmp(name.p, word, 5) == 0;
    if (*named) {
        name.p += 5;
        name.n -= 5;
    }
    bool year = name.n == 5 && name.p[4] == '/';
    for (size_t i = 0; year && i < 4; i++)
        year = name.p[i] >= '0' && name.p[i] <= '9';
    return year;
}

/* What a listing from that day on begins behind, or up to that day ends before. */
static void put_day(struct buffer *out, struct slice folder, bool named, int64_t day_s)
{
    char text[TIME_TEXT_MAX];
    time_format(day_s, text);
    put_key(out, folder);
    buffer_printf(out, named ? "year=%.4s/month=%.2s/day=%.2s" : "%.4s/%.2s/%.2s", text, text + 5, text + 8);
}

static int64_t day_of(int64_t s) { return s - (s % DAY_S + DAY_S) % DAY_S; }

/* Years below this folder: its keys are listed once more, those of the days that are wanted. */
static void note_years(struct bucket_walk *b, bool named)
{
    struct slice folder = {b->folder.p ? b->folder.p : "", b->folder.n};
    buffer_clear(&b->after);
    buffer_clear(&b->until);
    if (b->from_s > 0)
        put_day(&b->after, folder, named, day_of(b->from_s));
    if (b->to_s < INT64_MAX / 2)
        put_day(&b->until, folder, named, day_of(b->to_s - 1) + DAY_S);
    b->flat = true;
}

static enum weir_err on_entry(void *ctx, const struct s3_entry *e)
{
    struct bucket_walk *b = ctx;
    bool named;
    if (b->listing.delimiter[0] == 0 && b->until.n && slice_cmp(e->key, (struct slice){b->until.p, b->until.n}) >= 0) {
        b->ended = true;
        return WEIR_END;
    }
    if (!e->folder)
        return give(b, e);
    b->found = true;
    if (b->flat || bucket_is_quiet(b->place.key.n, (struct slice){e->key.p, e->key.n - (e->key.n > 0)}))
        return WEIR_OK;
    if (is_year(e->key, &named))
        note_years(b, named);
    else if (!add_folder(b, e->key))
        return WEIR_LIMIT;
    return WEIR_OK;
}

/* ---- pages ---- */

static bool is_bounded(const struct bucket_walk *b) { return b->from_s > 0 || b->to_s < INT64_MAX / 2; }

static void begin_listing(struct bucket_walk *b, bool flat)
{
    if (!flat) {
        buffer_clear(&b->after);
        buffer_clear(&b->until);
    }
    b->listing = (struct s3_listing){.bucket = b->place.bucket, .prefix = {b->folder.p ? b->folder.p : "", b->folder.n}, .tries = b->tries,
                                     .after = {b->after.p ? b->after.p : "", b->after.n}, .delimiter = !flat && is_bounded(b) ? "/" : ""};
    b->busy = true;
    b->flat = false;
}

/* Of what begins with the name of the object, only the object itself. */
static enum weir_err only_itself(void *ctx, const struct s3_entry *e)
{
    struct bucket_walk *b = ctx;
    return !e->folder && slice_eq(e->key, b->place.key) ? give(b, e) : WEIR_OK;
}

/* Nothing lies below it: then what was named is an object, or nothing. */
static enum weir_err probe(struct bucket_walk *b, struct fault *fault)
{
    struct s3_listing one = {.bucket = b->place.bucket, .prefix = b->place.key, .delimiter = "/", .tries = b->tries};
    enum weir_err err = s3_list(b->s3, b->web, &one, only_itself, b, fault);
    return err ? err : WEIR_END;
}

/* The next folder to go down into, or the years of the one at hand. */
static bool begin_next(struct bucket_walk *b)
{
    if (b->flat) {
        begin_listing(b, true);
        return true;
    }
    if (!b->todo.n)
        return false;
    char *name = b->todo.name[--b->todo.n];
    put_key(&b->folder, slice_of(name));
    free(name);
    begin_listing(b, false);
    return true;
}

enum weir_err bucket_page(struct bucket_walk *b, struct fault *fault)
{
    if (!b->busy && !begin_next(b))
        return b->found || !b->place.key.n || b->place.key.p[b->place.key.n - 1] == '/' ? WEIR_END : probe(b, fault);
    enum weir_err err = s3_list(b->s3, b->web, &b->listing, on_entry, b, fault);
    if (err && err != WEIR_END)
        return err == WEIR_LIMIT ? fault_set(fault, err, "'%.200s': too many folders", buffer_cstr(&b->url)) : err;
    b->busy = !b->listing.done && !b->ended;
    b->ended = false;
    return WEIR_OK;
}

/* ---- into a list ---- */

static enum weir_err add_object(void *ctx, struct slice path, const struct s3_entry *e)
{
    struct object_list *list = ctx;
    size_t before = list->n;
    enum weir_err err = object_list_push(list, path, 0, e->size, NULL);
    if (!err && list->n > before)
        object_list_describe(list, e->etag);
    return err;
}

enum weir_err object_list_add_s3(struct object_list *list, const char *url, struct fault *fault)
{
    struct bucket_walk b = {.from_s = list->from_s, .to_s = list->to_s, .object = add_object, .ctx = list};
    enum weir_err err = bucket_open(&b, url, fault);
    while (!err) {
        err = bucket_page(&b, fault);
        if (!err && source_stopped())
            err = fault_set(fault, WEIR_INTERRUPTED, "interrupted");
    }
    list->skipped.quiet += b.quiet;
    list->skipped.unreadable += b.unreadable;
    bucket_close(&b);
    if (err == WEIR_LIMIT || err == WEIR_NOMEM)
        fault_set(fault, err, "'%.200s': %s", url, weir_err_text(err));
    return err == WEIR_END ? WEIR_OK : err;
}
