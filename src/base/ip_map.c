/* Address ranges to numbers. Ranges are collected, then laid out as a partition: sorted starts, each with the value that holds
 * until the next start. IPv4 has a table by the upper 16 bits before it, so that a question costs two or three cache
 * misses; IPv6, which is asked less, is a plain binary search. Where ranges nest, the narrowest speaks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 1 << 16, FIRST_CAP = 64 };

struct given {
    struct ip first, last;
    uint32_t value;
};

struct start4 { uint32_t first, value; };
struct start6 { struct ip first; uint32_t value; };

struct ip_map {
    struct given *given; /* until sealed */
    size_t n, cap, max;
    struct start4 *v4; size_t v4_n;
    struct start6 *v6; size_t v6_n;
    uint32_t *top; /* TOP + 1: how many starts of v4 lie below that /16 */
    bool sealed;
};

struct ip_map *ip_map_new(size_t max_ranges)
{
    struct ip_map *m = calloc(1, sizeof *m);
    if (m)
        m->max = max_ranges;
    return m;
}

void ip_map_free(struct ip_map *m)
{
    if (!m)
        return;
    free(m->given);
    free(m->v4);
    free(m->v6);
    free(m->top);
    free(m);
}

enum weir_err ip_map_add(struct ip_map *m, struct ip first, struct ip last, uint32_t value)
{
    assert(!m->sealed);
    if (ip_is_v4(first) != ip_is_v4(last) || ip_cmp(first, last) > 0)
        return WEIR_RANGE;
    if (m->n == m->max)
        return WEIR_LIMIT;
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : FIRST_CAP;
        struct given *given = realloc(m->given, cap * sizeof *given);
        if (!given)
            return WEIR_NOMEM;
        m->given = given;
        m->cap = cap;
    }
    m->given[m->n++] = (struct given){first, last, value};
    return WEIR_OK;
}

size_t ip_map_count(const struct ip_map *m) { return m->n; }

/* By family and start; of equal starts the widest first, so that what lies inside comes after what holds it. */
static int by_start(const void *a, const void *b)
{
    const struct given *x = a, *y = b;
    int family = ip_is_v4(y->first) - ip_is_v4(x->first);
    int order = family ? family : ip_cmp(x->first, y->first);
    order = order ? order : ip_cmp(y->last, x->last);
    return order ? order : (x->value > y->value) - (x->value < y->value);
}

/* From here on value; a start that changes nothing is none. */
static void put4(struct ip_map *m, uint32_t first, uint32_t value)
{
    if (m->v4_n && m->v4[m->v4_n - 1].first == first)
        m->v4_n--;
    if ((m->v4_n ? m->v4[m->v4_n - 1].value : 0) != value)
        m->v4[m->v4_n++] = (struct start4){first, value};
}

static void put6(struct ip_map *m, struct ip first, uint32_t value)
{
    if (m->v6_n && ip_eq(m->v6[m->v6_n - 1].first, first))
        m->v6_n--;
    if ((m->v6_n ? m->v6[m->v6_n - 1].value : 0) != value)
        m->v6[m->v6_n++] = (struct start6){first, value};
}

static void put(struct ip_map *m, struct ip first, uint32_t value)
{
    if (ip_is_v4(first))
        put4(m, ip_v4(first), value);
    else
        put6(m, first, value);
}

/* The range on top of the stack ends: behind it the one below speaks again, up to the end of the family. */
static void end_range(struct ip_map *m, const uint32_t *stack, size_t depth)
{
    const struct given *top = &m->given[stack[depth - 1]];
    uint32_t below = depth > 1 ? m->given[stack[depth - 2]].value : 0;
    bool v4 = ip_is_v4(top->last);
    if (v4 ? ip_v4(top->last) == UINT32_MAX : top->last.hi == UINT64_MAX && top->last.lo == UINT64_MAX)
        return;
    struct ip next = {top->last.hi + (top->last.lo == UINT64_MAX), top->last.lo + 1};
    if (v4)
        put4(m, ip_v4(next), below);
    else
        put6(m, next, below);
}

static enum weir_err lay_out(struct ip_map *m, uint32_t *stack)
{
    size_t depth = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct given *r = &m->given[i];
        for (; depth; depth--) {
            const struct given *top = &m->given[stack[depth - 1]];
            if (ip_is_v4(top->first) == ip_is_v4(r->first) && ip_cmp(top->last, r->first) >= 0)
                break;
            end_range(m, stack, depth);
        }
        if (depth && ip_cmp(r->last, m->given[stack[depth - 1]].last) > 0)
            return WEIR_EXISTS;
        put(m, r->first, r->value);
        stack[depth++] = (uint32_t)i;
    }
    for (; depth; depth--)
        end_range(m, stack, depth);
    return WEIR_OK;
}

static void index_v4(struct ip_map *m)
{
    size_t k = 0;
    for (uint32_t h = 0; h <= TOP; h++) {
        while (k < m->v4_n && m->v4[k].first >> 16 < h)
            k++;
        m->top[h] = (uint32_t)k;
    }
}

enum weir_err ip_map_seal(struct ip_map *m)
{
    assert(!m->sealed && m->n <= UINT32_MAX / 4);
    size_t v4 = 0;
    if (m->n)
        qsort(m->given, m->n, sizeof *m->given, by_start);
    while (v4 < m->n && ip_is_v4(m->given[v4].first))
        v4++;
    uint32_t *stack = malloc((m->n + 1) * sizeof *stack);
    m->v4 = malloc((2 * v4 + 1) * sizeof *m->v4);
    m->v6 = malloc((2 * (m->n - v4) + 1) * sizeof *m->v6);
    m->top = malloc((TOP + 1) * sizeof *m->top);
    enum weir_err err = stack && m->v4 && m->v6 && m->top ? lay_out(m, stack) : WEIR_NOMEM;
    free(stack);
    if (err)
        return err;
    index_v4(m);
    free(m->given);
    m->given = NULL;
    m->sealed = true;
    return WEIR_OK;
}

static uint32_t find4(const struct ip_map *m, uint32_t a)
{
    size_t low = m->top[a >> 16], high = m->top[(a >> 16) + 1];
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->v4[mid].first <= a)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? m->v4[low - 1].value : 0;
}

static uint32_t find6(const struct ip_map *m, struct ip a)
{
    size_t low = 0, high = m->v6_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ip_cmp(m->v6[mid].first, a) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? m->v6[low - 1].value : 0;
}

uint32_t ip_map_find(const struct ip_map *m, struct ip a)
{
    assert(m->sealed);
    return ip_is_v4(a) ? find4(m, ip_v4(a)) : find6(m, a);
}

/* ---- several maps as one ---- */

struct sweep {
    const struct ip_map *const *layer; size_t n;
    size_t at[IP_MAP_LAYERS];
    uint32_t value[IP_MAP_LAYERS];
};

/* The smallest start that is not passed yet, in *first; its values are taken over. False: none is left. */
static bool next4(struct sweep *s, uint32_t *first)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i] < s->layer[i]->v4_n && (!any || s->layer[i]->v4[s->at[i]].first < *first)) {
            *first = s->layer[i]->v4[s->at[i]].first;
            any = true;
        }
    for (size_t i = 0; any && i < s->n; i++)
        if (s->at[i] < s->layer[i]->v4_n && s->layer[i]->v4[s->at[i]].first == *first)
            s->value[i] = s->layer[i]->v4[s->at[i]++].value;
    return any;
}

static bool next6(struct sweep *s, struct ip *first)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i] < s->layer[i]->v6_n && (!any || ip_cmp(s->layer[i]->v6[s->at[i]].first, *first) < 0)) {
            *first = s->layer[i]->v6[s->at[i]].first;
            any = true;
        }
    for (size_t i = 0; any && i < s->n; i++)
        if (s->at[i] < s->layer[i]->v6_n && ip_eq(s->layer[i]->v6[s->at[i]].first, *first))
            s->value[i] = s->layer[i]->v6[s->at[i]++].value;
    return any;
}

static void sweep_all(struct ip_map *m, struct sweep *s, ip_map_join *join, void *ctx)
{
    uint32_t first4;
    struct ip first6;
    while (next4(s, &first4))
        put4(m, first4, join(ctx, s->value));
    memset(s->at, 0, sizeof s->at);
    memset(s->value, 0, sizeof s->value);
    while (next6(s, &first6))
        put6(m, first6, join(ctx, s->value));
}

struct ip_map *ip_map_overlay(const struct ip_map *const *layer, size_t n, ip_map_join *join, void *ctx)
{
    assert(n <= IP_MAP_LAYERS);
    struct sweep s = {.layer = layer, .n = n};
    struct ip_map *m = ip_map_new(0);
    size_t v4 = 1, v6 = 1;
    for (size_t i = 0; i < n; i++) {
        v4 += layer[i]->v4_n;
        v6 += layer[i]->v6_n;
    }
    if (m) {
        m->v4 = malloc(v4 * sizeof *m->v4);
        m->v6 = malloc(v6 * sizeof *m->v6);
        m->top = malloc((TOP + 1) * sizeof *m->top);
    }
    if (!m || !m->v4 || !m->v6 || !m->top) {
        ip_map_free(m);
        return NULL;
    }
    sweep_all(m, &s, join, ctx);
    index_v4(m);
    m->sealed = true;
    return m;
}
