/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator knows besides the logs: who owns an address and where, which are trusted or a threat, what our hosts are
 * called and do. All of it optional.
 *
 * A context never changes once it is open. To read changed files, open a new one and take it in place of the old; when that
 * fails, the old one stays in force. Look-ups may be made by several threads. */
#ifndef WEIR_APP_CONTEXT_H
#define WEIR_APP_CONTEXT_H

#include "app/data_file.h"
#include "app/inventory.h"
#include "weir/app.h"
#include "weir/flow.h"

enum context_part { CONTEXT_ASN, CONTEXT_COUNTRY, CONTEXT_AWS, CONTEXT_TRUSTED, CONTEXT_THREAT, CONTEXT_INVENTORY, CONTEXT_PARTS };

struct context;
/* Read what the configuration names. *out is filled in any case but NOMEM; what cannot be used has its reason in fault[part] and is left out.
 * The first of these errors, or WEIR_OK. */
WEIR_MUST_USE enum weir_err context_try(const struct config *c, struct context **out, struct fault fault[CONTEXT_PARTS]);
/* The same, but whole or not at all. */
WEIR_MUST_USE enum weir_err context_open(const struct config *c, struct context **out, struct fault *fault);
void context_close(struct context *x);
const struct data_about *context_about(const struct context *x, enum context_part part);

/* For flow_rules; NULL when nothing is known of any address. */
const struct flow_providers *context_providers(const struct context *x);
bool context_trusted(const struct context *x, struct ip a);
bool context_threat(const struct context *x, struct ip a);
/* Which kinds of data make the groups: baselines keep groups, so with other kinds hosts meet their destinations anew. */
enum context_grouping { GROUPED_BY_SYSTEM = 1, GROUPED_BY_SERVICE = 2, GROUPED_BY_COUNTRY = 4 };
unsigned context_grouping(const struct context *x);
const char *context_grouping_text(unsigned grouping); /* "by network", "by provider and country" */
/* For people: "" and 0 where nothing is known. name: of the autonomous system, or "Amazon S3, us-east-1". */
void context_peer(const struct context *x, struct ip a, char country[3], uint32_t *asn, char *name, size_t name_cap);

const struct inventory *context_inventory(const struct context *x); /* NULL: none */
size_t context_systems(const struct context *x);                    /* autonomous systems that have a name */

/* The hash of the configuration and of the content of these files: 16 hex digits. Without files that of the configuration. */
void context_hash(const struct context *x, const struct config *c, char out[17]);

#endif
