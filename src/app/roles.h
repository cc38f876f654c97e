/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: what hosts are there for, as the configuration says it. A role is a small number, in the order of names; the
 * same number means the same role in one run only, its word in every run. */
#ifndef WEIR_APP_ROLES_H
#define WEIR_APP_ROLES_H

#include "app/inventory.h"
#include "weir/app.h"

struct roles; /* NULL is fine everywhere: nobody has a role */
#define ROLE_NONE 0
#define ROLES_MAX 1000

/* From the roles of a configuration whose entries are sorted: USAGE with line and column if two roles claim the same. *out is NULL
 * when there are none. */
WEIR_MUST_USE enum weir_err roles_new(const struct config *c, struct roles **out, struct fault *fault);
void roles_free(struct roles *r);

/* A host seen at this interface: the role of the interface, else of the narrowest network, else the one that the inventory (may be NULL)
 * tells, if the configuration has a role of that name. */
uint16_t roles_of_host(const struct roles *r, const struct inventory *inv, struct slice interface, struct ip host);
/* The other end of a flow that was seen at this interface: by its address alone. In the inventory it is looked for in the VPC that the
 * inventory tells of the interface, then in all. Never by what a record says of its VPC, for records may differ in that. */
uint16_t roles_of_peer(const struct roles *r, const struct inventory *inv, struct slice interface, struct ip peer);
uint16_t roles_find(const struct roles *r, struct slice word);
uint16_t roles_count(const struct roles *r); /* numbers go from 1 to this */
const char *role_word(const struct roles *r, uint16_t role); /* "" for none */
bool role_sensitive(const struct roles *r, uint16_t role);
uint64_t role_daily_ceiling(const struct roles *r, uint16_t role); /* 0: none */

#endif
