/* SPDX-License-Identifier: Apache-2.0 */
/* A page of baselines at a time: the hosts of a day are walked in the order of their ids, so the next ones are known. */
#include "app/ahead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/baseline.h"

#define PAGE 512 /* 2 MiB of baselines, and a round trip in place of 512 */

struct ahead {
    struct store *store;
    uint64_t *id; size_t n, cap;  /* ascending */
    size_t first, count;          /* the page, in id */
    struct stored { bool there; size_t at, n; } value[PAGE]; /* in bytes */
    struct buffer bytes;
};

struct ahead *ahead_new(struct store *s)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (a) {
        a->store = s;
        buffer_init(&a->bytes, (size_t)PAGE * STORE_VALUE_MAX);
    }
    return a;
}

void ahead_free(struct ahead *a)
{
    if (!a)
        return;
    buffer_fini(&a->bytes);
    free(a->id);
    free(a);
}

static enum weir_err note_host(void *ctx, const struct host_day *day)
{
    struct ahead *a = ctx;
    uint64_t *all = array_grow(a->id, &a->cap, a->n, sizeof *all);
    if (!all)
        return WEIR_NOMEM;
    a->id = all;
    a->id[a->n++] = day->host_id;
    return WEIR_OK;
}

enum weir_err ahead_plan(struct ahead *a, struct window *w, int64_t day_s, uint64_t at_least)
{
    a->n = a->first = a->count = 0;
    return store_is_far(a->store) ? window_each_host(w, day_s, at_least, note_host, a) : WEIR_OK;
}

static enum weir_err keep(void *ctx, size_t i, struct slice value)
{
    struct ahead *a = ctx;
    a->value[i] = (struct stored){true, a->bytes.n, value.n};
    buffer_slice(&a->bytes, value);
    return a->bytes.err;
}

static enum weir_err load_page(struct ahead *a, size_t first, struct fault *fault)
{
    char key[PAGE][17];
    const char *ids[PAGE];
    a->first = first;
    a->count = 0;
    size_t n = a->n - first < PAGE ? a->n - first : PAGE;
    buffer_clear(&a->bytes);
    memset(a->value, 0, sizeof a->value);
    for (size_t i = 0; i < n; i++) {
        store_id(a->id[first + i], key[i]);
        ids[i] = key[i];
    }
    enum weir_err err = store_get_many(a->store, BASELINE_BLOB, ids, n, keep, a, fault);
    a->count = err ? 0 : n;
    return err;
}

static size_t place_of(const struct ahead *a, uint64_t id)
{
    size_t low = 0, high = a->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (a->id[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static enum weir_err get_alone(struct ahead *a, uint64_t host_id, struct buffer *out, struct fault *fault)
{
    char key[17];
    store_id(host_id, key);
    return store_get(a->store, BASELINE_BLOB, key, out, fault);
}

enum weir_err ahead_get(struct ahead *a, uint64_t host_id, struct buffer *out, struct fault *fault)
{
    size_t at = place_of(a, host_id);
    if (at == a->n || a->id[at] != host_id)
        return get_alone(a, host_id, out, fault);
    enum weir_err err = at - a->first < a->count ? WEIR_OK : load_page(a, at, fault);
    if (err == WEIR_CORRUPT) /* a key of a foreign type among them: which one shows when each is asked for alone */
        return get_alone(a, host_id, out, fault);
    if (err)
        return err;
    const struct stored *value = &a->value[at - a->first];
    if (!value->there)
        return WEIR_NOTFOUND;
    buffer_put(out, a->bytes.p + value->at, value->n);
    return out->err;
}
