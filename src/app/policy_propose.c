/* SPDX-License-Identifier: Apache-2.0 */
/* `weir policy propose`: who called whom, as rules that allow just that.
 *
 * Hosts are told by their role, else by their subnet (/24 or /64), which becomes a role of its own. For each of them and way,
 * edges (port, other end) are summed; ports with the same ends become one rule, and what no rule names is closed. An other
 * end outside is its network (/24 or /48); where there are many it is the internet. What is too much is summed
 * coarser (tally.h), so the size of a proposal is bounded. An end that may be the host counts, too, where some flow is certainly
 * of that role or subnet: more may be allowed than needed, never less than was seen. Flows whose opener is unknown break no rule and need none. */
#include "app/policy_propose.h"

#include <stdlib.h>
#include <string.h>

#include "app/policy_tool.h"
#include "app/policy_walk.h"

#define EDGES_MAX 4096    /* of one role and way */

/* 1: the internet as a whole; 2: all of ours without a role, and all ports. */
static void coarsen(struct tally_key *key, unsigned level)
{
    if (key->kind == END_OUTSIDE)
        key->kind = END_INTERNET;
    if (key->kind == END_SUBNET && level > 1)
        key->kind = END_OURS;
    if (key->kind != END_SUBNET)
        key->end = (struct ip){0, 0};
    if (level > 1)
        key->port = key->protocol = 0;
}

/* ---- subjects: roles, and subnets of ours without a role ---- */

static struct ip subnet_of(struct ip a) { return ip_network(a, ip_is_v4(a) ? 24 : 64); }
static struct ip outside_of(struct ip a) { return ip_network(a, ip_is_v4(a) ? 24 : 48); }

static void subject_key(uint16_t role, struct ip address, struct tally_key *key)
{
    memset(key, 0, sizeof *key);
    key->role = role;
    if (!role)
        key->end = subnet_of(address);
}

static struct subject *subject_of(struct proposal *p, uint16_t role, struct ip host)
{
    struct tally_row row = tally_row_of(0, 0, 0);
    subject_key(role, host, &row.key);
    uint32_t i = tally_add(&p->known, &row);
    if (i == UINT32_MAX) {
        p->too_many = p->known.lost > 0;
        return NULL;
    }
    struct subject *s = &p->subject[i];
    if (!s->used) {
        s->used = true;
        s->role = role;
        s->network = row.key.end;
        for (unsigned into = 0; into < 2; into++) {
            tally_init(&s->object[into], EDGES_MAX, EDGE_LEVELS, coarsen);
            tally_init(&s->all[into], EDGES_MAX, EDGE_LEVELS, coarsen);
        }
    }
    return s;
}

/* ---- flows ---- */

static void end_key(const struct proposal *p, struct slice interface, const struct flow *f, struct tally_key *key)
{
    key->role = roles_of_peer(p->roles, p->inventory, interface, f->peer);
    key->kind = key->role ? END_ROLE : f->external ? END_OUTSIDE : END_SUBNET;
    if (!key->role)
        key->end = f->external ? outside_of(f->peer) : subnet_of(f->peer);
}

static void look_at(struct proposal *p, struct window *w, uint32_t interface, const struct flow *f, bool charged)
{
    struct interface_name name;
    struct tally_row row = tally_row_of(f->bytes, f->start_s, f->end_s);
    window_name(w, interface, &name);
    if (f->opened == OPENED_UNKNOWN) {
        p->unknown++;
        return;
    }
    struct subject *s = subject_of(p, roles_of_host(p->roles, p->inventory, name.id, f->host), f->host);
    if (!s)
        return;
    s->object_charged |= charged;
    end_key(p, name.id, f, &row.key);
    row.key.protocol = f->protocol;
    row.key.port = f->service_port < DYNAMIC_PORT ? f->service_port : DYNAMIC_PORT;
    tally_add(&s->object[f->opened == OPENED_BY_PEER], &row);
}

static void on_flow(void *ctx, struct window *w, uint32_t interface, struct slice flow_log, const struct flow *f, enum flow_verdict v)
{
    (void)flow_log;
    look_at(ctx, w, interface, f, v == FLOW_CHARGED);
    if (v == FLOW_PENDING) {
        struct flow mirrored = flow_mirror(f);
        look_at(ctx, w, interface, &mirrored, false);
    }
}

static void forget(void *ctx)
{
    struct proposal *p = ctx;
    p->unknown = 0;
    for (uint32_t i = 0; i < p->known.rows; i++) {
        p->subject[i].object_charged = false;
        for (unsigned into = 0; into < 2; into++)
            tally_clear(&p->subject[i].object[into]);
    }
}

static enum weir_err keep(void *ctx, struct window *w)
{
    struct proposal *p = ctx;
    bool nomem = p->known.nomem;
    (void)w;
    p->unknown_all += p->unknown;
    for (uint32_t i = 0; i < p->known.rows; i++) {
        p->subject[i].charged |= p->subject[i].object_charged;
        for (unsigned into = 0; into < 2; into++) {
            tally_merge(&p->subject[i].all[into], &p->subject[i].object[into]);
            nomem |= p->subject[i].all[into].nomem;
        }
    }
    forget(p);
    return nomem ? WEIR_NOMEM : p->too_many ? WEIR_LIMIT : WEIR_OK;
}

/* ---- all of it ---- */

enum weir_err policy_propose(const struct policy_tool *tool, struct run_counts *counts, struct buffer *out, struct fault *fault)
{
    struct proposal p = {.app = tool->app, .roles = tool->app->config->role_map, .inventory = tool->inventory};
    const struct flow_walk walk = {&p, on_flow, forget, keep};
    tally_init(&p.known, ROLES_MAX, 1, NULL);
    p.subject = calloc(ROLES_MAX, sizeof *p.subject);
    enum weir_err err = p.subject ? walk_flows(tool->app, tool->list, &walk, counts, fault) : fault_set(fault, WEIR_NOMEM, "out of memory");
    if (!err)
        err = proposal_put(&p, out);
    if (err == WEIR_LIMIT)
        fault_set(fault, err, "too many subnets and connections for one policy: name larger roles in the configuration first");
    for (uint32_t i = 0; p.subject && i < p.known.rows; i++)
        for (unsigned into = 0; into < 2; into++) {
            tally_fini(&p.subject[i].object[into]);
            tally_fini(&p.subject[i].all[into]);
        }
    tally_fini(&p.known);
    free(p.subject);
    return err && !fault->text[0] ? fault_set(fault, err, "cannot propose a policy: %s", weir_err_text(err)) : err;
}
