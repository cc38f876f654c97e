/* SPDX-License-Identifier: Apache-2.0 */
/* The seal of a file: its length and SHA-256, and enough besides to tell where it was changed. */
#ifndef WEIR_APP_SEAL_H
#define WEIR_APP_SEAL_H

#include "weir/base.h"

#define SEAL_BLOCK 4096
struct seal {
    uint64_t bytes;
    struct sha256 sha256;
    uint64_t sums[2];     /* sum of b, and of (place + 1) * b, modulo 2^61 - 1 */
    struct buffer blocks; /* for each block the first 8 bytes of its SHA-256, as hex */
};
void seal_of(struct slice bytes, struct seal *out); /* release with seal_fini */
void seal_fini(struct seal *s);
/* True: it fits. False: *why (cleared) says where it does not, in words that begin after "NAME: ". */
bool seal_check(const struct seal *s, struct slice bytes, struct buffer *why);

#define SEAL_TEXT_MAX 512
/* The file SEAL: three lines, the last a SHA-256 of the two before. manifest: its seal. */
void seal_text(const struct seal *manifest, struct buffer *out);
/* What it says. False: it was changed itself, and *why tells where. */
bool seal_parse(struct slice text, struct seal *manifest, struct buffer *why);

#endif
