/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that grow: a blob of Azure is written for an hour and read more than once. What was counted of it is known by the prints of its records, whatever
 * its name; the next reading passes over as many.
 *
 *   g <print of the first record>  blob 'g': u64 for each record counted, the front of its print
 */
#ifndef WEIR_APP_GROWTH_H
#define WEIR_APP_GROWTH_H

#include "weir/decode.h"
#include "weir/store.h"

struct growth { /* merged in this run, not yet committed */
    struct sha256 first;
    uint64_t *print;
    size_t n;
};
struct growths { /* all zero: none */
    struct growth *slot; /* open addressing by first; n 0: free */
    size_t n, cap;
};
void growths_free(struct growths *g);
/* How many records of the object are counted already. A value that is damaged or cannot be read is an error: to count again would count twice. */
WEIR_MUST_USE enum weir_err growth_counted(const struct growths *g, struct store *s, struct decode_growth object, uint64_t *counted, struct fault *fault);
/* All of its records are counted from now on. */
WEIR_MUST_USE enum weir_err growth_note(struct growths *g, struct decode_growth object);
/* Into the store; then they may be forgotten. */
WEIR_MUST_USE enum weir_err growths_put(const struct growths *g, struct store *s, struct fault *fault);

#endif
