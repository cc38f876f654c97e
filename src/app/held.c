/* SPDX-License-Identifier: Apache-2.0 */
/* What findings kept from being learned: k <uid>, see marks.h. Written when a raised day closes. */
#include <string.h>

#include "app/marks.h"
#include "weir/finding.h"

#define KIND 'k'
#define VERSION 1
#define DAYS_MAX 4096 /* of one finding */
enum { WHY_HOURS = 1, WHY_CREEP = 2 };

static void put_day(struct buffer *b, const struct baseline_held *h)
{
    buffer_u16(b, h->day);
    buffer_u8(b, (uint8_t)((h->hours ? WHY_HOURS : 0) | (h->creep ? WHY_CREEP : 0)));
    buffer_u32(b, h->gap_hours);
    for (unsigned i = 0; i < 24; i++)
        buffer_varint(b, h->hour_out[i]);
    buffer_varint(b, h->groups);
    for (size_t i = 0; i < h->groups; i++) {
        buffer_u64(b, h->group[i].group);
        buffer_u8(b, h->group[i].value);
    }
}

static void get_day(struct cursor *c, struct baseline_held *h)
{
    memset(h, 0, sizeof *h);
    h->day = cursor_u16(c);
    uint8_t why = cursor_u8(c);
    h->hours = why & WHY_HOURS;
    h->creep = why & WHY_CREEP;
    h->gap_hours = cursor_u32(c);
    for (unsigned i = 0; i < 24; i++)
        h->hour_out[i] = cursor_varint(c);
    uint64_t groups = cursor_varint(c);
    if (groups > BASELINE_GROUPS)
        c->err = c->err ? c->err : WEIR_CORRUPT;
    for (h->groups = 0; !c->err && h->groups < groups; h->groups++) {
        h->group[h->groups].group = cursor_u64(c);
        h->group[h->groups].value = cursor_u8(c);
    }
}

static enum weir_err open_held(struct store *s, const char *uid, struct buffer *blob, struct cursor *c, uint64_t *host_id, uint64_t *days, struct fault *fault)
{
    uint8_t version;
    *host_id = *days = 0;
    enum weir_err err = store_get(s, KIND, uid, blob, fault);
    if (!err && (err = blob_open((struct slice){blob->p, blob->n}, KIND, VERSION, &version, c)))
        return fault_set(fault, err, "store value 'k:%s', what a finding kept from being learned: %s", uid, weir_err_text(err));
    if (err)
        return err;
    *host_id = cursor_u64(c);
    *days = cursor_varint(c);
    return c->err || *days > DAYS_MAX ? fault_set(fault, WEIR_CORRUPT, "store value 'k:%s': %s", uid, weir_err_text(WEIR_CORRUPT)) : WEIR_OK;
}

enum weir_err held_host(struct store *s, const char *uid, uint64_t *host_id, struct fault *fault)
{
    struct buffer blob;
    struct cursor c;
    uint64_t days;
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = open_held(s, uid, &blob, &c, host_id, &days, fault);
    buffer_fini(&blob);
    return err;
}

enum weir_err held_each(struct store *s, const char *uid, held_each_day *each, void *ctx, struct fault *fault)
{
    struct buffer blob;
    struct cursor c;
    uint64_t host_id, days;
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = open_held(s, uid, &blob, &c, &host_id, &days, fault);
    for (uint64_t i = 0; i < days && !err; i++) {
        struct baseline_held h;
        get_day(&c, &h);
        err = c.err ? fault_set(fault, WEIR_CORRUPT, "store value 'k:%s': %s", uid, weir_err_text(c.err)) : each(ctx, &h);
    }
    buffer_fini(&blob);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

struct copy { struct buffer *to; uint64_t days; uint16_t except; };

static enum weir_err copy_day(void *ctx, const struct baseline_held *h)
{
    struct copy *copy = ctx;
    if (h->day == copy->except)
        return WEIR_OK;
    put_day(copy->to, h);
    copy->days++;
    return WEIR_OK;
}

/* Damaged: what was kept of earlier days is lost with it, the run is not. */
static enum weir_err copy_old(struct store *s, const char *uid, struct copy *copy, struct fault *fault)
{
    enum weir_err err = held_each(s, uid, copy_day, copy, fault);
    if (err != WEIR_CORRUPT && err != WEIR_TRUNCATED)
        return err;
    buffer_clear(copy->to);
    copy->days = 0;
    return WEIR_OK;
}

enum weir_err held_add(struct store *s, const char *uid, uint64_t host_id, const struct baseline_held *held, struct fault *fault)
{
    struct buffer days, blob;
    struct copy copy = {.to = &days, .except = held ? held->day : 0};
    if (!held && store_has(s, KIND, uid))
        return WEIR_OK;
    buffer_init(&days, STORE_VALUE_MAX);
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = copy_old(s, uid, &copy, fault);
    if (!err && held && copy.days < DAYS_MAX)
        err = copy_day(&(struct copy){.to = &days}, held);
    size_t begin = blob_begin(&blob, KIND, VERSION);
    buffer_u64(&blob, host_id);
    buffer_varint(&blob, copy.days + (held && copy.days < DAYS_MAX));
    buffer_slice(&blob, (struct slice){days.p, days.n});
    blob_end(&blob, begin);
    if (!err)
        err = days.err || blob.err ? fault_set(fault, WEIR_LIMIT, "what a finding keeps from being learned is too large to store")
                                   : store_put(s, KIND, uid, (struct slice){blob.p, blob.n}, fault);
    buffer_fini(&days);
    buffer_fini(&blob);
    return err;
}
