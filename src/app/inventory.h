/* SPDX-License-Identifier: Apache-2.0 */
/* What our hosts are called and do: interfaces, instances and subnets as `aws ec2 describe-network-interfaces`,
 * `describe-instances` and `describe-subnets` print them, or a CSV table; files or a directory of them, in any mix.
 *
 * The same thing may be described several times; fields that are told more than once must agree. So what is known
 * does not depend on the order of files. Texts are borrowed until inventory_free. Look-ups take NULL: nothing known. */
#ifndef WEIR_APP_INVENTORY_H
#define WEIR_APP_INVENTORY_H

#include "app/data_file.h"

struct inventory;
/* A file or a directory. role_tag: key of the tag that tells a role. On failure *out is NULL; USAGE with the place. */
WEIR_MUST_USE enum weir_err inventory_read(const char *path, const char *role_tag, struct inventory **out, struct data_about *about, struct fault *fault);
void inventory_free(struct inventory *inv);

/* One host, by its interface if that is listed, else by its address (in its VPC; without one only if that is unambiguous). Empty
 * texts: not known. False: nothing is known. */
struct inventory_host {
    struct slice name, role, instance, subnet, subnet_name, vpc, account;
};
bool inventory_find(const struct inventory *inv, struct slice interface, struct slice vpc, struct ip host, struct inventory_host *out);
/* Its peer class: the role, else the id of its subnet, else empty. */
struct slice inventory_class(const struct inventory *inv, struct slice interface, struct slice vpc, struct ip host);
struct inventory_counts { uint64_t files, interfaces, instances, subnets, addresses, with_role, with_subnet; };
struct inventory_counts inventory_counts(const struct inventory *inv);

#endif
