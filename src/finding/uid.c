/* The id of a finding: the same facts have the same id in every run, on every machine.
 * Each text is hashed before it is joined, so that no two different sets of facts can spell the same bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finding/finding_private.h"

#define UID_HASH_BYTES 16

static void put_be64(unsigned char *out, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8) out[i] = (unsigned char)v;
}

void finding_uid(const struct finding_facts *f, char out[FINDING_UID_MAX])
{
    struct slice text[] = {f->account, f->interface, slice_of(f->model ? f->model : "")};
    unsigned char all[WEIR_COUNT(text) * SHA256_BYTES + 24];
    struct sha256 hash;
    for (size_t i = 0; i < WEIR_COUNT(text); i++) {
        sha256_of(text[i].p, text[i].n, &hash);
        memcpy(all + i * SHA256_BYTES, hash.b, SHA256_BYTES);
    }
    unsigned char *numbers = all + WEIR_COUNT(text) * SHA256_BYTES;
    put_be64(numbers, f->host.hi);
    put_be64(numbers + 8, f->host.lo);
    put_be64(numbers + 16, (uint64_t)(f->days ? f->day[0].day_s : 0));
    sha256_of(all, sizeof all, &hash);
    memcpy(out, "wf1-", 4);
    hex_encode(hash.b, UID_HASH_BYTES, out + 4);
}
