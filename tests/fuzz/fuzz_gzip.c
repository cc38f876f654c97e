/* Any bytes as an object, through both engines and in pieces of any size: the same verdict, the same notes and the same output, and
 * never more output than the limit allows. The first byte picks the size of the pieces.
 *
 * One difference is known and allowed: ISA-L accepts Huffman codes that zlib calls incomplete, when CRC and length then fit. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../source_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT_BYTES (1U << 20)

static void check(bool fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static bool same(const struct verdict *a, const struct verdict *b)
{
    return a->err == b->err && a->why == b->why && (a->err != WEIR_END || (a->notes == b->notes && a->n == b->n && a->crc == b->crc));
}

static bool is_known_difference(const struct verdict *zlib, const struct verdict *isal)
{
    static const char *const refusals[] = {"invalid code lengths set", "invalid literal/lengths set", "invalid distances set",
                                           "invalid code -- missing end-of-block"};
    if (zlib->why != SOURCE_GZIP_DATA || isal->err != WEIR_END)
        return false;
    for (size_t i = 0; i < WEIR_COUNT(refusals); i++)
        if (strstr(zlib->fault.text, refusals[i]))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct source *zlib, *isal;
    struct source_limits limits = source_default_limits;
    limits.max_object_bytes = LIMIT_BYTES;
    if (!zlib) {
        zlib = source_new(&limits, INFLATE_ZLIB);
        isal = source_new(&limits, INFLATE_BEST);
    }
    if (size == 0)
        return 0;
    struct verdict whole = read_bytes(zlib, data + 1, size - 1, 0);
    struct verdict pieces = read_bytes(zlib, data + 1, size - 1, data[0]);
    struct verdict fast = read_bytes(isal, data + 1, size - 1, 0);
    struct verdict fast_pieces = read_bytes(isal, data + 1, size - 1, data[0]);
    check(whole.n <= LIMIT_BYTES + 1 && fast.n <= LIMIT_BYTES + 1, "more output than allowed");
    check(same(&whole, &pieces), "zlib: the pieces matter");
    check(same(&fast, &fast_pieces), "the fast engine: the pieces matter");
    if (!same(&whole, &fast) && !is_known_difference(&whole, &fast)) {
        fprintf(stderr, "zlib: %s (%s), fast: %s (%s)\n", source_reject_word(whole.why), whole.fault.text, source_reject_word(fast.why), fast.fault.text);
        abort();
    }
    free(whole.bytes);
    free(pieces.bytes);
    free(fast.bytes);
    free(fast_pieces.bytes);
    return 0;
}
