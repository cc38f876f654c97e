/* See sigv4.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sigv4.h"

#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1u << 20)
#define SCOPE_MAX 256

/* ---- encoding ---- */

static void encode(struct slice s, bool keep_slash, struct buffer *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                     (c == '/' && keep_slash);
        const char coded[3] = {'%', digits[c >> 4], digits[c & 15]};
        buffer_put(out, plain ? &s.p[i] : coded, plain ? 1 : sizeof coded);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct sigv4_pair *x = a, *y = b;
    int order = slice_cmp(x->name, y->name);
    return order ? order : slice_cmp(x->value, y->value);
}

/* Encoded first, then sorted: that is the order of AWS. The pairs point into *text. */
static size_t encode_query(const struct sigv4_request *r, struct sigv4_pair *pair, struct buffer *text)
{
    size_t end[2 * SIGV4_PAIRS_MAX], n = r->query_n < SIGV4_PAIRS_MAX ? r->query_n : SIGV4_PAIRS_MAX;
    for (size_t i = 0; i < n; i++) {
        encode(r->query[i].name, false, text);
        end[2 * i] = text->n;
        encode(r->query[i].value, false, text);
        end[2 * i + 1] = text->n;
    }
    const char *p = buffer_cstr(text);
    for (size_t i = 0; i < n && !text->err; i++) {
        size_t begin = i ? end[2 * i - 1] : 0;
        pair[i] = (struct sigv4_pair){{p + begin, end[2 * i] - begin}, {p + end[2 * i], end[2 * i + 1] - end[2 * i]}};
    }
    if (n && !text->err)
        qsort(pair, n, sizeof *pair, by_name);
    return text->err ? 0 : n;
}

static void put_query(const struct sigv4_request *r, struct buffer *out)
{
    struct sigv4_pair pair[SIGV4_PAIRS_MAX];
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    size_t n = encode_query(r, pair, &text);
    for (size_t i = 0; i < n; i++) {
        buffer_puts(out, i ? "&" : "");
        buffer_slice(out, pair[i].name);
        buffer_puts(out, "=");
        buffer_slice(out, pair[i].value);
    }
    out->err = out->err ? out->err : text.err;
    buffer_fini(&text);
}

void sigv4_target(const struct sigv4_request *r, struct buffer *out)
{
    encode(r->path, true, out);
    if (r->query_n) {
        buffer_puts(out, "?");
        put_query(r, out);
    }
}

void sigv4_date(int64_t time_s, char out[SIGV4_DATE_MAX])
{
    char text[TIME_TEXT_MAX];
    size_t n = 0;
    time_format(time_s, text);
    for (const char *p = text; *p; p++)
        if (*p != '-' && *p != ':')
            out[n++] = *p;
    out[n] = 0;
}

/* ---- what is signed ---- */

/* Blanks at the ends go, several in a row are one. */
static void put_trimmed(struct slice value, struct buffer *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < value.n; i++) {
        bool blank = value.p[i] == ' ', wanted = kept && i + 1 < value.n && value.p[i + 1] != ' ';
        if (blank && !wanted)
            continue;
        buffer_put(out, &value.p[i], 1);
        kept++;
    }
}

static void put_names(const struct sigv4_pair *header, size_t n, struct buffer *out)
{
    for (size_t i = 0; i < n; i++) {
        buffer_puts(out, i ? ";" : "");
        buffer_slice(out, header[i].name);
    }
}

static void put_canonical(const struct sigv4_request *r, const struct sigv4_pair *header, struct buffer *out)
{
    buffer_printf(out, "%s\n", r->method);
    encode(r->path, true, out);
    buffer_puts(out, "\n");
    put_query(r, out);
    buffer_puts(out, "\n");
    for (size_t i = 0; i < r->header_n; i++) {
        buffer_slice(out, header[i].name);
        buffer_puts(out, ":");
        put_trimmed(header[i].value, out);
        buffer_puts(out, "\n");
    }
    buffer_puts(out, "\n");
    put_names(header, r->header_n, out);
    buffer_puts(out, "\n");
    buffer_slice(out, r->payload);
}

static void mac(struct slice key, struct slice text, unsigned char out[SHA256_BYTES])
{
    unsigned n = 0;
    if (!HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)text.p, text.n, out, &n))
        memset(out, 0, SHA256_BYTES); /* out of memory: refused by the other end */
}

/* The secret, then day, region and service, each signed with what came before. */
static void sign(const struct sigv4_key *key, const char date[SIGV4_DATE_MAX], const struct sigv4_request *r, struct slice text, char hex[])
{
    unsigned char k[2][SHA256_BYTES];
    const struct slice step[] = {{date, 8}, slice_of(r->region), slice_of(r->service), SLICE_LIT("aws4_request"), text};
    struct buffer secret;
    buffer_init(&secret, TEXT_MAX);
    buffer_puts(&secret, "AWS4");
    buffer_slice(&secret, key->secret);
    struct slice with = {secret.p, secret.n};
    for (size_t i = 0; i < WEIR_COUNT(step); i++) {
        mac(with, step[i], k[i % 2]);
        with = (struct slice){(const char *)k[i % 2], SHA256_BYTES};
    }
    hex_encode(with.p, SHA256_BYTES, hex);
    explicit_bzero(k, sizeof k);
    if (secret.p)
        explicit_bzero(secret.p, secret.n);
    buffer_fini(&secret);
}

enum weir_err sigv4_authorize(const struct sigv4_request *r, const struct sigv4_key *key, struct buffer *out)
{
    struct sigv4_pair header[SIGV4_PAIRS_MAX];
    char date[SIGV4_DATE_MAX], scope[SCOPE_MAX], hash[2 * SHA256_BYTES + 1], signature[2 * SHA256_BYTES + 1];
    struct sha256 digest;
    struct buffer text;
    if (r->header_n > SIGV4_PAIRS_MAX || r->query_n > SIGV4_PAIRS_MAX || strlen(r->region) + strlen(r->service) > SCOPE_MAX / 2)
        return WEIR_LIMIT;
    memcpy(header, r->header, r->header_n * sizeof *header);
    qsort(header, r->header_n, sizeof *header, by_name);
    buffer_init(&text, TEXT_MAX);
    put_canonical(r, header, &text);
    sha256_of(text.p, text.n, &digest);
    hex_encode(digest.b, sizeof digest.b, hash);
    sigv4_date(r->time_s, date);
    buffer_clear(&text);
    buffer_printf(&text, "%.8s/%s/%s/aws4_request", date, r->region, r->service);
    memcpy(scope, buffer_cstr(&text), text.n + 1);
    buffer_clear(&text);
    buffer_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, hash);
    sign(key, date, r, (struct slice){text.p, text.n}, signature);
    buffer_puts(out, "AWS4-HMAC-SHA256 Credential=");
    buffer_slice(out, key->id);
    buffer_printf(out, "/%s, SignedHeaders=", scope);
    put_names(header, r->header_n, out);
    buffer_printf(out, ", Signature=%s", signature);
    enum weir_err err = text.err ? text.err : out->err;
    buffer_fini(&text);
    return err;
}
