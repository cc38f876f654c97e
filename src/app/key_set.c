/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most half full. */
#include "app/key_set.h"

#include <stdlib.h>
#include <string.h>

static uint64_t *slot(const struct key_set *s, uint64_t key)
{
    size_t at = hash_u64x2(key, 0) & (s->cap - 1);
    while (s->key[at] && s->key[at] != key)
        at = (at + 1) & (s->cap - 1);
    return &s->key[at];
}

static bool grow(struct key_set *s)
{
    struct key_set more = {.cap = s->cap ? s->cap * 2 : 64, .n = s->n};
    if (!(more.key = calloc(more.cap, sizeof *more.key)))
        return false;
    for (size_t i = 0; i < s->cap; i++)
        if (s->key[i])
            *slot(&more, s->key[i]) = s->key[i];
    free(s->key);
    *s = more;
    return true;
}

bool key_set_has(const struct key_set *s, uint64_t key) { return s->n && *slot(s, key) == key; }

bool key_set_add(struct key_set *s, uint64_t key)
{
    if (s->n * 2 >= s->cap && !grow(s))
        return false;
    uint64_t *at = slot(s, key);
    s->n += *at == 0;
    *at = key;
    return true;
}

void key_set_clear(struct key_set *s)
{
    if (s->n)
        memset(s->key, 0, s->cap * sizeof *s->key);
    s->n = 0;
}

void key_set_free(struct key_set *s)
{
    free(s->key);
    *s = (struct key_set){NULL, 0, 0};
}
