/* SPDX-License-Identifier: Apache-2.0 */
/* Country and autonomous system of a peer, from databases that the user brings (MaxMind DB format). */
#ifndef WEIR_APP_GEO_H
#define WEIR_APP_GEO_H

#include "weir/base.h"

struct geo;
/* Either path may be empty. USAGE with a fault for a file that is no MaxMind DB. *out is NULL when both are empty. */
WEIR_MUST_USE enum weir_err geo_open(const char *country_path, const char *asn_path, struct geo **out, struct fault *fault);
void geo_close(struct geo *g);
/* Leave the results untouched when nothing is known; g may be NULL. */
void geo_lookup(struct geo *g, struct ip a, char country[3], uint32_t *asn, char *as_name, size_t as_name_cap);

#endif
