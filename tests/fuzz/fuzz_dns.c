/* A hostile DNS message; the first byte tells whether a length of TCP stands before it. Claims: no byte past its end is read; a name is of 1 to 255
 * bytes, its parent lies within it and is its own parent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/names_seen.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_message m;
    if (!size)
        return 0;
    char *copy = malloc(size);
    CLAIM(copy);
    memcpy(copy, data + 1, size - 1);
    if (dns_parse((struct slice){copy, size - 1}, data[0] & 1, &m)) {
        struct slice name = {m.name, m.name_n};
        CLAIM(name.n >= 1 && name.n <= NAME_SEEN_MAX && m.answers <= DNS_ANSWERS_MAX);
        size_t n = dns_parent(name);
        CLAIM(n <= name.n);
        CLAIM(dns_parent((struct slice){name.p + name.n - n, n}) == n);
        (void)dns_is_internal(name);
    }
    free(copy);
    return 0;
}
