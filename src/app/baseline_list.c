/* SPDX-License-Identifier: Apache-2.0 */
/* `weir baseline list`: a line for each host that has a baseline. */
#include <inttypes.h>
#include <string.h>

#include "app/baseline_tool.h"

struct listing {
    struct store *store;
    unsigned format;
    struct buffer *out;
    uint64_t hosts;
    struct fault *fault;
};

static void put_row(struct listing *l, const struct known_host *h)
{
    char ip[IP_TEXT_MAX];
    ip_format(h->baseline.host, ip);
    if (l->format == BASELINE_JSON) {
        buffer_printf(l->out, "{\"id\":\"%016" PRIx64 "\",\"host\":\"%s\",\"account\":", h->id, ip);
        escape_json(l->out, slice_of(h->account));
        buffer_puts(l->out, ",\"interface\":");
        escape_json(l->out, slice_of(h->interface));
        buffer_printf(l->out, ",\"days\":%u,\"groups\":%u,\"bytes\":%" PRIu64 "}\n", h->baseline.days, h->baseline.groups, h->bytes);
        return;
    }
    if (!l->hosts)
        buffer_printf(l->out, "%-16s  %-39s  %5s  %6s  %6s  %s\n", "id", "host", "days", "groups", "bytes", "interface");
    buffer_printf(l->out, "%016" PRIx64 "  %-39s  %5u  %6u  %6" PRIu64 "  ", h->id, ip, h->baseline.days, h->baseline.groups, h->bytes);
    escape_terminal(l->out, slice_of(h->interface));
    buffer_puts(l->out, "\n");
}

static enum weir_err list_host(void *ctx, const struct host_entry *e)
{
    struct listing *l = ctx;
    struct known_host h;
    enum weir_err err = known_host_get(l->store, e, &h, l->fault);
    if (err == WEIR_NOTFOUND)
        return WEIR_OK;
    if (err == WEIR_CORRUPT || err == WEIR_TRUNCATED) {
        buffer_printf(l->out, l->format == BASELINE_JSON ? "{\"id\":\"%016" PRIx64 "\",\"damaged\":true}\n" : "%016" PRIx64 "  damaged, this host will learn anew\n", e->id);
        return WEIR_OK;
    }
    if (err)
        return err;
    put_row(l, &h);
    l->hosts++;
    return l->out->err;
}

enum weir_err baseline_list(struct store *s, unsigned format, struct buffer *out, struct fault *fault)
{
    struct listing l = {.store = s, .format = format, .out = out, .fault = fault};
    enum weir_err err = host_index_each(s, list_host, &l, fault);
    if (!err && !l.hosts && format == BASELINE_TABLE)
        buffer_puts(out, "no host has a baseline yet\n");
    return err;
}
