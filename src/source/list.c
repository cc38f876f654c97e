/* The list of objects behind the PATHs: kept by value, paths in an arena, sorted into the one canonical order. Object order
 * may not change a finding; it is canonical all the same, so that progress, notes and rejects come in the same order too. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "source/list.h"

struct object_list *object_list_new(const struct source_limits *limits)
{
    struct object_list *list = calloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->limits = limits ? *limits : source_default_limits;
    object_list_between(list, INT64_MIN, INT64_MAX);
    list->paths = arena_new(0);
    if (!list->paths) {
        free(list);
        return NULL;
    }
    return list;
}

void object_list_free(struct object_list *list)
{
    if (!list)
        return;
    arena_free(list->paths);
    free(list->v);
    free(list);
}

void object_list_between(struct object_list *list, int64_t from_s, int64_t to_s)
{
    list->from_s = from_s;
    list->to_s = to_s;
}

bool object_list_wants(const struct object_list *list, const struct provenance *from)
{
    return !from->account.n || (from->bucket_s >= list->from_s && from->bucket_s < list->to_s);
}

uint64_t far_stamp(struct slice etag, uint64_t size) { return stable_mix(stable_hash(etag.p, etag.n) ^ size) | 1; }

void object_list_describe(struct object_list *list, struct slice etag)
{
    struct object *o = &list->v[list->n - 1];
    char *copy = etag.n ? arena_alloc(list->paths, etag.n + 1) : NULL;
    if (copy)
        memcpy(copy, etag.p, etag.n);
    o->etag = copy;
    o->stamp = far_stamp(etag, o->size_bytes);
}

static enum weir_err make_room(struct object_list *list, struct fault *fault)
{
    if (list->n >= list->limits.max_objects)
        return fault_set(fault, WEIR_LIMIT, "more than %llu objects", (unsigned long long)list->limits.max_objects);
    if (list->n < list->cap)
        return WEIR_OK;
    size_t cap = list->cap ? 2 * list->cap : 64;
    struct object *v = reallocarray(list->v, cap, sizeof *v);
    if (!v)
        return fault_set(fault, WEIR_NOMEM, "out of memory for %zu objects", cap);
    list->v = v;
    list->cap = cap;
    return WEIR_OK;
}

enum weir_err object_list_push(struct object_list *list, struct slice path, size_t root_bytes, uint64_t size_bytes, struct fault *fault)
{
    enum weir_err err = make_room(list, fault);
    if (err != WEIR_OK)
        return err;
    char *copy = arena_alloc(list->paths, path.n + 1); /* zeroed: ends with a NUL */
    if (!copy)
        return fault_set(fault, WEIR_NOMEM, "out of memory for a path");
    memcpy(copy, path.p, path.n);
    struct object *o = &list->v[list->n];
    *o = (struct object){.path = copy, .size_bytes = size_bytes, .root_bytes = root_bytes};
    provenance_parse(o->path, &o->from, &o->key);
    if (!object_list_wants(list, &o->from))
        return WEIR_OK;
    list->n++;
    list->bytes += size_bytes;
    return WEIR_OK;
}

enum weir_err object_list_add_opened(struct object_list *list, const char *path, int fd, uint64_t size_bytes, struct fault *fault)
{
    enum weir_err err = object_list_push(list, slice_of(path), 0, size_bytes, fault);
    if (!err)
        list->v[list->n - 1].fd = fd;
    return err;
}

int object_compare(const void *left, const void *right)
{
    const struct object *a = left, *b = right;
    bool a_known = a->from.account.n > 0, b_known = b->from.account.n > 0;
    if (a_known != b_known)
        return a_known ? -1 : 1;
    if (a_known && a->from.bucket_s != b->from.bucket_s)
        return a->from.bucket_s < b->from.bucket_s ? -1 : 1;
    int by_key = a_known ? slice_cmp(a->key, b->key) : 0;
    return by_key ? by_key : strcmp(a->path, b->path);
}

void object_list_sort(struct object_list *list)
{
    size_t kept = 0;
    if (list->n > 0)
        qsort(list->v, list->n, sizeof *list->v, object_compare);
    list->bytes = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (kept > 0 && strcmp(list->v[kept - 1].path, list->v[i].path) == 0)
            continue;
        list->bytes += list->v[i].size_bytes;
        list->v[kept++] = list->v[i];
    }
    list->n = kept;
}

void object_list_keep(struct object_list *list, bool (*keep)(void *ctx, const struct object *o), void *ctx)
{
    size_t kept = 0;
    list->bytes = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (!keep(ctx, &list->v[i]))
            continue;
        list->bytes += list->v[i].size_bytes;
        list->v[kept++] = list->v[i];
    }
    list->n = kept;
}

size_t object_list_count(const struct object_list *list)
{
    return list->n;
}

const struct object *object_list_at(const struct object_list *list, size_t i)
{
    return i < list->n ? &list->v[i] : NULL;
}

uint64_t object_list_bytes(const struct object_list *list)
{
    return list->bytes;
}

struct source_skipped object_list_skipped(const struct object_list *list)
{
    return list->skipped;
}
