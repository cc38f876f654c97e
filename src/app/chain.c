/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over the outbox. */
#include "app/chain.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 1000

void chain_hash(const struct sha256 *previous, uint64_t seq, const char *uid, struct slice json, struct sha256 *out)
{
    uint8_t number[8];
    for (unsigned i = 0; i < 8; i++)
        number[i] = (uint8_t)(seq >> (8 * i));
    struct sha256_stream *s = sha256_new();
    if (!s)
        abort(); /* as where a hash fails: a chain that is silently wrong proves nothing */
    sha256_add(s, previous->b, SHA256_BYTES);
    sha256_add(s, number, sizeof number);
    sha256_add(s, uid, strlen(uid));
    sha256_add(s, "\n", 1);
    sha256_add(s, json.p, json.n);
    sha256_end(s, out);
    sha256_free(s);
}

struct walk {
    struct chain_link *link;
    uint64_t wanted, last;
    size_t n; /* entries in this page */
    bool found;
};

static enum weir_err take(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct walk *w = ctx;
    w->last = seq;
    w->n++;
    if (w->found || seq > w->wanted)
        return WEIR_OK;
    w->link->previous = w->link->hash;
    chain_hash(&w->link->previous, seq, uid, json, &w->link->hash);
    w->link->seq = seq;
    w->found = seq == w->wanted;
    return WEIR_OK;
}

enum weir_err chain_find(struct store *s, uint64_t seq, struct chain_link *out, struct fault *fault)
{
    struct walk w = {.link = out, .wanted = seq, .n = PAGE};
    enum weir_err err = WEIR_OK;
    memset(out, 0, sizeof *out);
    while (!err && !w.found && w.n == PAGE && w.last < seq) {
        w.n = 0;
        err = store_outbox(s, w.last, PAGE, take, &w, fault);
    }
    return err || w.found ? err : fault_set(fault, WEIR_NOTFOUND, "the finding log has no entry %llu", (unsigned long long)seq);
}
