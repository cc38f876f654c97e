/* SPDX-License-Identifier: Apache-2.0 */
/* See peer_names.h. Open addressing, never grown, never more than half full. */
#include "app/peer_names.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 65536u
#define TEXT_MAX_BYTES (4u << 20)

enum surety { BY_NOTHING, BY_DNS, BY_CLIENT };
struct named {
    struct ip address;
    uint32_t at;
    uint8_t n, surety;
};
struct peer_names {
    uint32_t names, text_n;
    struct named slot[NAMES_MAX * 2];
    char text[TEXT_MAX_BYTES];
};

struct peer_names *peer_names_new(void) { return calloc(1, sizeof(struct peer_names)); }
void peer_names_free(struct peer_names *n) { free(n); }

static size_t find(const struct peer_names *n, struct ip a)
{
    size_t at = hash_u64x2(a.hi, a.lo) & (NAMES_MAX * 2 - 1);
    while (n->slot[at].surety && !ip_eq(n->slot[at].address, a))
        at = (at + 1) & (NAMES_MAX * 2 - 1);
    return at;
}

static void learn(struct peer_names *n, struct ip a, struct slice name, enum surety surety)
{
    if (!name.n || name.n > UINT8_MAX)
        return;
    struct named *slot = &n->slot[find(n, a)];
    if (slot->surety >= surety || (!slot->surety && n->names == NAMES_MAX) || name.n > TEXT_MAX_BYTES - n->text_n)
        return;
    n->names += !slot->surety;
    *slot = (struct named){a, n->text_n, (uint8_t)name.n, (uint8_t)surety};
    memcpy(n->text + n->text_n, name.p, name.n);
    n->text_n += (uint32_t)name.n;
}

void peer_names_learn(struct peer_names *n, const struct record *r)
{
    const struct record_seen *s = r->seen;
    learn(n, r->dst, s->server_name, BY_CLIENT);
    for (size_t i = 0; i < s->answers; i++)
        learn(n, s->answer[i].address, s->answer[i].name, BY_DNS);
}

struct slice peer_name(const struct peer_names *n, struct ip address)
{
    if (!n)
        return (struct slice){"", 0};
    const struct named *slot = &n->slot[find(n, address)];
    return slot->surety ? (struct slice){n->text + slot->at, slot->n} : (struct slice){"", 0};
}
