/* SPDX-License-Identifier: Apache-2.0 */
/* What a proposal is made of: policy_propose.c gathers it, policy_propose_put.c writes it. */
#ifndef WEIR_APP_POLICY_PROPOSE_H
#define WEIR_APP_POLICY_PROPOSE_H

#include "app/policy.h"
#include "app/tally.h"

#define DYNAMIC_PORT 32768 /* ports from here on are one */
#define EDGE_LEVELS 3      /* the last one tells no ports */
enum { END_ROLE, END_SUBNET, END_OURS, END_OUTSIDE, END_INTERNET }; /* tally_key.kind of an other end */

struct subject { /* hosts of one role or subnet */
    bool used;
    bool charged, object_charged; /* it has a host: some flow was charged there, in the objects kept and in the one in work */
    uint16_t role;      /* ROLE_NONE: a subnet */
    struct ip network;
    struct tally object[2], all[2]; /* edges out of it and into it: of the object in work, of those kept */
};
struct proposal {
    struct app *app;
    const struct roles *roles;
    const struct inventory *inventory;
    struct tally known;      /* role or network to index in subject[] */
    struct subject *subject; /* ROLES_MAX */
    uint64_t unknown, unknown_all; /* records without a known opener: of the object in work, of those kept */
    bool too_many;
};

WEIR_MUST_USE enum weir_err proposal_put(struct proposal *p, struct buffer *out);

#endif
