/* What is known of the files in watched directories: 40 bytes each, found by two keyed hashes of the path. Linear probing, at most half full. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "source/watch.h"

static void key_of(struct slice path, uint64_t key[2])
{
    key[0] = hash_bytes(path.p, path.n);
    key[1] = hash_u64x2(hash_bytes(path.p, path.n / 2), key[0] ^ hash_bytes(path.p + path.n / 2, path.n - path.n / 2));
    key[1] |= 1; /* so that no key is nobody's */
}

static struct known_file *slot_of(const struct file_table *t, const uint64_t key[2])
{
    size_t at = (size_t)key[0] & (t->slots - 1);
    while (t->slot[at].key[1] && (t->slot[at].key[0] != key[0] || t->slot[at].key[1] != key[1]))
        at = (at + 1) & (t->slots - 1);
    return &t->slot[at];
}

struct known_file *file_table_find(const struct file_table *t, struct slice path)
{
    uint64_t key[2];
    if (!t->slots)
        return NULL;
    key_of(path, key);
    struct known_file *f = slot_of(t, key);
    return f->key[1] ? f : NULL;
}

/* A new table of at least that many slots, with those entries of the old one that are kept. */
static enum weir_err rebuild(struct file_table *t, size_t entries, bool forget, uint32_t sweep)
{
    struct file_table next = {.slots = 64};
    while (next.slots < 4 * entries)
        next.slots *= 2;
    next.slot = calloc(next.slots, sizeof *next.slot);
    if (!next.slot)
        return WEIR_NOMEM;
    for (size_t i = 0; i < t->slots; i++) {
        const struct known_file *f = &t->slot[i];
        if (!f->key[1] || (forget && f->state == FILE_SETTLED && f->swept != sweep))
            continue;
        *slot_of(&next, f->key) = *f;
        next.n++;
    }
    free(t->slot);
    *t = next;
    return WEIR_OK;
}

struct known_file *file_table_put(struct file_table *t, struct slice path)
{
    uint64_t key[2];
    if (2 * (t->n + 1) > t->slots && rebuild(t, t->n + 1, false, 0))
        return NULL;
    key_of(path, key);
    struct known_file *f = slot_of(t, key);
    if (!f->key[1]) {
        *f = (struct known_file){.key = {key[0], key[1]}, .state = FILE_SETTLED};
        t->n++;
    }
    return f;
}

enum weir_err file_table_forget(struct file_table *t, uint32_t sweep)
{
    size_t gone = 0;
    for (size_t i = 0; i < t->slots; i++)
        gone += t->slot[i].key[1] && t->slot[i].state == FILE_SETTLED && t->slot[i].swept != sweep;
    return gone ? rebuild(t, t->n - gone + 1, true, sweep) : WEIR_OK;
}

void file_table_free(struct file_table *t)
{
    free(t->slot);
    *t = (struct file_table){NULL, 0, 0};
}
