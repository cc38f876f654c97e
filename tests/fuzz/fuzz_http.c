/* One hostile request. Claims: no byte past it is read; an answer, once there is one, does not change when more bytes follow (but for the
 * limit); the path of a good one is printable and lies within the request. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "app/http.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct http_request r, again;
    char *exact = malloc(n + 1);
    CLAIM(exact);
    if (n)
        memcpy(exact, bytes, n);
    unsigned status = http_parse((struct slice){exact, n}, &r);
    if (status == 200) {
        CLAIM(r.path.n > 0 && r.path.p[0] == '/' && r.path.p >= exact && (size_t)(r.path.p - exact) + r.path.n <= n);
        for (size_t i = 0; i < r.path.n; i++)
            CLAIM(r.path.p[i] > 0x20 && r.path.p[i] < 0x7f && r.path.p[i] != '?');
    }
    if (status && status != 431 && n < HTTP_REQUEST_MAX - 1) {
        char *longer = malloc(n + 1);
        CLAIM(longer);
        memcpy(longer, exact, n);
        longer[n] = 'x';
        CLAIM(http_parse((struct slice){longer, n + 1}, &again) == status);
        free(longer);
    }
    free(exact);
    return 0;
}
