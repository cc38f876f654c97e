/* Whose cloud a host stands in, told by how the readers name its interface: eni-..., azure:MAC, gcp:ZONE/NAME. All else is taken for AWS, whose logs name
 * interfaces of other kinds, too.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finding/finding_private.h"

static const struct {
    const char *front;
    struct cloud cloud;
} clouds[] = {
    {"eni-", {"AWS", "AWS::EC2::NetworkInterface", 10, false}},
    {"azure:", {"Azure", "Microsoft.Network/networkInterfaces", 13, false}},
    {"gcp:", {"GCP", "compute.googleapis.com/Instance", 11, true}},
    {"", {"AWS", NULL, 10, false}},
};

const struct cloud *cloud_of(struct slice interface)
{
    size_t i = 0;
    while (interface.n < strlen(clouds[i].front) || memcmp(interface.p, clouds[i].front, strlen(clouds[i].front)) != 0)
        i++;
    return &clouds[i].cloud;
}
