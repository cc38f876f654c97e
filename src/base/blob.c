/* Stored values: each says what it is, how long it is and what its bytes must add up to, so that a cut, flipped or
 * foreign value is found before a single field of it is believed. Layout, little-endian:
 *
 *     "WEIR"  kind  version  flags = 0  length(4)  payload ...  crc32c(4, over all before it)
 *
 * The layout itself never changes; a payload that changes gets a higher version. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <string.h>

enum { LENGTH_AT = 7, HEAD_BYTES = 11, CRC_BYTES = 4 };

size_t blob_begin(struct buffer *b, char kind, uint8_t version)
{
    size_t begin = b->n;
    char head[HEAD_BYTES] = {'W', 'E', 'I', 'R', kind, (char)version};
    buffer_put(b, head, sizeof head); /* flags 0; blob_end fills in the length */
    return begin;
}

void blob_end(struct buffer *b, size_t begin)
{
    if (b->err)
        return;
    size_t length = b->n - begin - HEAD_BYTES;
    if (length > UINT32_MAX) {
        b->err = WEIR_LIMIT;
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        b->p[begin + LENGTH_AT + i] = (char)(unsigned char)(length >> (8 * i));
    buffer_u32(b, crc32c(0, b->p + begin, HEAD_BYTES + length));
}

/* The checksum comes before the version: a flipped version byte is damage, not a message from the future. */
enum weir_err blob_open(struct slice blob, char kind, uint8_t max_version, uint8_t *version, struct cursor *payload)
{
    struct cursor c = cursor_of(blob.p, blob.n);
    struct slice magic = cursor_bytes(&c, 4);
    uint8_t its_kind = cursor_u8(&c), its_version = cursor_u8(&c), flags = cursor_u8(&c);
    uint32_t length = cursor_u32(&c);
    struct slice body = cursor_bytes(&c, length);
    uint32_t crc = cursor_u32(&c);
    if (magic.n && !slice_eq(magic, SLICE_LIT("WEIR")))
        return WEIR_CORRUPT;
    if (c.err)
        return c.err;
    if (cursor_left(&c) || crc != crc32c(0, blob.p, blob.n - CRC_BYTES) || its_kind != (uint8_t)kind)
        return WEIR_CORRUPT;
    if (flags || its_version > max_version)
        return WEIR_VERSION;
    *version = its_version;
    *payload = cursor_of(body.p, body.n);
    return WEIR_OK;
}
