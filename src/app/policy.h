/* SPDX-License-Identifier: Apache-2.0 */
/* Policy: who may connect to whom. A rule names hosts of ours (into: called, out_of: calling), ports of the end that is called,
 * and the only other ends that are allowed. It is asked for each flow that is charged to such a host, so a connection
 * between two hosts of ours is charged once, at the host whose rule it is. What forwards is charged to nobody and breaks nothing.
 *
 * A broken rule needs a known opener: where nobody can tell who called, nothing is claimed. Only read after it is made: any
 * thread may ask. No memory is taken per flow. */
#ifndef WEIR_APP_POLICY_H
#define WEIR_APP_POLICY_H

#include "app/roles.h"
#include "weir/flow.h"

#define POLICY_RULES_MAX 4000 /* as params.def has it */

enum policy_word { POLICY_NO_WORD, POLICY_ANY, POLICY_OURS, POLICY_INTERNET, POLICY_OTHER };
enum policy_word policy_word_of(struct slice text);

struct port_range { uint8_t protocol; uint16_t low, high; }; /* protocol 0: TCP and UDP */
/* "5432", "tcp/5432", "udp/5000-5100". */
bool port_range_parse(struct slice text, struct port_range *out);

struct policy;
/* From the rules of a configuration whose entries are sorted: USAGE with line and column if one names a role that is not there. *out is
 * NULL when there are no rules. */
WEIR_MUST_USE enum weir_err policy_new(const struct config *c, const struct roles *roles, struct policy **out, struct fault *fault);
void policy_free(struct policy *p);

/* The numbers of the rules that this flow, seen at this interface, breaks, ascending. The inventory may be NULL. */
size_t policy_broken(const struct policy *p, const struct inventory *inv, struct slice interface, const struct flow *f,
                     uint16_t rule[POLICY_RULES_MAX]);
size_t policy_rules(const struct policy *p); /* numbers go from 0 to below this, in the order of names */
const char *policy_rule_name(const struct policy *p, uint16_t rule);
/* The group that sums what breaks the rule, the same in every run for the same name; and back: NULL for a rule that is gone. */
uint64_t policy_rule_group(const struct policy *p, uint16_t rule);
const char *policy_group_name(const struct policy *p, uint64_t group);

#endif
