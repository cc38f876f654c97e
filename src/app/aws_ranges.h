/* SPDX-License-Identifier: Apache-2.0 */
/* ip-ranges.json: which service of Amazon, in which region, an address belongs to. */
#ifndef WEIR_APP_AWS_RANGES_H
#define WEIR_APP_AWS_RANGES_H

#include "app/data_file.h"
#include "weir/flow.h"

#define AWS_REGION_MAX 63

struct aws_ranges;
WEIR_MUST_USE enum weir_err aws_ranges_read(const char *path, struct aws_ranges **out, struct data_about *about, struct fault *fault);
/* From memory. */
WEIR_MUST_USE enum weir_err aws_ranges_parse(struct slice json, const char *path, struct aws_ranges **out, struct data_about *about, struct fault *fault);
void aws_ranges_free(struct aws_ranges *r);
/* Sealed maps to numbers whose upper 8 bits are the service: those with a name of their own, and what is Amazon's besides. */
const struct ip_map *aws_ranges_services(const struct aws_ranges *r);
const struct ip_map *aws_ranges_rest(const struct aws_ranges *r);
static inline uint8_t aws_ranges_service(uint32_t number) { return (uint8_t)(number >> 24); }
const char *aws_ranges_region(const struct aws_ranges *r, uint32_t number); /* "us-east-1" */

#endif
