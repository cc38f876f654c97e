/* SPDX-License-Identifier: Apache-2.0 */
/* Blob 'v', version 1: u16 day, u8 flags (1 closed, 2 seen_all), varint objects, varint n, n * varint lacking; varint n, n * (string
 * account, string flow_log, 36 bytes, varint objects, u32 missing); varint n, n * u64 key of an interface, ascending; varint hosts,
 * learning, host_gap_days, raised, raised_by_rules, u64 budget in 1e-9, varint silent, varint n, n * (string account, string interface,
 * u64 hi, u64 lo). Keys of interfaces are kept until the next day is closed. */
#include <stdlib.h>
#include <string.h>

#include "app/coverage.h"

#define KIND 'v'
#define VERSION 1
#define CLOSED 1
#define SEEN_ALL 2
#define NANO 1e9

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static enum weir_err put_seen(const struct key_set *seen, struct buffer *out)
{
    uint64_t *key = malloc((seen->n + 1) * sizeof *key);
    size_t n = 0;
    if (!key)
        return WEIR_NOMEM;
    for (size_t i = 0; i < seen->cap; i++)
        if (seen->key[i])
            key[n++] = seen->key[i];
    qsort(key, n, sizeof *key, by_key);
    buffer_varint(out, n);
    for (size_t i = 0; i < n; i++)
        buffer_u64(out, key[i]);
    free(key);
    return WEIR_OK;
}

static void put_sources(const struct coverage_day *d, struct buffer *out)
{
    buffer_varint(out, d->sources);
    for (size_t i = 0; i < d->sources; i++) {
        const struct coverage_source *s = &d->source[i];
        buffer_string(out, slice_of(s->account));
        buffer_string(out, slice_of(s->flow_log));
        buffer_put(out, s->bucket, sizeof s->bucket);
        buffer_varint(out, s->objects);
        buffer_u32(out, s->missing);
    }
}

static void put_result(const struct coverage_day *d, struct buffer *out)
{
    buffer_varint(out, d->hosts);
    buffer_varint(out, d->learning);
    buffer_varint(out, d->host_gap_days);
    buffer_varint(out, d->raised);
    buffer_varint(out, d->raised_by_rules);
    buffer_u64(out, (uint64_t)(d->budget * NANO));
    buffer_varint(out, d->silent);
    buffer_varint(out, d->silent_hosts);
    for (size_t i = 0; i < d->silent_hosts; i++) {
        buffer_string(out, slice_of(d->silent_host[i].account));
        buffer_string(out, slice_of(d->silent_host[i].interface));
        buffer_u64(out, d->silent_host[i].host.hi);
        buffer_u64(out, d->silent_host[i].host.lo);
    }
}

enum weir_err coverage_encode(const struct coverage_day *d, struct buffer *out)
{
    size_t begin = blob_begin(out, KIND, VERSION);
    buffer_u16(out, d->day);
    buffer_u8(out, (uint8_t)((d->closed ? CLOSED : 0) | (d->seen_all ? SEEN_ALL : 0)));
    buffer_varint(out, d->objects);
    buffer_varint(out, COVERAGE_WISHES);
    for (unsigned i = 0; i < COVERAGE_WISHES; i++)
        buffer_varint(out, d->lacking[i]);
    put_sources(d, out);
    enum weir_err err = put_seen(&d->seen, out);
    put_result(d, out);
    blob_end(out, begin);
    return err ? err : out->err;
}

static void take_name(struct cursor *c, char out[COVERAGE_NAME_MAX])
{
    struct slice s = cursor_string(c, COVERAGE_NAME_MAX - 1);
    memcpy(out, s.n ? s.p : "", s.n);
    out[s.n] = 0;
}

static enum weir_err take_sources(struct cursor *c, struct coverage_day *d)
{
    uint64_t n = cursor_varint(c);
    if (c->err || n > COVERAGE_SOURCES_MAX)
        return WEIR_CORRUPT;
    d->source = calloc(n + 1, sizeof *d->source);
    if (!d->source)
        return WEIR_NOMEM;
    d->sources_cap = n + 1;
    for (; d->sources < n && !c->err; d->sources++) {
        struct coverage_source *s = &d->source[d->sources];
        take_name(c, s->account);
        take_name(c, s->flow_log);
        struct slice bucket = cursor_bytes(c, sizeof s->bucket);
        if (bucket.n == sizeof s->bucket)
            memcpy(s->bucket, bucket.p, sizeof s->bucket);
        s->objects = cursor_varint(c);
        s->missing = cursor_u32(c);
    }
    return c->err ? WEIR_CORRUPT : WEIR_OK;
}

static enum weir_err take_seen(struct cursor *c, struct coverage_day *d)
{
    uint64_t n = cursor_varint(c);
    if (c->err || n > COVERAGE_INTERFACES_MAX)
        return WEIR_CORRUPT;
    for (uint64_t i = 0; i < n && !c->err; i++) {
        uint64_t key = cursor_u64(c);
        if (c->err || !key)
            return WEIR_CORRUPT;
        if (!key_set_add(&d->seen, key))
            return WEIR_NOMEM;
    }
    return WEIR_OK;
}

static enum weir_err take_result(struct cursor *c, struct coverage_day *d)
{
    d->hosts = cursor_varint(c);
    d->learning = cursor_varint(c);
    d->host_gap_days = cursor_varint(c);
    d->raised = cursor_varint(c);
    d->raised_by_rules = cursor_varint(c);
    d->budget = (double)cursor_u64(c) / NANO;
    d->silent = cursor_varint(c);
    uint64_t n = cursor_varint(c);
    if (c->err || n > COVERAGE_SILENT_MAX)
        return WEIR_CORRUPT;
    d->silent_host = calloc(n + 1, sizeof *d->silent_host);
    if (!d->silent_host)
        return WEIR_NOMEM;
    for (; d->silent_hosts < n && !c->err; d->silent_hosts++) {
        struct coverage_silent *s = &d->silent_host[d->silent_hosts];
        take_name(c, s->account);
        take_name(c, s->interface);
        s->host.hi = cursor_u64(c);
        s->host.lo = cursor_u64(c);
    }
    return c->err || cursor_left(c) ? WEIR_CORRUPT : WEIR_OK;
}

static enum weir_err take_all(struct cursor *c, struct coverage_day *d)
{
    coverage_day_init(d, cursor_u16(c));
    uint8_t flags = cursor_u8(c);
    d->closed = flags & CLOSED;
    d->seen_all = flags & SEEN_ALL;
    d->objects = cursor_varint(c);
    if (cursor_varint(c) != COVERAGE_WISHES)
        return WEIR_CORRUPT;
    for (unsigned i = 0; i < COVERAGE_WISHES; i++)
        d->lacking[i] = cursor_varint(c);
    enum weir_err err = take_sources(c, d);
    if (!err)
        err = take_seen(c, d);
    return err ? err : take_result(c, d);
}

enum weir_err coverage_decode(struct slice blob, struct coverage_day *out)
{
    struct cursor c;
    uint8_t version;
    coverage_day_init(out, 0);
    enum weir_err err = blob_open(blob, KIND, VERSION, &version, &c);
    return err ? err : take_all(&c, out);
}
