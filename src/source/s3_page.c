/* See s3_page.h. Keys come percent-encoded, as we ask for it: XML 1.0 cannot hold all that a key may. That they are so may be told behind
 * them, so a page is read twice: as a whole first, and then for its entries. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/s3_page.h"

#include <stdlib.h>
#include <string.h>

#include "source/library.h"

#define DEPTH_MAX 8
#define TEXT_MAX 16384 /* of one element; a key of 1024 bytes has 3072 when encoded */
#define ENTRIES_MAX 10000

struct reader {
    const struct expat_calls *call;
    XML_Parser parser;
    char name[DEPTH_MAX][32]; /* of the open elements */
    unsigned depth;
    struct buffer text;  /* of the innermost */
    char key[S3_KEY_MAX], etag[S3_ETAG_MAX];
    size_t key_n;
    bool encoded, has_key, has_size, is_list;
    uint64_t size;
    struct s3_page *page; /* NULL: an error is read */
    struct s3_error *error;
    s3_each *each;
    void *ctx;
    enum weir_err err;
};

static void stop(struct reader *r, enum weir_err err)
{
    if (!r->err)
        r->err = err;
    (void)r->call->stop(r->parser, XML_FALSE);
}

static void copy_text(const struct reader *r, char *out, size_t cap)
{
    size_t n = r->text.n < cap ? r->text.n : 0;
    memcpy(out, r->text.p ? r->text.p : "", n);
    out[n] = 0;
}

/* '+' is a blank: what S3 does is the encoding of forms. */
bool s3_key_decode(struct slice s, char *out, size_t cap, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t byte = s.p[i] == '+' ? ' ' : (uint8_t)s.p[i];
        if (s.p[i] == '%') {
            if (s.n - i < 3 || hex_decode((struct slice){s.p + i + 1, 2}, &byte, 1))
                return false;
            i += 2;
        }
        if (*n == cap)
            return false;
        out[(*n)++] = (char)byte;
    }
    return true;
}

static void take_key(struct reader *r)
{
    r->has_key = true;
    if (!r->each)
        return;
    if (r->text.n <= sizeof r->key && !r->encoded)
        memcpy(r->key, r->text.p ? r->text.p : "", r->key_n = r->text.n);
    else if (!r->encoded || !s3_key_decode((struct slice){r->text.p, r->text.n}, r->key, sizeof r->key, &r->key_n))
        stop(r, WEIR_CORRUPT);
}

static void give(struct reader *r, bool folder)
{
    const struct s3_entry e = {{r->key, r->key_n}, {r->etag, strlen(r->etag)}, r->size, folder};
    if (!r->has_key || (!folder && !r->has_size) || r->page->entries++ == ENTRIES_MAX) {
        stop(r, WEIR_CORRUPT);
        return;
    }
    enum weir_err err = r->each ? r->each(r->ctx, &e) : WEIR_OK;
    if (err)
        stop(r, err);
    r->has_key = r->has_size = false;
    r->etag[0] = 0;
}

static bool is_in(const struct reader *r, const char *parent, const char *name)
{
    return r->depth >= 2 && strcmp(r->name[r->depth - 1], name) == 0 && strcmp(r->name[r->depth - 2], parent) == 0;
}

static void end_of_list(struct reader *r)
{
    if (is_in(r, "ListBucketResult", "EncodingType"))
        r->encoded = slice_eq((struct slice){r->text.p, r->text.n}, SLICE_LIT("url"));
    else if (is_in(r, "ListBucketResult", "IsTruncated"))
        r->page->more = slice_eq((struct slice){r->text.p, r->text.n}, SLICE_LIT("true"));
    else if (is_in(r, "ListBucketResult", "NextContinuationToken"))
        copy_text(r, r->page->token, sizeof r->page->token);
    else if (is_in(r, "Contents", "Key") || is_in(r, "CommonPrefixes", "Prefix"))
        take_key(r);
    else if (is_in(r, "Contents", "ETag"))
        copy_text(r, r->etag, sizeof r->etag);
    else if (is_in(r, "Contents", "Size"))
        r->has_size = parse_u64((struct slice){r->text.p, r->text.n}, INT64_MAX, &r->size) == WEIR_OK;
    else if (is_in(r, "ListBucketResult", "Contents"))
        give(r, false);
    else if (is_in(r, "ListBucketResult", "CommonPrefixes"))
        give(r, true);
}

static void end_of_error(struct reader *r)
{
    if (is_in(r, "Error", "Code"))
        copy_text(r, r->error->code, sizeof r->error->code);
    else if (is_in(r, "Error", "Message"))
        copy_text(r, r->error->text, sizeof r->error->text);
    else if (is_in(r, "Error", "Region"))
        copy_text(r, r->error->region, sizeof r->error->region);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = ctx;
    size_t n = strlen(name);
    (void)attributes;
    if (r->depth == DEPTH_MAX || n >= sizeof r->name[0]) {
        stop(r, WEIR_CORRUPT);
        return;
    }
    r->is_list |= r->depth == 0 && strcmp(name, "ListBucketResult") == 0;
    memcpy(r->name[r->depth++], name, n + 1);
    buffer_clear(&r->text);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct reader *r = ctx;
    (void)name;
    if (r->err || !r->depth)
        return;
    if (r->page)
        end_of_list(r);
    else
        end_of_error(r);
    r->depth--;
    buffer_clear(&r->text);
}

static void XMLCALL on_text(void *ctx, const XML_Char *p, int n)
{
    struct reader *r = ctx;
    buffer_put(&r->text, p, (size_t)n);
    if (r->text.err)
        stop(r, WEIR_CORRUPT);
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_subset)
{
    (void)name, (void)system, (void)public, (void)has_subset;
    stop(ctx, WEIR_CORRUPT);
}

static enum weir_err read_all(struct reader *r, struct slice xml, struct fault *fault)
{
    r->call = library_expat(fault);
    if (!r->call)
        return WEIR_UNSUPPORTED;
    r->parser = r->call->create(NULL);
    if (!r->parser)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    buffer_init(&r->text, TEXT_MAX);
    r->call->set_user_data(r->parser, r);
    r->call->on_element(r->parser, on_start, on_end);
    r->call->on_text(r->parser, on_text);
    r->call->on_doctype(r->parser, on_doctype);
    if (xml.n > INT32_MAX || r->call->parse(r->parser, xml.p ? xml.p : "", (int)xml.n, 1) != XML_STATUS_OK)
        r->err = r->err ? r->err : WEIR_CORRUPT;
    if (r->err == WEIR_CORRUPT)
        fault_set(fault, WEIR_CORRUPT, "the answer is no listing: %s", r->call->error_text(r->call->error_of(r->parser)));
    r->call->free(r->parser);
    buffer_fini(&r->text);
    return r->err;
}

enum weir_err s3_page_read(struct slice xml, s3_each *each, void *ctx, struct s3_page *out, struct fault *fault)
{
    struct reader *r = calloc(1, sizeof *r);
    *out = (struct s3_page){.more = false};
    if (!r)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    r->page = out;
    enum weir_err err = read_all(r, xml, fault);
    if (!err && (!r->is_list || (out->more && !out->token[0])))
        err = fault_set(fault, WEIR_CORRUPT, "the answer is no listing");
    *r = (struct reader){.page = out, .each = each, .ctx = ctx, .encoded = r->encoded};
    out->entries = 0;
    if (!err)
        err = read_all(r, xml, fault);
    free(r);
    return err;
}

void s3_error_read(struct slice xml, struct s3_error *out)
{
    struct reader *r = xml.n ? calloc(1, sizeof *r) : NULL;
    struct fault ignored;
    *out = (struct s3_error){.code = ""};
    if (!r)
        return;
    r->error = out;
    (void)!read_all(r, xml, &ignored);
    free(r);
}
