/* SPDX-License-Identifier: Apache-2.0 */
/* Roles of hosts: interfaces by binary search in their sorted ids, networks by the address map of base. Made once from the
 * configuration and only read after, so that any thread may ask. */
#include "app/roles.h"

#include <stdlib.h>
#include <string.h>

#include "app/config.h"

struct claim { struct ip first, last; uint16_t role; };
struct known_interface { const char *id; uint16_t role; };

struct roles {
    const struct entry_list *list; /* of the configuration */
    struct ip_map *networks;
    struct known_interface *interface; size_t interfaces;
};

static const struct config_role *role_at(const struct roles *r, uint16_t role) { return (const struct config_role *)r->list->item[role - 1]; }

static int by_range(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = ip_cmp(x->first, y->first);
    order = order ? order : ip_cmp(x->last, y->last);
    return order ? order : x->role - y->role;
}

static int by_id(const void *a, const void *b)
{
    const struct known_interface *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : x->role - y->role;
}

static enum weir_err claimed_twice(const struct config *c, uint16_t first, uint16_t second, const char *what, struct fault *fault)
{
    const struct config_entry *e = c->roles.item[second - 1];
    if (first == second)
        return entry_fault(c, PARAM_roles, e, fault, "names %s twice", what);
    return entry_fault(c, PARAM_roles, e, fault, "names %s that role '%s' names, too", what, c->roles.item[first - 1]->name);
}

static enum weir_err take_networks(struct roles *r, const struct config *c, struct claim *claim, struct fault *fault)
{
    size_t n = 0;
    for (uint16_t role = 1; role <= r->list->n; role++) {
        const struct text_list *networks = &role_at(r, role)->networks;
        for (size_t i = 0; i < networks->n; i++, n++) {
            claim[n].role = role;
            if (cidr_parse(slice_of(networks->item[i]), &claim[n].first, &claim[n].last))
                return entry_fault(c, PARAM_roles, c->roles.item[role - 1], fault, "malformed network");
        }
    }
    if (n)
        qsort(claim, n, sizeof *claim, by_range);
    for (size_t i = 0; i < n; i++) {
        if (i && ip_eq(claim[i].first, claim[i - 1].first) && ip_eq(claim[i].last, claim[i - 1].last))
            return claimed_twice(c, claim[i - 1].role, claim[i].role, "a network", fault);
        enum weir_err err = ip_map_add(r->networks, claim[i].first, claim[i].last, claim[i].role);
        if (err)
            return fault_set(fault, err, "roles: %s", weir_err_text(err));
    }
    enum weir_err err = ip_map_seal(r->networks);
    return err ? fault_set(fault, err, "roles: %s", weir_err_text(err)) : WEIR_OK;
}

static enum weir_err take_interfaces(struct roles *r, const struct config *c, struct fault *fault)
{
    for (uint16_t role = 1; role <= r->list->n; role++) {
        const struct text_list *ids = &role_at(r, role)->interfaces;
        for (size_t i = 0; i < ids->n; i++)
            r->interface[r->interfaces++] = (struct known_interface){ids->item[i], role};
    }
    if (r->interfaces)
        qsort(r->interface, r->interfaces, sizeof *r->interface, by_id);
    for (size_t i = 1; i < r->interfaces; i++)
        if (strcmp(r->interface[i].id, r->interface[i - 1].id) == 0)
            return claimed_twice(c, r->interface[i - 1].role, r->interface[i].role, "an interface", fault);
    return WEIR_OK;
}

enum weir_err roles_new(const struct config *c, struct roles **out, struct fault *fault)
{
    size_t networks = 0, interfaces = 0;
    *out = NULL;
    if (!c->roles.n)
        return WEIR_OK;
    struct roles *r = calloc(1, sizeof *r);
    if (!r)
        return fault_set(fault, WEIR_NOMEM, "roles: out of memory");
    r->list = &c->roles;
    for (uint16_t role = 1; role <= c->roles.n; role++) {
        networks += role_at(r, role)->networks.n;
        interfaces += role_at(r, role)->interfaces.n;
    }
    struct claim *claim = calloc(networks + 1, sizeof *claim);
    r->networks = ip_map_new(networks + 1);
    r->interface = calloc(interfaces + 1, sizeof *r->interface);
    enum weir_err err = claim && r->networks && r->interface ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "roles: out of memory");
    if (!err)
        err = take_networks(r, c, claim, fault);
    if (!err)
        err = take_interfaces(r, c, fault);
    free(claim);
    if (err)
        roles_free(r);
    else
        *out = r;
    return err;
}

void roles_free(struct roles *r)
{
    if (!r)
        return;
    ip_map_free(r->networks);
    free(r->interface);
    free(r);
}

static uint16_t role_of_network(const struct roles *r, struct ip address) { return (uint16_t)ip_map_find(r->networks, address); }

static uint16_t role_of_interface(const struct roles *r, struct slice interface)
{
    size_t low = 0, high = r->interfaces;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = slice_cmp(slice_of(r->interface[mid].id), interface);
        if (!order)
            return r->interface[mid].role;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return ROLE_NONE;
}

static const struct slice none = {"", 0};

uint16_t roles_of_host(const struct roles *r, const struct inventory *inv, struct slice interface, struct ip host)
{
    struct inventory_host h;
    if (!r)
        return ROLE_NONE;
    uint16_t role = role_of_interface(r, interface);
    role = role ? role : role_of_network(r, host);
    return role || !inv || !inventory_find(inv, interface, none, host, &h) ? role : roles_find(r, h.role);
}

uint16_t roles_of_peer(const struct roles *r, const struct inventory *inv, struct slice interface, struct ip peer)
{
    struct inventory_host at, h;
    uint16_t role = r ? role_of_network(r, peer) : ROLE_NONE;
    if (!r || role || !inv)
        return role;
    inventory_find(inv, interface, none, (struct ip){0, 0}, &at);
    if (at.vpc.n && inventory_find(inv, none, at.vpc, peer, &h))
        role = roles_find(r, h.role);
    return !role && inventory_find(inv, none, none, peer, &h) ? roles_find(r, h.role) : role;
}

uint16_t roles_find(const struct roles *r, struct slice word)
{
    size_t low = 0, high = r ? r->list->n : 0;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = slice_cmp(slice_of(r->list->item[mid]->name), word);
        if (!order)
            return (uint16_t)(mid + 1);
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return ROLE_NONE;
}

uint16_t roles_count(const struct roles *r) { return r ? (uint16_t)r->list->n : 0; }
const char *role_word(const struct roles *r, uint16_t role) { return r && role ? r->list->item[role - 1]->name : ""; }
bool role_sensitive(const struct roles *r, uint16_t role) { return r && role && role_at(r, role)->sensitive; }
uint64_t role_daily_ceiling(const struct roles *r, uint16_t role) { return r && role ? role_at(r, role)->daily_ceiling : 0; }
