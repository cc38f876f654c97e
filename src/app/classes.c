/* SPDX-License-Identifier: Apache-2.0 */
/* Classes in the store: f <class id, 16 hex>, see baseline/class_blob.c. */
#include "app/classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/app.h"

/* 47 KB each: addresses that somebody makes up, each in a network of its own, must not fill the memory. Classes that are known have more
 * room than new ones, so a flood of those takes no place from them. */
#define CLASS_RESERVED 16 /* ids below are of no network */
#define CLASSES_MAX 4096
#define CLASSES_NEW_MAX (CLASSES_MAX / 2)

struct slot { uint64_t id; struct class_entry entry; };
struct classes {
    struct store *store;
    struct log *log;
    uint16_t day;
    struct class_entry fleet, young, rest; /* rest: empty until it is needed */
    struct slot *slot; size_t n, cap; /* open addressing, cap a power of two */
    struct buffer blob;
};

static enum weir_err load_state(struct classes *c, uint64_t id, struct class_state **out, struct fault *fault)
{
    char key[17];
    store_id(id, key);
    buffer_clear(&c->blob);
    enum weir_err err = store_get(c->store, CLASS_BLOB, key, &c->blob, fault);
    if (!err) {
        err = class_decode((struct slice){c->blob.p, c->blob.n}, out);
        if (err == WEIR_VERSION)
            return fault_set(fault, err, "class 'f:%s' was written by a newer weir", key);
        if (err && err != WEIR_NOMEM) {
            log_error(c->log, "class of hosts damaged, it learns anew", LOG_TEXT("class", slice_of(key)));
            err = WEIR_NOTFOUND;
        }
    }
    if (err != WEIR_NOTFOUND)
        return err;
    if (id >= CLASS_RESERVED && c->n >= CLASSES_NEW_MAX)
        return WEIR_LIMIT;
    return (*out = class_new(id)) ? WEIR_OK : WEIR_NOMEM;
}

static enum weir_err load(struct classes *c, uint64_t id, struct class_entry *out, struct fault *fault)
{
    enum weir_err err = load_state(c, id, &out->state, fault);
    if (err)
        return err;
    const struct class_state *fleet = id == CLASS_FLEET ? out->state : c->fleet.state;
    out->calibration = score_calibration_new(&score_model_default, id == CLASS_FLEET ? NULL : out->state, fleet, c->day);
    return out->calibration ? WEIR_OK : WEIR_NOMEM;
}

enum weir_err classes_open(struct store *store, struct log *log, uint16_t day, struct classes **out, struct fault *fault)
{
    struct classes *c = calloc(1, sizeof *c);
    if (!c)
        return WEIR_NOMEM;
    c->store = store;
    c->log = log;
    c->day = day;
    buffer_init(&c->blob, STORE_VALUE_MAX);
    enum weir_err err = load(c, CLASS_FLEET, &c->fleet, fault);
    if (!err)
        err = load(c, CLASS_YOUNG, &c->young, fault);
    if (err)
        classes_free(c);
    else
        *out = c;
    return err;
}

static void entry_free(struct class_entry *e)
{
    class_free(e->state);
    score_calibration_free(e->calibration);
}

void classes_free(struct classes *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->cap; i++)
        entry_free(&c->slot[i].entry);
    entry_free(&c->fleet);
    entry_free(&c->young);
    entry_free(&c->rest);
    buffer_fini(&c->blob);
    free(c->slot);
    free(c);
}

const struct class_entry *classes_fleet(const struct classes *c) { return &c->fleet; }
const struct class_entry *classes_young(const struct classes *c) { return &c->young; }

static struct slot *find(struct slot *slot, size_t cap, uint64_t id)
{
    size_t i = stable_mix(id) & (cap - 1);
    while (slot[i].id && slot[i].id != id)
        i = (i + 1) & (cap - 1);
    return &slot[i];
}

static bool make_room(struct classes *c)
{
    if (c->n * 2 < c->cap)
        return true;
    size_t cap = c->cap ? c->cap * 2 : 64;
    struct slot *slot = calloc(cap, sizeof *slot);
    if (!slot)
        return false;
    for (size_t i = 0; i < c->cap; i++)
        if (c->slot[i].id)
            *find(slot, cap, c->slot[i].id) = c->slot[i];
    free(c->slot);
    c->slot = slot;
    c->cap = cap;
    return true;
}

static enum weir_err load_whole(struct classes *c, uint64_t id, struct class_entry *out, struct fault *fault)
{
    enum weir_err err = load(c, id, out, fault);
    if (err) {
        entry_free(out);
        *out = (struct class_entry){NULL, NULL};
    }
    return err;
}

static enum weir_err get_rest(struct classes *c, struct class_entry *out, struct fault *fault)
{
    enum weir_err err = c->rest.state ? WEIR_OK : load_whole(c, CLASS_REST, &c->rest, fault);
    *out = c->rest;
    return err;
}

enum weir_err classes_get(struct classes *c, uint64_t id, struct class_entry *out, struct fault *fault)
{
    if (!make_room(c))
        return WEIR_NOMEM;
    struct slot *s = find(c->slot, c->cap, id);
    enum weir_err err = s->id ? WEIR_OK : id == CLASS_REST || c->n >= CLASSES_MAX ? WEIR_LIMIT : load_whole(c, id, &s->entry, fault);
    if (err)
        return err == WEIR_LIMIT ? get_rest(c, out, fault) : err;
    c->n += !s->id;
    s->id = id;
    *out = s->entry;
    return WEIR_OK;
}

uint64_t host_class(const struct host_day *d, struct slice word)
{
    struct ip subnet = ip_network(d->host, ip_is_v4(d->host) ? 24 : 64);
    if (word.n)
        subnet = (struct ip){stable_hash(word.p, word.n), 0};
    uint64_t parts[] = {stable_hash(d->account.p, d->account.n), stable_hash(d->vpc.p, d->vpc.n), subnet.hi, subnet.lo};
    uint64_t id = stable_hash(parts, sizeof parts);
    return id < CLASS_RESERVED ? id + CLASS_RESERVED : id;
}

void host_class_name(const struct host_day *d, struct slice word, struct buffer *out)
{
    unsigned bits = ip_is_v4(d->host) ? 24 : 64;
    char text[IP_TEXT_MAX];
    ip_format(ip_network(d->host, bits), text);
    if (word.n)
        buffer_slice(out, word);
    else
        buffer_printf(out, "%s/%u", text, bits);
}

static enum weir_err close_one(struct classes *c, struct class_state *state, struct fault *fault)
{
    char key[17];
    store_id(class_id(state), key);
    buffer_clear(&c->blob);
    enum weir_err err = class_close(state, c->day);
    if (!err)
        err = class_encode(state, &c->blob);
    return err ? err : store_put(c->store, CLASS_BLOB, key, (struct slice){c->blob.p, c->blob.n}, fault);
}

enum weir_err classes_close(struct classes *c, struct fault *fault)
{
    enum weir_err err = close_one(c, c->fleet.state, fault);
    if (!err)
        err = close_one(c, c->young.state, fault);
    if (!err && c->rest.state)
        err = close_one(c, c->rest.state, fault);
    for (size_t i = 0; i < c->cap && !err; i++)
        if (c->slot[i].id)
            err = close_one(c, c->slot[i].entry.state, fault);
    return err;
}
