/* SPDX-License-Identifier: Apache-2.0 */
/* What was counted of objects that grow. A stage of an object is told by its records alone: the print of a record covers all before it, so that two stages
 * of one object agree on the prints of the shorter one, and two objects do not even agree on the first. */
#include "app/growth.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define SLOTS_LEAST 64

static uint64_t front(const struct sha256 *print)
{
    uint64_t v;
    memcpy(&v, print->b, sizeof v);
    return v;
}

static struct growth *slot_of(const struct growths *g, const struct sha256 *first)
{
    size_t at = (size_t)front(first) & (g->cap - 1);
    while (g->slot[at].n && memcmp(g->slot[at].first.b, first->b, SHA256_BYTES) != 0)
        at = (at + 1) & (g->cap - 1);
    return &g->slot[at];
}

static bool grow(struct growths *g)
{
    struct growths more = {.n = g->n, .cap = g->cap ? 2 * g->cap : SLOTS_LEAST};
    more.slot = calloc(more.cap, sizeof *more.slot);
    if (!more.slot)
        return false;
    for (size_t i = 0; i < g->cap; i++)
        if (g->slot[i].n)
            *slot_of(&more, &g->slot[i].first) = g->slot[i];
    free(g->slot);
    *g = more;
    return true;
}

void growths_free(struct growths *g)
{
    for (size_t i = 0; i < g->cap; i++)
        free(g->slot[i].print);
    free(g->slot);
    *g = (struct growths){NULL, 0, 0};
}

/* As many as both have, if they agree; what does not agree is another object. */
static uint64_t common(const uint64_t *print, size_t n, struct decode_growth object)
{
    size_t both = n < object.n ? n : object.n;
    return both && print[both - 1] == front(&object.print[both - 1]) ? both : 0;
}

static enum weir_err stored(struct store *s, struct decode_growth object, uint64_t *counted, struct fault *fault)
{
    char id[2 * SHA256_BYTES + 1];
    struct buffer b;
    struct cursor c;
    uint8_t version;
    hex_encode(object.print[0].b, SHA256_BYTES, id);
    buffer_init(&b, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'g', id, &b, fault);
    if (!err && (err = blob_open((struct slice){b.p, b.n}, 'g', VERSION, &version, &c)))
        fault_set(fault, err, "store value 'g:%s': %s", id, weir_err_text(err));
    if (!err) {
        size_t n = cursor_left(&c) / sizeof(uint64_t), both = n < object.n ? n : object.n;
        uint64_t last = 0;
        for (size_t i = 0; i < both; i++)
            last = cursor_u64(&c);
        *counted = both && last == front(&object.print[both - 1]) ? both : 0;
    }
    buffer_fini(&b);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

enum weir_err growth_counted(const struct growths *g, struct store *s, struct decode_growth object, uint64_t *counted, struct fault *fault)
{
    *counted = 0;
    if (object.n == 0)
        return WEIR_OK;
    const struct growth *known = g->cap ? slot_of(g, &object.print[0]) : NULL;
    if (known && known->n) {
        *counted = common(known->print, known->n, object);
        return WEIR_OK;
    }
    return stored(s, object, counted, fault);
}

enum weir_err growth_note(struct growths *g, struct decode_growth object)
{
    if (object.n == 0)
        return WEIR_OK;
    if (2 * g->n >= g->cap && !grow(g))
        return WEIR_NOMEM;
    struct growth *slot = slot_of(g, &object.print[0]);
    uint64_t *print = malloc(object.n * sizeof *print);
    if (!print)
        return WEIR_NOMEM;
    for (size_t i = 0; i < object.n; i++)
        print[i] = front(&object.print[i]);
    g->n += slot->n == 0;
    free(slot->print);
    *slot = (struct growth){object.print[0], print, object.n};
    return WEIR_OK;
}

enum weir_err growths_put(const struct growths *g, struct store *s, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < g->cap && !err; i++) {
        const struct growth *o = &g->slot[i];
        char id[2 * SHA256_BYTES + 1];
        struct buffer b;
        if (!o->n)
            continue;
        hex_encode(o->first.b, SHA256_BYTES, id);
        buffer_init(&b, STORE_VALUE_MAX);
        size_t begin = blob_begin(&b, 'g', VERSION);
        for (size_t k = 0; k < o->n; k++)
            buffer_u64(&b, o->print[k]);
        blob_end(&b, begin);
        err = b.err ? fault_set(fault, b.err, "store value 'g:%s' does not fit", id) : store_put(s, 'g', id, (struct slice){b.p, b.n}, fault);
        buffer_fini(&b);
    }
    return err;
}
