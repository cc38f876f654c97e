/* SHA-256 by OpenSSL's EVP interface (its processor-specific code is several times faster than plain C), and hex.
 * Inside OpenSSL a digest can only fail where memory or the provider is missing; an object id that is silently wrong
 * would count an object twice, so such a failure stops the program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <openssl/evp.h>
#include <stdlib.h>

struct sha256_stream {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

static void must(int ok)
{
    if (ok != 1)
        abort();
}

struct sha256_stream *sha256_new(void)
{
    struct sha256_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->ctx = EVP_MD_CTX_new();
    if (!s->md || !s->ctx) {
        sha256_free(s);
        return NULL;
    }
    sha256_reset(s);
    return s;
}

void sha256_reset(struct sha256_stream *s)
{
    must(EVP_DigestInit_ex2(s->ctx, s->md, NULL));
}

void sha256_add(struct sha256_stream *s, const void *bytes, size_t n)
{
    must(EVP_DigestUpdate(s->ctx, bytes, n));
}

void sha256_end(struct sha256_stream *s, struct sha256 *out)
{
    unsigned length = SHA256_BYTES;
    must(EVP_DigestFinal_ex(s->ctx, out->b, &length));
}

void sha256_free(struct sha256_stream *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->ctx);
    EVP_MD_free(s->md);
    free(s);
}

void sha256_of(const void *bytes, size_t n, struct sha256 *out)
{
    unsigned length = SHA256_BYTES;
    must(EVP_Digest(bytes, n, out->b, &length, EVP_sha256(), NULL));
}

void hex_encode(const void *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

enum weir_err hex_decode(struct slice text, void *out, size_t n)
{
    unsigned char *p = out;
    if (text.n / 2 != n || text.n % 2)
        return WEIR_SYNTAX;
    for (size_t i = 0; i < text.n; i++)
        if (hex_value(text.p[i]) < 0)
            return WEIR_SYNTAX;
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
    return WEIR_OK;
}
