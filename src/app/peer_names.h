/* SPDX-License-Identifier: Apache-2.0 */
/* Names that packets told of addresses: what a client asked a server for (TLS), what DNS answered. Of several the first of the surer kind
 * stays. Bounded: 65,536 addresses, 4 MiB of names; what comes later has no name. */
#ifndef WEIR_APP_PEER_NAMES_H
#define WEIR_APP_PEER_NAMES_H

#include "weir/decode.h"

struct peer_names;
struct peer_names *peer_names_new(void); /* NULL: out of memory */
void peer_names_free(struct peer_names *n);
/* What a record tells; the server is its destination. */
void peer_names_learn(struct peer_names *n, const struct record *r);
struct slice peer_name(const struct peer_names *n, struct ip address); /* empty: none; n may be NULL */

#endif
