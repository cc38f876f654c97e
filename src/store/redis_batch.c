/* An open batch: its commands as they will go over the wire, and a table that finds what the batch last said about a key, so that a
 * batch reads itself. Nothing goes to the server before the commit: a transaction that is open there could not be read from.
 *
 * Each put is one command, formatted once and sent from where it lies. A key that is put twice is sent twice, in order: the last
 * one wins there too. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

/* Below the 1 GiB that a server takes of one transaction (client-query-buffer-limit). */
#define BATCH_BYTES_MAX ((size_t)768 << 20)
#define FIRST_SLOTS 1024

static struct slice id_of(const struct redis_command *c) { return (struct slice){c->text + c->id_at, c->id_n}; }

static size_t place_of(const struct redis_batch *b, char kind, struct slice id)
{
    size_t at = (hash_bytes(id.p, id.n) + (unsigned char)kind * 0x9e3779b97f4a7c15ULL) & (b->slots - 1);
    for (;; at = (at + 1) & (b->slots - 1)) {
        const struct redis_command *c = b->slot[at] ? &b->command[b->slot[at] - 1] : NULL;
        if (!c || (c->kind == kind && slice_eq(id_of(c), id)))
            return at;
    }
}

static bool grow_table(struct redis_batch *b)
{
    if (b->slots > 2 * b->n)
        return true;
    size_t slots = b->slots ? 2 * b->slots : FIRST_SLOTS;
    uint32_t *slot = calloc(slots, sizeof *slot);
    if (!slot)
        return false;
    free(b->slot);
    b->slot = slot;
    b->slots = slots;
    for (size_t i = 0; i < b->n; i++)
        if (b->command[i].kind)
            b->slot[place_of(b, b->command[i].kind, id_of(&b->command[i]))] = (uint32_t)i + 1;
    return true;
}

static enum weir_err no_memory(struct fault *fault) { return fault_set(fault, WEIR_NOMEM, "cannot collect the batch of the store: out of memory"); }

static enum weir_err add(struct redis_batch *b, struct redis_command c, const char *id, const char *key, struct fault *fault)
{
    struct redis_command *all = array_grow(b->command, &b->cap, b->n, sizeof *all);
    b->command = all ? all : b->command;
    if (!all || b->n >= UINT32_MAX - 1 || !grow_table(b)) {
        redisFreeCommand(c.text);
        return no_memory(fault);
    }
    const char *at = strstr(c.text, key); /* the key is the first word behind the name of the command */
    c.id_n = (uint32_t)strlen(id);
    c.id_at = (size_t)(at - c.text) + strlen(key) - c.id_n;
    b->command[b->n++] = c;
    b->bytes += c.n;
    if (c.kind)
        b->slot[place_of(b, c.kind, (struct slice){id, c.id_n})] = (uint32_t)b->n;
    return WEIR_OK;
}

static enum weir_err check_room(const struct redis_batch *b, size_t n, struct fault *fault)
{
    if (n <= BATCH_BYTES_MAX - b->bytes)
        return WEIR_OK;
    return fault_set(fault, WEIR_LIMIT, "a commit to Redis holds at most %zu MiB: set 'checkpoint.objects' lower, so that less is committed at once", BATCH_BYTES_MAX >> 20);
}

enum weir_err redis_batch_set(struct redis_batch *b, char kind, const char *id, const char *key, struct slice value, struct fault *fault)
{
    const char *words[] = {"SET", key, value.n ? value.p : ""};
    const size_t lengths[] = {3, strlen(key), value.n};
    struct redis_command c = {.kind = kind, .value_n = (uint32_t)value.n};
    enum weir_err err = check_room(b, value.n + REDIS_KEY_MAX, fault);
    if (err)
        return err;
    int n = redisFormatCommandArgv(&c.text, 3, words, lengths);
    if (n < 0)
        return no_memory(fault);
    c.n = (size_t)n;
    c.value_at = c.n - value.n - 2;
    return add(b, c, id, key, fault);
}

enum weir_err redis_batch_delete(struct redis_batch *b, char kind, const char *id, const char *key, struct fault *fault)
{
    const char *words[] = {"DEL", key};
    struct redis_command c = {.kind = kind, .deletes = true};
    enum weir_err err = check_room(b, REDIS_KEY_MAX, fault);
    if (err)
        return err;
    int n = redisFormatCommandArgv(&c.text, 2, words, NULL);
    if (n < 0)
        return no_memory(fault);
    c.n = (size_t)n;
    return add(b, c, id, key, fault);
}

const struct redis_command *redis_batch_find(const struct redis_batch *b, char kind, const char *id)
{
    uint32_t at = b->n ? b->slot[place_of(b, kind, slice_of(id))] : 0;
    return at ? &b->command[at - 1] : NULL;
}

void redis_batch_clear(struct redis_batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        redisFreeCommand(b->command[i].text);
    free(b->command);
    free(b->slot);
    *b = (struct redis_batch){NULL, 0, 0, NULL, 0, 0, 0};
}
