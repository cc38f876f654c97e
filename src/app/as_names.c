/* SPDX-License-Identifier: Apache-2.0 */
/* Names of autonomous systems: an open table of numbers, all text in one buffer. */
#include <stdlib.h>
#include <string.h>

#include "app/geo.h"

#define TEXT_MAX (64u << 20)

struct as_name { uint32_t asn, at; };

struct as_names {
    struct as_name *slot; /* asn 0: free */
    size_t slots, n;
    struct buffer text;
};

struct as_names *as_names_new(void)
{
    struct as_names *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->slots = 1024;
    n->slot = calloc(n->slots, sizeof *n->slot);
    buffer_init(&n->text, TEXT_MAX);
    if (n->slot)
        return n;
    as_names_free(n);
    return NULL;
}

void as_names_free(struct as_names *n)
{
    if (!n)
        return;
    free(n->slot);
    buffer_fini(&n->text);
    free(n);
}

static struct as_name *find(struct as_name *slot, size_t slots, uint32_t asn)
{
    size_t at = hash_u64x2(asn, 0) & (slots - 1);
    while (slot[at].asn && slot[at].asn != asn)
        at = (at + 1) & (slots - 1);
    return &slot[at];
}

static bool grow(struct as_names *n)
{
    struct as_name *slot = calloc(n->slots * 2, sizeof *slot);
    if (!slot)
        return false;
    for (size_t i = 0; i < n->slots; i++)
        if (n->slot[i].asn)
            *find(slot, n->slots * 2, n->slot[i].asn) = n->slot[i];
    free(n->slot);
    n->slot = slot;
    n->slots *= 2;
    return true;
}

static struct slice shortened(struct slice name)
{
    const char *nul = name.n ? memchr(name.p, 0, name.n) : NULL;
    name.n = nul ? (size_t)(nul - name.p) : name.n;
    if (name.n <= AS_NAME_MAX)
        return name;
    name.n = AS_NAME_MAX;
    while (name.n && ((unsigned char)name.p[name.n - 1] & 0x80)) /* no half character at the end */
        name.n--;
    return name;
}

bool as_names_put(struct as_names *n, uint32_t asn, struct slice name)
{
    if (n->n * 2 >= n->slots && !grow(n))
        return false;
    struct as_name *slot = find(n->slot, n->slots, asn);
    if (slot->asn || !asn)
        return true;
    name = shortened(name);
    *slot = (struct as_name){asn, (uint32_t)n->text.n};
    n->n++;
    buffer_slice(&n->text, name);
    buffer_u8(&n->text, 0);
    return n->text.err == WEIR_OK;
}

const char *as_names_find(const struct as_names *n, uint32_t asn)
{
    const struct as_name *slot = asn ? find(n->slot, n->slots, asn) : NULL;
    return slot && slot->asn ? n->text.p + slot->at : "";
}

size_t as_names_count(const struct as_names *n) { return n->n; }
