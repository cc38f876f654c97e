/* The fast path for any machine. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/block.h"

size_t block_plain(struct decoder *d, const char *p, size_t n, size_t readable)
{
    return block_read(d, p, n, readable);
}
