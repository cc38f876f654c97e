/* SPDX-License-Identifier: Apache-2.0 */
/* Where was it changed? A hash says only that it was. Two sums beside it name the one byte: if byte i changed by d, the first sum
 * changed by d and the second by (i + 1) d, so i + 1 is their quotient, modulo the prime 2^61 - 1. Put back, the hash must fit again: that
 * proves it. When more than one byte changed, the hashes of blocks name the first block. The file SEAL is so short that its own changed
 * byte is found by trying all. */
#include "app/seal.h"

#include <inttypes.h>
#include <string.h>

#define PRIME ((1ULL << 61) - 1)
#define BLOCK_HEX 16

__extension__ typedef unsigned __int128 wide;

static uint64_t mod_mul(uint64_t a, uint64_t b) { return (uint64_t)((wide)a * b % PRIME); }
static uint64_t mod_sub(uint64_t a, uint64_t b) { return a >= b ? a - b : a + PRIME - b; }

static uint64_t mod_inverse(uint64_t a)
{
    uint64_t result = 1;
    for (uint64_t e = PRIME - 2; e; e >>= 1, a = mod_mul(a, a))
        if (e & 1)
            result = mod_mul(result, a);
    return result;
}

static void sums_of(struct slice bytes, uint64_t sums[2])
{
    sums[0] = sums[1] = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        uint64_t b = (unsigned char)bytes.p[i];
        sums[0] = (sums[0] + b) % PRIME;
        sums[1] = (sums[1] + (i + 1) % PRIME * b) % PRIME; /* below 2^61 + 2^63: files are shorter than 2^55 bytes */
    }
}

static void block_hex(struct slice bytes, size_t block, char out[BLOCK_HEX + 1])
{
    struct sha256 h;
    size_t at = block * SEAL_BLOCK, left = bytes.n - at;
    sha256_of(bytes.p + at, left < SEAL_BLOCK ? left : SEAL_BLOCK, &h);
    hex_encode(h.b, BLOCK_HEX / 2, out);
}

void seal_of(struct slice bytes, struct seal *out)
{
    *out = (struct seal){.bytes = bytes.n};
    sha256_of(bytes.n ? bytes.p : "", bytes.n, &out->sha256);
    sums_of(bytes, out->sums);
    buffer_init(&out->blocks, SIZE_MAX / 2);
    for (size_t i = 0; i * SEAL_BLOCK < bytes.n; i++) {
        char hex[BLOCK_HEX + 1];
        block_hex(bytes, i, hex);
        buffer_put(&out->blocks, hex, BLOCK_HEX);
    }
}

void seal_fini(struct seal *s) { buffer_fini(&s->blocks); }

/* The bytes with one of them as it should be: do they fit? */
static bool fits_with(const struct seal *s, struct slice bytes, size_t at, unsigned char was)
{
    struct sha256 h;
    struct sha256_stream *stream = sha256_new();
    if (!stream)
        return false;
    sha256_add(stream, bytes.p, at);
    sha256_add(stream, &was, 1);
    sha256_add(stream, bytes.p + at + 1, bytes.n - at - 1);
    sha256_end(stream, &h);
    sha256_free(stream);
    return memcmp(h.b, s->sha256.b, SHA256_BYTES) == 0;
}

static bool one_byte(const struct seal *s, struct slice bytes, struct buffer *why)
{
    uint64_t sums[2];
    sums_of(bytes, sums);
    uint64_t d = mod_sub(sums[0], s->sums[0] % PRIME);
    uint64_t place = d ? mod_mul(mod_sub(sums[1], s->sums[1] % PRIME), mod_inverse(d)) : 0;
    if (!place || place > bytes.n)
        return false;
    size_t at = (size_t)place - 1;
    unsigned now = (unsigned char)bytes.p[at], was = (unsigned)((now + PRIME - d) % PRIME);
    if (was > 255 || !fits_with(s, bytes, at, (unsigned char)was))
        return false;
    buffer_printf(why, "byte %zu is 0x%02x and was 0x%02x", at, now, was);
    return true;
}

static void first_block(const struct seal *s, struct slice bytes, struct buffer *why)
{
    for (size_t i = 0; i * SEAL_BLOCK < bytes.n; i++) {
        char hex[BLOCK_HEX + 1];
        block_hex(bytes, i, hex);
        if ((i + 1) * BLOCK_HEX <= s->blocks.n && memcmp(s->blocks.p + i * BLOCK_HEX, hex, BLOCK_HEX) == 0)
            continue;
        size_t end = (i + 1) * SEAL_BLOCK;
        buffer_printf(why, ", the first of them among bytes %zu to %zu", i * SEAL_BLOCK, (end < bytes.n ? end : bytes.n) - 1);
        return;
    }
}

bool seal_check(const struct seal *s, struct slice bytes, struct buffer *why)
{
    struct sha256 h;
    buffer_clear(why);
    sha256_of(bytes.n ? bytes.p : "", bytes.n, &h);
    if (bytes.n == s->bytes && memcmp(h.b, s->sha256.b, SHA256_BYTES) == 0)
        return true;
    if (bytes.n != s->bytes)
        buffer_printf(why, "it has %zu bytes and had %" PRIu64, bytes.n, s->bytes);
    else if (one_byte(s, bytes, why))
        return false;
    else
        buffer_puts(why, "several bytes are not those that were sealed");
    first_block(s, bytes, why);
    return false;
}

/* ---- the file SEAL ---- */

#define SEAL_HEAD "weir evidence 1\n"
#define SEAL_NAME "manifest.json "

void seal_text(const struct seal *manifest, struct buffer *out)
{
    struct sha256 h;
    char hex[2 * SHA256_BYTES + 1];
    size_t begin = out->n;
    hex_encode(manifest->sha256.b, SHA256_BYTES, hex);
    buffer_printf(out, SEAL_HEAD SEAL_NAME "%020" PRIu64 " %s %016" PRIx64 " %016" PRIx64 "\n", manifest->bytes, hex, manifest->sums[0], manifest->sums[1]);
    sha256_of(out->p + begin, out->n - begin, &h);
    hex_encode(h.b, SHA256_BYTES, hex);
    buffer_printf(out, "%s\n", hex);
}

#define BODY_BYTES (sizeof SEAL_HEAD - 1 + sizeof SEAL_NAME - 1 + 20 + 1 + 64 + 1 + 16 + 1 + 16 + 1)
#define WHOLE_BYTES (BODY_BYTES + 2 * SHA256_BYTES + 1)

static bool self_fits(const char text[WHOLE_BYTES])
{
    struct sha256 h;
    char hex[2 * SHA256_BYTES + 1];
    sha256_of(text, BODY_BYTES, &h);
    hex_encode(h.b, SHA256_BYTES, hex);
    return memcmp(text + BODY_BYTES, hex, sizeof hex - 1) == 0 && text[WHOLE_BYTES - 1] == '\n';
}

static void try_all(char text[WHOLE_BYTES], struct buffer *why)
{
    for (size_t i = 0; i < WHOLE_BYTES; i++) {
        char now = text[i];
        for (int was = 0; was < 256; was++) {
            text[i] = (char)was;
            if (self_fits(text)) {
                buffer_printf(why, "byte %zu is 0x%02x and was 0x%02x", i, (unsigned char)now, (unsigned)was);
                return;
            }
        }
        text[i] = now;
    }
    buffer_puts(why, "several bytes are not those that were written");
}

static bool get_hex64(struct slice text, uint64_t *out)
{
    uint8_t b[8];
    if (hex_decode(text, b, sizeof b))
        return false;
    *out = 0;
    for (size_t i = 0; i < sizeof b; i++)
        *out = *out << 8 | b[i];
    return true;
}

bool seal_parse(struct slice text, struct seal *manifest, struct buffer *why)
{
    char copy[WHOLE_BYTES];
    *manifest = (struct seal){.bytes = 0};
    buffer_clear(why);
    if (text.n != WHOLE_BYTES) {
        buffer_printf(why, "it has %zu bytes and had %zu", text.n, (size_t)WHOLE_BYTES);
        return false;
    }
    memcpy(copy, text.p, sizeof copy);
    if (!self_fits(copy)) {
        try_all(copy, why);
        return false;
    }
    const char *at = copy + sizeof SEAL_HEAD - 1 + sizeof SEAL_NAME - 1;
    bool good = memcmp(copy, SEAL_HEAD SEAL_NAME, sizeof SEAL_HEAD SEAL_NAME - 1) == 0 && !parse_u64((struct slice){at, 20}, UINT64_MAX, &manifest->bytes) &&
                !hex_decode((struct slice){at + 21, 64}, manifest->sha256.b, SHA256_BYTES) && get_hex64((struct slice){at + 86, 16}, &manifest->sums[0]) &&
                get_hex64((struct slice){at + 103, 16}, &manifest->sums[1]);
    if (!good)
        buffer_puts(why, "it was written by another weir than this one knows");
    return good;
}
