/* SPDX-License-Identifier: Apache-2.0 */
/* Building an inventory, text by text; for its readers and for tests. */
#ifndef WEIR_APP_INVENTORY_BUILD_H
#define WEIR_APP_INVENTORY_BUILD_H

#include "app/inventory.h"

#define INVENTORY_TEXT_MAX 1024 /* bytes of an id, a name, a role */

enum thing_kind { THING_INTERFACE, THING_INSTANCE, THING_SUBNET };
enum thing_field { THING_ACCOUNT, THING_VPC, THING_THING_SUBNET, THING_THING_INSTANCE, THING_NAME, THING_ROLE, THING_FIELDS };

struct inventory *inventory_new(const char *role_tag); /* NULL if out of memory */
const char *inventory_role_tag(const struct inventory *inv);
/* Number of the thing with that id, made on first sight; an empty id makes a nameless one each time. LIMIT, NOMEM. */
WEIR_MUST_USE enum weir_err inventory_thing(struct inventory *inv, enum thing_kind kind, struct slice id, uint32_t *out);
/* RANGE: longer than INVENTORY_TEXT_MAX; EXISTS: told before, and otherwise. Empty text says nothing. */
WEIR_MUST_USE enum weir_err inventory_set(struct inventory *inv, uint32_t thing, enum thing_field field, struct slice text);
WEIR_MUST_USE enum weir_err inventory_add_range(struct inventory *inv, uint32_t thing, struct ip first, struct ip last); /* an address, or the networks of a subnet */
const char *thing_field_word(enum thing_field field); /* "VPC" */

/* One document; name for messages. */
WEIR_MUST_USE enum weir_err inventory_add(struct inventory *inv, struct slice text, const char *name, struct fault *fault);
WEIR_MUST_USE enum weir_err inventory_add_json(struct inventory *inv, struct slice text, const char *name, struct fault *fault);
WEIR_MUST_USE enum weir_err inventory_add_csv(struct inventory *inv, struct slice text, const char *name, struct fault *fault);
/* After the last one, before any look-up. */
void inventory_finish(struct inventory *inv);

#endif
