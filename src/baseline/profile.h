/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef WEIR_BASELINE_PROFILE_H
#define WEIR_BASELINE_PROFILE_H

#include "weir/baseline.h"

void profile_learn(struct baseline_profile *p, const struct host_day *d, uint16_t day);

#endif
