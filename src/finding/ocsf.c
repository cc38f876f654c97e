/* A JSON writer over a buffer: keys in the order of the calls, one line, no state of its own.
 * Rejected: a tree built first and dumped by a library. Its order and its way to print a real are not ours to fix.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>

#include "finding/finding_private.h"

#define FIXED_MAX 1e6

static void ocsf_key(struct buffer *b, const char *key)
{
    char last = b->n ? b->p[b->n - 1] : '{';
    if (last != '{' && last != '[') buffer_u8(b, ',');
    if (key) buffer_printf(b, "\"%s\":", key); /* keys are ours: plain words */
}

void ocsf_open(struct buffer *b, const char *key, char bracket)
{
    ocsf_key(b, key);
    buffer_u8(b, (uint8_t)bracket);
}

void ocsf_close(struct buffer *b, char bracket) { buffer_u8(b, (uint8_t)bracket); }

void ocsf_text(struct buffer *b, const char *key, struct slice text)
{
    ocsf_key(b, key);
    escape_json(b, text);
}

void ocsf_cstr(struct buffer *b, const char *key, const char *text) { ocsf_text(b, key, slice_of(text)); }

void ocsf_some(struct buffer *b, const char *key, struct slice text)
{
    if (text.n) ocsf_text(b, key, text);
}

void ocsf_u64(struct buffer *b, const char *key, uint64_t v)
{
    ocsf_key(b, key);
    buffer_printf(b, "%" PRIu64, v > INT64_MAX ? (uint64_t)INT64_MAX : v);
}

void ocsf_bool(struct buffer *b, const char *key, bool v)
{
    ocsf_key(b, key);
    buffer_puts(b, v ? "true" : "false");
}

void ocsf_ip(struct buffer *b, const char *key, struct ip ip)
{
    char text[IP_TEXT_MAX];
    ip_format(ip, text);
    ocsf_cstr(b, key, text);
}

void ocsf_ms(struct buffer *b, const char *key, int64_t s)
{
    ocsf_key(b, key);
    buffer_printf(b, "%" PRId64, s * 1000);
}

void ocsf_time(struct buffer *b, const char *key, int64_t s)
{
    char text[TIME_TEXT_MAX];
    time_format(s, text);
    ocsf_cstr(b, key, text);
}

/* 12.5 with three decimals: 12500 thousandths -> "12" "." "500". 1e6 with 12 decimals is 1e18, which still fits. */
void ocsf_fixed(struct buffer *b, const char *key, double v, unsigned decimals)
{
    uint64_t one = 1;
    for (unsigned i = 0; i < decimals; i++) one *= 10;
    if (isnan(v)) v = 0;
    v = fmin(fmax(v, -FIXED_MAX), FIXED_MAX);
    int64_t all = llround(v * (double)one);
    uint64_t size = (uint64_t)(all < 0 ? -all : all);
    ocsf_key(b, key);
    buffer_printf(b, "%s%" PRIu64 ".%0*" PRIu64, all < 0 ? "-" : "", size / one, (int)decimals, size % one);
}
