/* A set of networks as sorted ranges that do not touch, asked by binary search: 18 steps for the 250,000 networks
 * that it may hold. The families are kept apart, because IPv4 lives inside the number space of ::/0 and must not be
 * meant by it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORKS_MAX = 250000, FIRST_RANGES = 16, QUOTE_MAX = 64 };

struct range {
    struct ip first, last;
};

struct range_list {
    struct range *v;
    size_t n, cap;
};

struct cidr_set {
    struct range_list family[2]; /* IPv4, IPv6 */
    size_t added;
    bool sealed;
};

struct cidr_set *cidr_set_new(void)
{
    return calloc(1, sizeof(struct cidr_set));
}

void cidr_set_free(struct cidr_set *set)
{
    if (!set)
        return;
    free(set->family[0].v);
    free(set->family[1].v);
    free(set);
}

static bool push(struct range_list *list, struct range r)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : FIRST_RANGES;
        struct range *v = realloc(list->v, cap * sizeof *v);
        if (!v)
            return false;
        list->v = v;
        list->cap = cap;
    }
    list->v[list->n++] = r;
    return true;
}

static struct ip last_of(struct ip network, unsigned bits)
{
    if (ip_is_v4(network))
        bits += 96;
    uint64_t hi = bits >= 64 ? 0 : UINT64_MAX >> bits;
    uint64_t lo = bits >= 128 ? 0 : bits <= 64 ? UINT64_MAX : UINT64_MAX >> (bits - 64);
    return (struct ip){network.hi | hi, network.lo | lo};
}

/* "ADDRESS" or "ADDRESS/BITS", where ::ffff:10.0.0.0/104 is 10.0.0.0/8. */
enum weir_err cidr_parse(struct slice text, struct ip *first, struct ip *last)
{
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    struct slice address = {text.p, slash ? (size_t)(slash - text.p) : text.n};
    struct ip ip;
    if (ip_parse(address, &ip))
        return WEIR_SYNTAX;
    bool written_v6 = memchr(address.p, ':', address.n) != NULL;
    uint64_t width = written_v6 ? 128 : 32, bits = width;
    if (slash && parse_u64((struct slice){slash + 1, text.n - address.n - 1}, width, &bits))
        return WEIR_SYNTAX;
    if (written_v6 && ip_is_v4(ip)) {
        if (bits < 96)
            return WEIR_SYNTAX;
        bits -= 96;
    }
    if (!ip_eq(ip, ip_network(ip, (unsigned)bits)))
        return WEIR_RANGE;
    *first = ip;
    *last = last_of(ip, (unsigned)bits);
    return WEIR_OK;
}

enum weir_err cidr_set_add(struct cidr_set *set, struct slice text, struct fault *fault)
{
    struct range r;
    int quoted = (int)(text.n < QUOTE_MAX ? text.n : QUOTE_MAX);
    enum weir_err err = cidr_parse(text, &r.first, &r.last);
    if (err)
        return fault_set(fault, WEIR_SYNTAX, "network '%.*s': %s", quoted, text.p,
                         err == WEIR_RANGE ? "bits are set to the right of the prefix" : "not an address or address/prefix");
    if (set->added == NETWORKS_MAX)
        return fault_set(fault, WEIR_LIMIT, "network '%.*s': more than %d networks", quoted, text.p, NETWORKS_MAX);
    if (!push(&set->family[!ip_is_v4(r.first)], r))
        return fault_set(fault, WEIR_NOMEM, "network '%.*s': out of memory", quoted, text.p);
    set->added++;
    set->sealed = false;
    return WEIR_OK;
}

static int by_first(const void *a, const void *b)
{
    return ip_cmp(((const struct range *)a)->first, ((const struct range *)b)->first);
}

/* Whether b begins inside a or right after its end; a begins no later than b. */
static bool reaches(struct range a, struct range b)
{
    struct ip next = {a.last.hi + (a.last.lo == UINT64_MAX), a.last.lo + 1};
    return ip_cmp(b.first, a.last) <= 0 || ip_eq(b.first, next);
}

static void merge(struct range_list *list)
{
    if (list->n == 0)
        return;
    qsort(list->v, list->n, sizeof *list->v, by_first);
    size_t kept = 1;
    for (size_t i = 1; i < list->n; i++) {
        struct range *last = &list->v[kept - 1], r = list->v[i];
        if (!reaches(*last, r))
            list->v[kept++] = r;
        else if (ip_cmp(r.last, last->last) > 0)
            last->last = r.last;
    }
    list->n = kept;
}

void cidr_set_seal(struct cidr_set *set)
{
    merge(&set->family[0]);
    merge(&set->family[1]);
    set->sealed = true;
}

bool cidr_set_has(const struct cidr_set *set, struct ip a)
{
    assert(set->sealed);
    const struct range_list *list = &set->family[!ip_is_v4(a)];
    size_t low = 0, high = list->n; /* the first range that ends at a or later lies in [low, high] */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (ip_cmp(list->v[mid].last, a) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < list->n && ip_cmp(list->v[low].first, a) <= 0;
}
