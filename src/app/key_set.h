/* SPDX-License-Identifier: Apache-2.0 */
/* A set of hashes. It grows with what is put in; callers bound that. */
#ifndef WEIR_APP_KEY_SET_H
#define WEIR_APP_KEY_SET_H

#include "weir/base.h"

struct key_set { uint64_t *key; size_t n, cap; }; /* all zero: empty. In no order; places of 0 are free */

bool key_set_has(const struct key_set *s, uint64_t key);               /* key: never 0 */
WEIR_MUST_USE bool key_set_add(struct key_set *s, uint64_t key);       /* false: out of memory */
void key_set_clear(struct key_set *s);                                 /* memory is kept */
void key_set_free(struct key_set *s);

#endif
