/* A hostile TLS client hello, and first words in the clear. Claims: no byte past the end is read; a server name lies within the payload; what is
 * told of a hello cut short is told of the whole one, too. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/names_seen.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_hello whole, cut;
    char *copy = malloc(size ? size : 1);
    CLAIM(copy);
    memcpy(copy, data, size);
    struct slice payload = {copy, size};
    bool is = tls_parse(payload, &whole);
    if (is && whole.server_name.n) {
        size_t at = (size_t)(whole.server_name.p - copy);
        CLAIM(at < size && whole.server_name.n <= size - at && whole.server_name.n <= NAME_SEEN_MAX);
    }
    CLAIM(!tls_parse((struct slice){copy, size / 2}, &cut) || is);
    CLAIM(!is || talk_in_the_clear(payload) == CAPTURE_TALK_NONE);
    free(copy);
    return 0;
}
