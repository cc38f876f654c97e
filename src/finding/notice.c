/* SPDX-License-Identifier: Apache-2.0 */
/* An operational finding: a claim about what weir itself works with, not about a host. No cloud and no evidence of records; what it
 * rests on stands under "unmapped"."weir"."facts". */
#include <string.h>

#include "finding/finding_private.h"

#define CLASS_UID 2004
#define UID_HASH_BYTES 16
enum { ANALYTIC_RULE = 1, ROLE_AFFECTED = 3, CREATE = 1 };

void finding_notice_uid(const char *kind, struct slice key, char out[FINDING_UID_MAX])
{
    unsigned char all[2 * SHA256_BYTES];
    struct sha256 hash;
    sha256_of(kind, strlen(kind), &hash);
    memcpy(all, hash.b, SHA256_BYTES);
    sha256_of(key.p, key.n, &hash);
    memcpy(all + SHA256_BYTES, hash.b, SHA256_BYTES);
    sha256_of(all, sizeof all, &hash);
    memcpy(out, "wf1-", 4);
    hex_encode(hash.b, UID_HASH_BYTES, out + 4);
}

static void put_class(struct buffer *b, const struct finding_notice *n)
{
    ocsf_u64(b, "class_uid", CLASS_UID);
    ocsf_u64(b, "category_uid", CLASS_UID / 1000);
    ocsf_u64(b, "activity_id", CREATE);
    ocsf_u64(b, "type_uid", CLASS_UID * 100 + CREATE);
    ocsf_ms(b, "time", n->time_s);
    ocsf_ms(b, "start_time", n->time_s);
    ocsf_ms(b, "end_time", n->time_s);
    ocsf_u64(b, "severity_id", n->severity);
    ocsf_u64(b, "status_id", 1);
    ocsf_u64(b, "confidence_id", 3);
    ocsf_bool(b, "is_alert", true);
    ocsf_text(b, "message", n->sentence);
}

static void put_info(struct buffer *b, const struct finding_notice *n)
{
    ocsf_open(b, "finding_info", '{');
    ocsf_cstr(b, "uid", n->uid);
    ocsf_cstr(b, "title", n->title);
    ocsf_cstr(b, "desc", n->advice);
    ocsf_open(b, "types", '[');
    ocsf_cstr(b, NULL, "Operational");
    ocsf_close(b, ']');
    ocsf_ms(b, "first_seen_time", n->time_s);
    ocsf_ms(b, "last_seen_time", n->time_s);
    ocsf_ms(b, "created_time", n->time_s);
    ocsf_open(b, "analytic", '{');
    ocsf_u64(b, "type_id", ANALYTIC_RULE);
    ocsf_cstr(b, "name", n->kind);
    ocsf_close(b, '}');
    ocsf_close(b, '}');
}

static void put_about(struct buffer *b, const struct finding_notice *n)
{
    ocsf_open(b, "resources", '[');
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "uid", n->about);
    ocsf_cstr(b, "name", n->about);
    ocsf_u64(b, "role_id", ROLE_AFFECTED);
    ocsf_close(b, '}');
    ocsf_close(b, ']');
    ocsf_open(b, "unmapped", '{');
    ocsf_open(b, "weir", '{');
    ocsf_cstr(b, "operational", n->kind);
    ocsf_open(b, "facts", '{');
    for (size_t i = 0; i < n->facts; i++) ocsf_u64(b, n->fact[i].name, n->fact[i].value);
    ocsf_close(b, '}');
    ocsf_text(b, "sentence", n->sentence);
    ocsf_close(b, '}');
    ocsf_close(b, '}');
}

static void put_metadata(struct buffer *b, const struct finding_notice *n)
{
    ocsf_open(b, "metadata", '{');
    ocsf_cstr(b, "version", "1.8.0");
    ocsf_cstr(b, "uid", n->uid);
    ocsf_cstr(b, "log_name", "weir");
    ocsf_open(b, "product", '{');
    ocsf_cstr(b, "name", "weir");
    ocsf_cstr(b, "vendor_name", "weir");
    ocsf_cstr(b, "version", FINDING_PRODUCT_VERSION);
    ocsf_close(b, '}');
    ocsf_close(b, '}');
}

enum weir_err finding_notice_encode(const struct finding_notice *n, struct buffer *out)
{
    size_t begin = out->n;
    buffer_u8(out, '{');
    put_class(out, n);
    put_info(out, n);
    put_about(out, n);
    put_metadata(out, n);
    ocsf_close(out, '}');
    if (out->err) out->n = begin;
    return out->err;
}
