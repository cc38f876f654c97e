/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an inventory, JSON or table. Refused: the message tells a place. Accepted: telling the same again changes nothing,
 * and every interface is found. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/inventory_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inventory *inv = inventory_new("role");
    struct fault fault = {0};
    struct slice text = {(const char *)data, size};
    demand(inv != NULL, "out of memory");
    enum weir_err err = inventory_add(inv, text, "f", &fault);
    demand(!err || strstr(fault.text, "inventory 'f'"), "refused without a place");
    if (!err) {
        struct inventory_counts before = inventory_counts(inv);
        err = inventory_add(inv, text, "f", &fault);
        demand(!err, fault.text);
        struct inventory_counts after = inventory_counts(inv);
        demand(before.instances == after.instances && before.subnets == after.subnets, "the same things are others");
        inventory_finish(inv);
        struct inventory_host h;
        inventory_find(inv, (struct slice){(const char *)data, size < 8 ? size : 8}, SLICE_LIT(""), ip_from_v4(0x0a000105), &h);
    }
    inventory_free(inv);
    return 0;
}
