/* Flows, windows and their fingerprints to order, for the tests of window.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_WINDOW_MAKE_H
#define WEIR_TESTS_WINDOW_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/window.h>

#define DAY0 (20510LL * DAY_S)
#define KB 1000ULL
#define MB 1000000ULL
#define BLOB_MAX (64u << 20)

static inline uint64_t random_next(uint64_t *seed) { return stable_mix(*seed += 0x9e3779b97f4a7c15ULL); }
static inline uint64_t random_below(uint64_t *seed, uint64_t n) { return random_next(seed) % n; }

static inline struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    assert_int_equal(ip_parse(slice_of(text), &a), WEIR_OK);
    return a;
}

static inline struct window *window_with(uint32_t max_groups, uint32_t max_big, bool learns)
{
    struct window_limits limits = {.max_groups = max_groups, .max_big_groups = max_big, .max_hosts = 100000};
    struct window *w = window_new(&limits, learns);
    assert_non_null(w);
    return w;
}

static inline struct window *window_usual(void) { return window_with(4096, 65536, false); }

static inline uint32_t interface(struct window *w, const char *id, const char *flow_log)
{
    struct interface_name name = {SLICE_LIT("123456789012"), slice_of(id), slice_of(flow_log), SLICE_LIT("vpc-1")};
    uint32_t k = window_interface(w, &name);
    assert_int_not_equal(k, WINDOW_NO_INTERFACE);
    return k;
}

/* From host to peer, opened by the host, at 03:05 of the first day. */
static inline struct flow flow(const char *host, const char *peer, uint64_t bytes)
{
    struct flow f = {.host = ip(host), .peer = ip(peer), .bytes = bytes, .packets = 1, .start_s = DAY0 + 3 * HOUR_S + 300,
                     .end_s = DAY0 + 3 * HOUR_S + 360, .service_port = 443, .protocol = 6, .opened = OPENED_BY_HOST,
                     .service = SERVICE_WEB, .out = true};
    f.external = !ip_is_private(f.peer);
    return f;
}

static inline struct flow incoming(const char *host, const char *peer, uint64_t bytes)
{
    struct flow f = flow(host, peer, bytes);
    f.out = false;
    return f;
}

static inline struct flow called(struct flow f) { f.opened = OPENED_BY_PEER; return f; }
static inline struct flow later(struct flow f, int64_t seconds) { f.start_s += seconds; f.end_s += seconds; return f; }

static inline void charge(struct window *w, uint32_t k, struct flow f)
{
    assert_int_equal(window_add(w, k, &f, FLOW_CHARGED), WEIR_OK);
}

static inline void maybe(struct window *w, uint32_t k, struct flow f)
{
    assert_int_equal(window_add(w, k, &f, FLOW_PENDING), WEIR_OK);
}

/* ---- what a window says, as bytes ---- */

static inline enum weir_err write_host(void *ctx, const struct host_day *d)
{
    struct buffer *out = ctx;
    buffer_u64(out, d->host_id);
    buffer_string(out, d->account);
    buffer_string(out, d->interface);
    buffer_string(out, d->vpc);
    buffer_put(out, &d->host, sizeof d->host);
    buffer_printf(out, "%d%d %x %lu %u ", d->forwarder, d->suspected, d->gap_hours, (unsigned long)d->gaps, d->level);
    const uint64_t sums[] = {(uint64_t)d->day_s, d->external_out, d->external_in, d->internal_out, d->internal_in, d->rest_out};
    buffer_put(out, sums, sizeof sums);
    buffer_put(out, d->hour_out, sizeof d->hour_out);
    buffer_put(out, d->hour_in, sizeof d->hour_in);
    for (size_t i = 0; i < d->groups; i++) {
        buffer_u64(out, d->group[i].group);
        buffer_u64(out, d->group[i].bytes_out);
        buffer_u64(out, d->group[i].bytes_in);
        buffer_put(out, d->group[i].hour, sizeof d->group[i].hour);
    }
    return WEIR_OK;
}

static inline void print_hosts(struct window *w, int64_t day_s, struct buffer *out)
{
    assert_int_equal(window_each_host(w, day_s, 0, write_host, out), WEIR_OK);
}

/* Every bucket of every day as it would be stored, and every host-day as it is read. */
static inline void fingerprint(struct window *w, struct buffer *out)
{
    int64_t day_s[64];
    size_t days = window_days(w, day_s, WEIR_COUNT(day_s));
    buffer_clear(out);
    for (size_t d = 0; d < days; d++) {
        buffer_u64(out, (uint64_t)day_s[d]);
        for (unsigned b = 0; b < WINDOW_BUCKETS; b++)
            assert_int_equal(window_encode(w, day_s[d], b, out), WEIR_OK);
        print_hosts(w, day_s[d], out);
    }
    assert_int_equal(out->err, WEIR_OK);
}

static inline void assert_same(struct window *w, const struct buffer *want)
{
    struct buffer got;
    buffer_init(&got, BLOB_MAX);
    fingerprint(w, &got);
    if (got.n != want->n || memcmp(got.p, want->p, got.n) != 0)
        fail_msg("fingerprints differ (%zu and %zu bytes)", got.n, want->n);
    buffer_fini(&got);
}

/* All that w holds, through the stored form, into `to`. */
static inline void carry_over(struct window *w, struct window *to)
{
    int64_t day_s[64];
    struct buffer b;
    buffer_init(&b, BLOB_MAX);
    size_t days = window_days(w, day_s, WEIR_COUNT(day_s));
    for (size_t d = 0; d < days; d++)
        for (unsigned bucket = 0; bucket < WINDOW_BUCKETS; bucket++) {
            buffer_clear(&b);
            assert_int_equal(window_encode(w, day_s[d], bucket, &b), WEIR_OK);
            assert_int_equal(window_decode(to, (struct slice){b.p, b.n}), WEIR_OK);
        }
    buffer_fini(&b);
}

/* ---- one host-day, looked up ---- */

#define GROUPS_KEPT 4096
struct looked_up {
    struct ip want;
    unsigned seen;
    struct host_day d;
    struct host_group group[GROUPS_KEPT];
};

static inline enum weir_err keep_host(void *ctx, const struct host_day *d)
{
    struct looked_up *l = ctx;
    if (!ip_eq(d->host, l->want))
        return WEIR_OK;
    assert_true(d->groups <= GROUPS_KEPT);
    l->seen++;
    l->d = *d;
    if (d->groups)
        memcpy(l->group, d->group, d->groups * sizeof *d->group);
    l->d.group = l->group;
    return WEIR_OK;
}

static inline enum weir_err count_suspect(void *ctx, const struct host_day *d)
{
    assert_true(d->suspected || d->rules_broken);
    *(unsigned *)ctx += d->suspected;
    return WEIR_OK;
}

/* The host-day of this address on the first day; `seen` tells how many interfaces have it. Borrowed until the next call. */
static inline const struct looked_up *look_up(struct window *w, const char *host)
{
    static struct looked_up l;
    memset(&l, 0, sizeof l);
    l.want = ip(host);
    unsigned suspects = 0; /* as many, if they alone are asked for */
    assert_int_equal(window_each_suspect(w, DAY0, 0, count_suspect, &suspects), WEIR_OK);
    assert_int_equal(window_each_host(w, DAY0, 0, keep_host, &l), WEIR_OK);
    assert_int_equal(window_stats(w).suspected_forwarders, suspects);
    return &l;
}

#endif
