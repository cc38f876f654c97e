/* See s3_event.h. Keys are encoded like forms in notifications (Amazon S3 User Guide, "Event message structure"), and plain in events of EventBridge. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/s3_event.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "source/s3_page.h"

static const char *text_at(const json_t *o, const char *name) { return json_string_value(json_object_get(o, name)); }

static enum weir_err give(const json_t *bucket, const json_t *object, const char *etag, bool encoded, s3_event_each *each, void *ctx)
{
    char key[S3_KEY_MAX], tag[S3_ETAG_MAX];
    const char *name = text_at(bucket, "name"), *raw = text_at(object, "key");
    const json_t *size = json_object_get(object, "size");
    size_t n = raw ? json_string_length(json_object_get(object, "key")) : 0;
    if (!name || !raw || n > sizeof key)
        return WEIR_CORRUPT;
    if (!encoded)
        memcpy(key, raw, n);
    else if (!s3_key_decode((struct slice){raw, n}, key, sizeof key, &n))
        return WEIR_CORRUPT;
    bool told = etag && json_is_integer(size) && json_integer_value(size) >= 0 && strlen(etag) < sizeof tag - 2;
    snprintf(tag, sizeof tag, "\"%s\"", told ? etag : "");
    const struct s3_event e = {slice_of(name), {key, n}, told ? tag : NULL, told ? (uint64_t)json_integer_value(size) : 0};
    return each(ctx, &e);
}

static enum weir_err read_records(const json_t *records, s3_event_each *each, void *ctx)
{
    enum weir_err err = json_is_array(records) ? WEIR_OK : WEIR_CORRUPT;
    for (size_t i = 0; i < json_array_size(records) && !err; i++) {
        const json_t *r = json_array_get(records, i), *s3 = json_object_get(r, "s3"), *object = json_object_get(s3, "object");
        const char *name = text_at(r, "eventName");
        if (!name)
            err = WEIR_CORRUPT;
        else if (strstr(name, "ObjectCreated:"))
            err = give(json_object_get(s3, "bucket"), object, text_at(object, "eTag"), true, each, ctx);
    }
    return err;
}

static enum weir_err read_document(const json_t *o, s3_event_each *each, void *ctx)
{
    const json_t *detail = json_object_get(o, "detail"), *object = json_object_get(detail, "object");
    const char *kind = text_at(o, "detail-type"), *event = text_at(o, "Event");
    if (json_object_get(o, "Records"))
        return read_records(json_object_get(o, "Records"), each, ctx);
    if (kind && strcmp(kind, "Object Created") == 0)
        return give(json_object_get(detail, "bucket"), object, text_at(object, "etag"), false, each, ctx);
    return kind || (event && strcmp(event, "s3:TestEvent") == 0) ? WEIR_OK : WEIR_CORRUPT;
}

enum weir_err s3_event_read(struct slice body, s3_event_each *each, void *ctx)
{
    json_t *o = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = text_at(o, "Type");
    if (kind && strcmp(kind, "Notification") == 0) {
        const json_t *message = json_object_get(o, "Message");
        json_t *inner = json_loadb(json_is_string(message) ? json_string_value(message) : "", json_string_length(message), JSON_REJECT_DUPLICATES, NULL);
        json_decref(o);
        o = inner;
    }
    enum weir_err err = json_is_object(o) ? read_document(o, each, ctx) : WEIR_CORRUPT;
    json_decref(o);
    return err;
}
