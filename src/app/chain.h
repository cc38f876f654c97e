/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of the finding log: every state of every finding in the order of the commits, each hashed with the hash before it.
 *   h(0) = 32 zero bytes        h(i) = SHA-256(h(i-1), u64 little-endian number of the entry, uid, newline, JSON) */
#ifndef WEIR_APP_CHAIN_H
#define WEIR_APP_CHAIN_H

#include "weir/store.h"

struct chain_link {
    uint64_t seq;                 /* of the entry */
    struct sha256 previous, hash; /* before it, and with it */
};
void chain_hash(const struct sha256 *previous, uint64_t seq, const char *uid, struct slice json, struct sha256 *out);
/* The link of one entry: the log is read from its start to there. NOTFOUND: there is none of that number. */
WEIR_MUST_USE enum weir_err chain_find(struct store *s, uint64_t seq, struct chain_link *out, struct fault *fault);

#endif
