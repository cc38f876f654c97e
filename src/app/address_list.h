/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of networks: one CIDR or address a line, comments behind #. */
#ifndef WEIR_APP_ADDRESS_LIST_H
#define WEIR_APP_ADDRESS_LIST_H

#include "app/data_file.h"

#define ADDRESS_LIST_MAX 250000u

/* A sealed map to 1. On failure *out is NULL; USAGE with line and column. */
WEIR_MUST_USE enum weir_err address_list_read(const char *path, struct ip_map **out, struct data_about *about, struct fault *fault);
WEIR_MUST_USE enum weir_err address_list_parse(struct slice text, const char *path, struct ip_map **out, struct data_about *about, struct fault *fault);

#endif
