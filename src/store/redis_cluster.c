/* Redis Cluster: the slot of our one hash tag, and the node that serves it. All keys of a store share the tag, so this is one node and
 * one question; it is asked again whenever a connection is made anew.
 * Key slots: CRC-16 XMODEM (polynomial 0x1021, from 0) modulo 16384, https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#define SLOTS 16384

unsigned redis_slot_of(struct slice tag)
{
    unsigned crc = 0;
    for (size_t i = 0; i < tag.n; i++) {
        crc ^= (unsigned)(unsigned char)tag.p[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return (crc & 0xffff) % SLOTS;
}

/* CLUSTER SLOTS: [[first, last, [host, port, id, ...], replicas...], ...] */
struct search {
    unsigned slot;
    long long first, last;
    bool found;
    const struct redis_node *asked;
    struct redis_node *out;
};

static bool is_ours(const struct search *s) { return s->first <= (long long)s->slot && (long long)s->slot <= s->last; }

static enum weir_err take_master(struct search *s, const struct redis_item *item)
{
    if (item->at[2] == 0 && item->text.n >= sizeof s->out->host)
        return WEIR_CORRUPT;
    if (item->at[2] == 0) { /* a node that does not know its own name says nothing: it is the one that was asked */
        snprintf(s->out->host, sizeof s->out->host, "%.*s", (int)item->text.n, item->text.n ? item->text.p : "");
        if (!item->text.n || strcmp(s->out->host, "?") == 0)
            memcpy(s->out->host, s->asked->host, sizeof s->out->host);
    } else if (item->at[2] == 1) {
        if (item->number < 1 || item->number > 65535)
            return WEIR_CORRUPT;
        snprintf(s->out->port, sizeof s->out->port, "%u", (unsigned)(item->number & 0xffff));
        s->found = true;
    }
    return WEIR_OK;
}

static enum weir_err take_item(void *ctx, const struct redis_item *item)
{
    struct search *s = ctx;
    if (item->depth == 2 && item->type == REDIS_REPLY_INTEGER && item->at[1] < 2)
        *(item->at[1] ? &s->last : &s->first) = item->number;
    return item->depth == 3 && item->at[1] == 2 && is_ours(s) ? take_master(s, item) : WEIR_OK;
}

enum weir_err redis_cluster_find(struct redis_conn *c, unsigned slot, const struct redis_node *asked, struct redis_node *out, struct fault *fault)
{
    struct search s = {.slot = slot, .first = -1, .last = -1, .asked = asked, .out = out};
    struct redis_reply reply;
    redis_conn_ask(c, 2, (const char *const[]){"CLUSTER", "SLOTS"});
    enum weir_err err = redis_conn_reply(c, take_item, &s, &reply, fault);
    if (err)
        return err == WEIR_CORRUPT ? fault_set(fault, err, "the nodes of the cluster give no proper list of slots") : err;
    if (reply.type == REDIS_REPLY_ERROR)
        return fault_set(fault, WEIR_USAGE, "the store is no Redis Cluster: use redis:// (or rediss://): %s", reply.text);
    return s.found ? WEIR_OK : fault_set(fault, WEIR_UNAVAILABLE, "no node of the cluster serves slot %u, where the store has its keys", slot);
}
