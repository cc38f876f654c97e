/* Addresses as 128-bit numbers: parse, print, classify. The parser is written out by hand because it runs twice a
 * record and inet_pton wants a NUL-terminated copy; the tests hold it against inet_pton on many strings. Strictness
 * (no leading zeros, zones, brackets, prefixes) matters: inet_aton reads 010.0.0.1 as 8.0.0.1, a different host.
 * Text form: RFC 5952, except that only ::ffff:0:0/96 is printed dotted, as plain IPv4. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <string.h>

enum { GROUPS = 8, V6_TEXT_MAX = 45 };

int ip_cmp(struct ip a, struct ip b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return (a.lo > b.lo) - (a.lo < b.lo);
}

/* One decimal octet at *at: 1 to 3 digits, at most 255, no leading zero. */
static inline bool parse_octet(struct slice t, size_t *at, uint32_t *octet)
{
    size_t i = *at;
    unsigned v = i < t.n ? (unsigned)(unsigned char)t.p[i] - '0' : 10;
    if (v > 9)
        return false;
    size_t most = v == 0 ? 1 : 3; /* after a zero no digit may follow */
    for (i++; i < t.n && i - *at < most; i++) {
        unsigned d = (unsigned)(unsigned char)t.p[i] - '0';
        if (d > 9)
            break;
        v = v * 10 + d;
    }
    *at = i;
    *octet = v;
    return v <= 255;
}

static bool parse_v4(struct slice t, uint32_t *out)
{
    uint32_t v = 0, octet;
    size_t at = 0;
    for (unsigned k = 0; k < 4; k++) {
        if (k && (at >= t.n || t.p[at++] != '.'))
            return false;
        if (!parse_octet(t, &at, &octet))
            return false;
        v = v << 8 | octet;
    }
    *out = v;
    return at == t.n;
}

/* A table, because in random digits a branch between 0-9 and a-f is guessed wrong every other time. Entries are one
 * more than the digit, so that all the others are 0. */
static unsigned hex_digit(char c)
{
    static const uint8_t one_more[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
        ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
        ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    };
    return one_more[(unsigned char)c] - 1u; /* huge if it is no digit */
}

/* What has been read of an IPv6 text so far; gap is the index of the group that stands after "::", or -1. */
struct groups {
    uint16_t v[GROUPS];
    int n, gap;
};

/* One to four hex digits at *at. */
static bool parse_group(struct slice t, size_t *at, uint16_t *out)
{
    size_t i = *at;
    unsigned v = 0, d;
    for (; i < t.n && (d = hex_digit(t.p[i])) < 16; i++) {
        if (i - *at == 4)
            return false;
        v = v << 4 | d;
    }
    bool some = i > *at;
    *at = i;
    *out = (uint16_t)v;
    return some;
}

/* Dotted IPv4 stands for the last two groups. */
static bool parse_tail_v4(struct groups *g, struct slice t, size_t at)
{
    uint32_t v4;
    if (g->n > GROUPS - 2 || !parse_v4((struct slice){t.p + at, t.n - at}, &v4))
        return false;
    g->v[g->n++] = (uint16_t)(v4 >> 16);
    g->v[g->n++] = (uint16_t)v4;
    return true;
}

/* Steps over the separator at *at: ':' before a further group, or "::", once. */
static bool parse_colons(struct groups *g, struct slice t, size_t *at)
{
    if (t.p[*at] != ':')
        return false;
    ++*at;
    if (*at < t.n && t.p[*at] == ':') {
        if (g->gap >= 0)
            return false;
        g->gap = g->n;
        ++*at;
        return true;
    }
    return g->n > 0 && *at < t.n; /* neither first nor last */
}

static bool parse_groups(struct slice t, struct groups *g)
{
    size_t at = 0;
    while (at < t.n) {
        if ((g->n > 0 || t.p[at] == ':') && !parse_colons(g, t, &at))
            return false;
        if (at == t.n)
            break;
        size_t start = at;
        if (g->n == GROUPS || !parse_group(t, &at, &g->v[g->n]))
            return false;
        if (at < t.n && t.p[at] == '.')
            return parse_tail_v4(g, t, start);
        g->n++;
    }
    return true;
}

static bool parse_v6(struct slice t, struct ip *out)
{
    struct groups g = {.gap = -1};
    uint16_t full[GROUPS] = {0};
    if (t.n > V6_TEXT_MAX || !parse_groups(t, &g))
        return false;
    if (g.gap < 0 ? g.n != GROUPS : g.n == GROUPS) /* "::" stands for at least one group */
        return false;
    for (int i = 0; i < g.n; i++)
        full[g.gap >= 0 && i >= g.gap ? GROUPS - g.n + i : i] = g.v[i];
    *out = (struct ip){0, 0};
    for (int i = 0; i < GROUPS / 2; i++) {
        out->hi = out->hi << 16 | full[i];
        out->lo = out->lo << 16 | full[GROUPS / 2 + i];
    }
    return true;
}

enum weir_err ip_parse(struct slice text, struct ip *out)
{
    uint32_t v4;
    if (WEIR_LIKELY(parse_v4(text, &v4))) {
        *out = ip_from_v4(v4);
        return WEIR_OK;
    }
    return parse_v6(text, out) ? WEIR_OK : WEIR_SYNTAX;
}

static size_t put_octet(char *out, uint32_t v)
{
    size_t n = 0;
    if (v >= 100)
        out[n++] = (char)('0' + v / 100);
    if (v >= 10)
        out[n++] = (char)('0' + v / 10 % 10);
    out[n++] = (char)('0' + v % 10);
    return n;
}

static size_t format_v4(uint32_t v4, char *out)
{
    size_t n = 0;
    for (unsigned shift = 24;; shift -= 8) {
        n += put_octet(out + n, v4 >> shift & 0xff);
        if (shift == 0)
            break;
        out[n++] = '.';
    }
    out[n] = '\0';
    return n;
}

static size_t put_group(char *out, unsigned v)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (int shift = 12; shift >= 0; shift -= 4)
        if (n > 0 || shift == 0 || v >> shift)
            out[n++] = digits[v >> shift & 15];
    return n;
}

/* The longest run of at least two zero groups, the first of equals. */
static void find_gap(const uint16_t v[GROUPS], int *start, int *length)
{
    *start = -1;
    *length = 1;
    for (int i = 0, run = 0; i < GROUPS; i++) {
        run = v[i] ? 0 : run + 1;
        if (run > *length) {
            *length = run;
            *start = i + 1 - run;
        }
    }
}

size_t ip_format(struct ip a, char out[IP_TEXT_MAX])
{
    if (ip_is_v4(a))
        return format_v4(ip_v4(a), out);
    uint16_t v[GROUPS];
    for (int i = 0; i < GROUPS; i++)
        v[i] = (uint16_t)((i < 4 ? a.hi : a.lo) >> (48 - 16 * (i % 4)));
    int gap, length;
    find_gap(v, &gap, &length);
    size_t n = 0;
    for (int i = 0; i < GROUPS; i++) {
        if (i == gap) {
            out[n++] = ':';
            i += length - 1;
            if (i == GROUPS - 1)
                out[n++] = ':';
            continue;
        }
        if (i > 0)
            out[n++] = ':';
        n += put_group(out + n, v[i]);
    }
    out[n] = '\0';
    return n;
}

static uint64_t keep_high(uint64_t v, unsigned bits)
{
    return bits == 0 ? 0 : bits >= 64 ? v : v & ~(UINT64_MAX >> bits);
}

struct ip ip_network(struct ip a, unsigned bits)
{
    if (ip_is_v4(a))
        bits = 96 + (bits < 32 ? bits : 32);
    return (struct ip){keep_high(a.hi, bits), keep_high(a.lo, bits > 64 ? bits - 64 : 0)};
}

/* 10/8; 100.64/10, 169.254/16, 172.16/12, 192.168/16 and 255.255.255.255 are parts of what is else public. */
const uint8_t ip_reach_of_byte[256] = {
    [0] = IP_SPECIAL, [10] = IP_PRIVATE, [100] = IP_MIXED, [127] = IP_SPECIAL, [169] = IP_MIXED, [172] = IP_MIXED, [192] = IP_MIXED,
    [224] = IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL,
    IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, IP_SPECIAL, [255] = IP_MIXED};

static enum ip_reach reach_v6(struct ip a)
{
    if ((a.hi == 0 && a.lo <= 1) || a.hi >> 56 == 0xff || a.hi >> 54 == 0xfe80 >> 6)
        return IP_SPECIAL;
    return a.hi >> 57 == 0xfc >> 1 ? IP_PRIVATE : IP_PUBLIC;
}

enum ip_reach ip_reach_slow(struct ip a)
{
    if (!ip_is_v4(a))
        return reach_v6(a);
    uint32_t v = ip_v4(a);
    enum ip_reach known = (enum ip_reach)ip_reach_of_byte[v >> 24];
    if (known != IP_MIXED)
        return known;
    if (v >> 16 == 0xa9fe || v == UINT32_MAX)
        return IP_SPECIAL;
    return v >> 20 == 0xac1 || v >> 16 == 0xc0a8 || v >> 22 == 0x6440 >> 6 ? IP_PRIVATE : IP_PUBLIC;
}
