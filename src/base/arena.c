/* Memory of one lifetime. Blocks double from 4 KiB to 1 MiB, so that many small arenas stay small and a large one
 * makes few allocations. The cap counts whole blocks, not what was handed out of them: it bounds real memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, FIRST_BLOCK = 4096, LAST_BLOCK = 1 << 20 };

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(ALIGN) unsigned char bytes[];
};

struct arena {
    struct block *blocks; /* the first is the one that is filled now */
    size_t max, next_size, reserved;
};

struct arena *arena_new(size_t max_bytes)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a)
        *a = (struct arena){.max = max_bytes ? max_bytes : SIZE_MAX, .next_size = FIRST_BLOCK};
    return a;
}

void arena_free(struct arena *a)
{
    for (struct block *b = a ? a->blocks : NULL; b;) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
    free(a);
}

/* A zeroed block with room for n, as large as the doubling says or as the cap still allows. */
static struct block *new_block(struct arena *a, size_t n)
{
    size_t left = a->max - a->reserved;
    if (n > left || n > SIZE_MAX / 2)
        return NULL;
    size_t size = a->next_size < left ? a->next_size : left;
    if (size < n)
        size = n;
    struct block *b = calloc(1, sizeof *b + size);
    if (!b)
        return NULL;
    b->size = size;
    a->reserved += size;
    if (a->next_size < LAST_BLOCK)
        a->next_size *= 2;
    return b;
}

static struct block *add_block(struct arena *a, size_t n)
{
    struct block *b = new_block(a, n);
    if (!b)
        return NULL;
    if (a->blocks && b->size == n && n >= LAST_BLOCK) {
        b->next = a->blocks->next; /* full at once: go on filling the block before it */
        a->blocks->next = b;
    } else {
        b->next = a->blocks;
        a->blocks = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > SIZE_MAX - ALIGN)
        return NULL;
    n = n ? (n + ALIGN - 1) & ~(size_t)(ALIGN - 1) : ALIGN;
    struct block *b = a->blocks;
    if (!b || n > b->size - b->used) {
        b = add_block(a, n);
        if (!b)
            return NULL;
    }
    void *p = b->bytes + b->used;
    b->used += n;
    return p;
}

struct slice arena_slice(struct arena *a, struct slice s)
{
    char *p = arena_alloc(a, s.n);
    if (!p)
        return (struct slice){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct slice){p, s.n};
}
