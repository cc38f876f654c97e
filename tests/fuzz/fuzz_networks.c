/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an ip2asn table (first byte t), a list (l) or ip-ranges.json (any other). Refused: the message tells the file.
 * Accepted: the maps seal and answer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/address_list.h"
#include "app/aws_ranges.h"
#include "app/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void as_table(struct slice text, struct data_about *about, struct fault *fault)
{
    struct geo_into into = {ip_map_new(GEO_RANGES_MAX), ip_map_new(GEO_RANGES_MAX), as_names_new()};
    demand(into.asn && into.country && into.names, "out of memory");
    if (geo_read_table(text, "f", &into, about, fault) == WEIR_OK) {
        demand(ip_map_seal(into.asn) == WEIR_OK && ip_map_seal(into.country) == WEIR_OK, "ranges of an accepted table cross");
        demand(ip_map_find(into.country, ip_from_v4(0x01000001)) <= 676, "no country");
    } else {
        demand(strstr(fault->text, "'f'") != NULL, "refused without a place");
    }
    ip_map_free(into.asn);
    ip_map_free(into.country);
    as_names_free(into.names);
}

static void as_list(struct slice text, struct data_about *about, struct fault *fault)
{
    struct ip_map *map;
    if (address_list_parse(text, "f", &map, about, fault) == WEIR_OK)
        demand(ip_map_find(map, ip_from_v4(0x01000001)) <= 1, "no number of a list");
    else
        demand(!map && strstr(fault->text, "line "), "refused without a place");
    ip_map_free(map);
}

static void as_ranges(struct slice text, struct data_about *about, struct fault *fault)
{
    struct aws_ranges *r;
    if (aws_ranges_parse(text, "f", &r, about, fault) == WEIR_OK) {
        uint32_t place = ip_map_find(aws_ranges_services(r), ip_from_v4(0x34d80001));
        demand(strlen(aws_ranges_region(r, place)) <= AWS_REGION_MAX, "a region that is too long");
    } else {
        demand(!r && strstr(fault->text, "'f'"), "refused without a place");
    }
    aws_ranges_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault = {0};
    struct data_about about = {0};
    char kind = size ? (char)data[0] : 'l';
    struct slice text = {(const char *)data + (size != 0), size - (size != 0)};
    if (kind == 't')
        as_table(text, &about, &fault);
    else if (kind == 'l')
        as_list(text, &about, &fault);
    else
        as_ranges((struct slice){(const char *)data, size}, &about, &fault);
    return 0;
}
