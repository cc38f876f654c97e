/* SPDX-License-Identifier: Apache-2.0 */
/* See evidence_peers.h. No malloc per hit: places and lines come from free lists, tables double. */
#include "app/evidence_peers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_TOTAL 32768u
#define PEERS_LEAST 256u
#define PEERS_MOST 8192u
#define PLACES_TOTAL 262144u
#define PLACES_LEAST 4096u
#define PLACES_MOST 131072u
#define PLACE_LINES 4096u /* more: the place names its first and last line only */
#define LINES_TOTAL 1048576u
#define LINES_LEAST 4096u
#define LINES_MOST 65536u
#define ALWAYS_KEPT 64u /* peers that a lack of places does not drop: more than a finding lists */
#define SHED_SLOTS 4096u
#define SHED_BITS 12

struct shed { /* what was dropped, by hash of the address */
    uint64_t bytes[SHED_SLOTS];
    uint8_t rank[SHED_SLOTS]; /* HyperLogLog registers */
};

static uint32_t share(uint32_t total, size_t tables, uint32_t least, uint32_t most)
{
    size_t n = total / (tables ? tables : 1);
    return n < least ? least : n > most ? most : (uint32_t)n;
}

bool peers_pool_init(struct peers_pool *pool, size_t tables)
{
    *pool = (struct peers_pool){.arena = arena_new(0),
                                .max_peers = share(PEERS_TOTAL, tables, PEERS_LEAST, PEERS_MOST),
                                .max_places = share(PLACES_TOTAL, tables, PLACES_LEAST, PLACES_MOST),
                                .max_lines = share(LINES_TOTAL, tables, LINES_LEAST, LINES_MOST)};
    return pool->arena != NULL;
}

void peers_pool_fini(struct peers_pool *pool) { arena_free(pool->arena); }

/* ---- places and lines ---- */

static struct place *new_place(struct peers *t, struct peers_pool *pool, struct peer *p, uint32_t object)
{
    struct place *place = pool->place;
    if (place)
        pool->place = place->next;
    else if (!(place = arena_alloc(pool->arena, sizeof *place)))
        return NULL;
    *place = (struct place){.object = object};
    *(p->place ? &p->last_place->next : &p->place) = place;
    p->last_place = place;
    p->places++;
    t->places++;
    return place;
}

static void drop_lines(struct peers *t, struct peers_pool *pool, struct place *place)
{
    if (place->chunk) {
        place->last_chunk->next = pool->chunk;
        pool->chunk = place->chunk;
    }
    place->chunk = place->last_chunk = NULL;
    t->lines -= place->lines;
    place->lines = 0;
}

static void drop_places(struct peers *t, struct peers_pool *pool, struct peer *p)
{
    for (struct place *place = p->place; place; place = place->next)
        drop_lines(t, pool, place);
    if (p->place) {
        p->last_place->next = pool->place;
        pool->place = p->place;
    }
    t->places -= p->places;
}

static bool put_line(struct peers_pool *pool, struct place *place, uint64_t line)
{
    uint32_t at = place->lines % CHUNK_LINES;
    if (!at) {
        struct line_chunk *chunk = pool->chunk;
        if (chunk)
            pool->chunk = chunk->next;
        else if (!(chunk = arena_alloc(pool->arena, sizeof *chunk)))
            return false;
        chunk->next = NULL;
        *(place->chunk ? &place->last_chunk->next : &place->chunk) = chunk;
        place->last_chunk = chunk;
    }
    place->last_chunk->line[at] = (uint32_t)line;
    place->lines++;
    return true;
}

/* One or two lines are the first and the last: most peers of a flood need no list. */
static bool add_line(struct peers *t, struct peers_pool *pool, struct place *place, uint64_t line)
{
    uint32_t before = place->lines;
    bool ok = true;
    place->unlisted |= line > UINT32_MAX || place->lines == PLACE_LINES || t->lines >= pool->max_lines;
    if (!place->unlisted && place->records == 2)
        ok = put_line(pool, place, place->first_line) && put_line(pool, place, place->last_line);
    if (!place->unlisted && place->records >= 2)
        ok = ok && put_line(pool, place, line);
    t->lines += place->lines - before;
    if (place->unlisted)
        drop_lines(t, pool, place);
    place->first_line = place->records ? place->first_line : line;
    place->last_line = line;
    return ok;
}

/* ---- what is dropped ---- */

static uint64_t shed_hash(struct ip a) { return stable_mix(a.lo ^ stable_mix(a.hi)); }

static void shed_rank(uint8_t *rank, struct ip a)
{
    uint64_t h = shed_hash(a), rest = h >> SHED_BITS | 1ULL << (64 - SHED_BITS);
    uint8_t r = (uint8_t)(__builtin_ctzll(rest) + 1), *slot = &rank[h % SHED_SLOTS];
    *slot = r > *slot ? r : *slot;
}

static uint64_t weight(const struct peers *t, const struct peer *p)
{
    return p->bytes ? sat_add(p->bytes, t->shed->bytes[shed_hash(p->address) % SHED_SLOTS]) : 0;
}

/* Eighths of an octave: near enough to tell the heavier half without sorting. */
static unsigned weight_step(uint64_t bytes)
{
    if (bytes < 8)
        return (unsigned)bytes;
    unsigned octave = 63 - (unsigned)__builtin_clzll(bytes);
    return (octave - 2) * 8 + (unsigned)(bytes >> (octave - 3) & 7);
}

static void index_peers(struct peers *t)
{
    memset(t->head, 0, t->heads * sizeof *t->head);
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t at = (uint32_t)hash_u64x2(t->peer[i].address.hi, t->peer[i].address.lo) & (t->heads - 1);
        while (t->head[at])
            at = (at + 1) & (t->heads - 1);
        t->head[at] = i + 1;
    }
}

static void shed_peer(struct peers *t, struct peers_pool *pool, struct peer *p)
{
    uint64_t *slot = &t->shed->bytes[shed_hash(p->address) % SHED_SLOTS];
    *slot = sat_add(*slot, p->bytes);
    if (p->bytes)
        shed_rank(t->shed->rank, p->address);
    drop_places(t, pool, p);
}

/* Drop the lighter half; of those as heavy as the last that stays, the first come stay. */
static bool shed_half(struct peers *t, struct peers_pool *pool)
{
    uint32_t with[64 * 8] = {0}, keep = t->n / 2, kept = 0, n = t->n;
    if (!t->shed && !(t->shed = calloc(1, sizeof *t->shed)))
        return false;
    for (uint32_t i = 0; i < n; i++)
        with[weight_step(weight(t, &t->peer[i]))]++;
    unsigned last = WEIR_COUNT(with) - 1;
    for (; last && with[last] <= keep; last--)
        keep -= with[last];
    for (uint32_t i = 0; i < n; i++) {
        struct peer *p = &t->peer[i];
        unsigned step = weight_step(weight(t, p));
        if (step > last || (step == last && keep && keep--))
            t->peer[kept++] = *p;
        else
            shed_peer(t, pool, p);
    }
    t->n = kept;
    index_peers(t);
    return true;
}

/* ---- the table ---- */

static bool grow(struct peers *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : 64;
    struct peer *peer = realloc(t->peer, cap * sizeof *peer);
    if (peer)
        t->peer = peer;
    uint32_t *head = calloc((size_t)cap * 2, sizeof *head);
    if (!peer || !head) {
        free(head);
        return false;
    }
    free(t->head);
    t->head = head;
    t->heads = cap * 2;
    t->cap = cap;
    index_peers(t);
    return true;
}

/* The slot of an address in t->head: its own, or the empty one where it belongs. */
static uint32_t *slot_of(struct peers *t, struct ip address)
{
    uint32_t at = (uint32_t)hash_u64x2(address.hi, address.lo) & (t->heads - 1);
    while (t->head[at] && !ip_eq(t->peer[t->head[at] - 1].address, address))
        at = (at + 1) & (t->heads - 1);
    return &t->head[at];
}

/* NULL: out of memory. */
static struct peer *peer_of(struct peers *t, struct peers_pool *pool, struct ip address)
{
    if (t->places >= pool->max_places && t->n > ALWAYS_KEPT && !shed_half(t, pool))
        return NULL;
    if (t->heads) {
        uint32_t *slot = slot_of(t, address);
        if (*slot)
            return &t->peer[*slot - 1];
    }
    if (t->n >= pool->max_peers ? !shed_half(t, pool) : t->n == t->cap && !grow(t))
        return NULL;
    uint32_t *slot = slot_of(t, address);
    t->peer[t->n] = (struct peer){.address = address};
    *slot = ++t->n;
    return &t->peer[t->n - 1];
}

/* Space-saving: a port that carried more than a quarter is among those kept. */
static void count_port(struct peer *p, uint64_t bytes, uint16_t port, uint8_t protocol, bool initiated)
{
    size_t least = 0;
    for (size_t i = 0; i < PEER_PORTS; i++) {
        if (p->port[i].bytes && p->port[i].port == port && p->port[i].protocol == protocol && p->port[i].initiated == initiated) {
            least = i;
            break;
        }
        least = p->port[i].bytes < p->port[least].bytes ? i : least;
    }
    p->port[least].port = port;
    p->port[least].protocol = protocol;
    p->port[least].initiated = initiated;
    p->port[least].bytes = sat_add(p->port[least].bytes, bytes);
}

static void note_times(struct peer *p, int64_t first_s, int64_t last_s)
{
    p->first_s = p->records && p->first_s < first_s ? p->first_s : first_s;
    p->last_s = p->records && p->last_s > last_s ? p->last_s : last_s;
}

static void note_largest(struct peer *p, uint64_t bytes, uint64_t group, uint8_t hour)
{
    if (bytes <= p->group_bytes)
        return;
    p->group_bytes = bytes;
    p->group = group;
    p->hour = hour;
}

static bool out_of_places(const struct peers *t, const struct peers_pool *pool, const struct peer *p, uint32_t object)
{
    return t->places >= pool->max_places && !(p->place && p->last_place->object == object);
}

bool peers_add(struct peers *t, struct peers_pool *pool, const struct hit *h, uint32_t object)
{
    struct peer *p = peer_of(t, pool, h->peer);
    if (!p)
        return false;
    if (!h->out) {
        p->bytes_in = sat_add(p->bytes_in, h->bytes);
        return true;
    }
    t->bytes = sat_add(t->bytes, h->bytes);
    if (out_of_places(t, pool, p, object))
        return true; /* summed without a place */
    struct place *place = p->place && p->last_place->object == object ? p->last_place : new_place(t, pool, p, object);
    if (!place || !add_line(t, pool, place, h->line))
        return false;
    place->records++;
    place->bytes = sat_add(place->bytes, h->bytes);
    note_times(p, h->start_s, h->end_s);
    p->bytes = sat_add(p->bytes, h->bytes);
    p->packets = sat_add(p->packets, h->packets);
    p->records++;
    note_largest(p, h->bytes, h->group, (uint8_t)(h->start_s % DAY_S / HOUR_S));
    count_port(p, h->bytes, h->port, h->protocol, h->initiated);
    return true;
}

/* ---- one object into the day ---- */

static void move_place(struct peers *t, struct peers *from, struct peer *to, struct peer *p)
{
    *(to->place ? &to->last_place->next : &to->place) = p->place;
    to->last_place = p->last_place;
    to->places += p->places;
    t->places += p->places;
    t->lines += p->place->lines;
    from->places -= p->places;
    from->lines -= p->place->lines;
    p->place = p->last_place = NULL;
    p->places = 0;
}

static bool join_peer(struct peers *t, struct peers *from, struct peers_pool *pool, struct peer *p)
{
    struct peer *to = peer_of(t, pool, p->address);
    if (!to)
        return false;
    to->bytes_in = sat_add(to->bytes_in, p->bytes_in);
    if (!p->place || t->places >= pool->max_places)
        return true;
    if (t->lines + p->place->lines > pool->max_lines) {
        p->place->unlisted = true;
        drop_lines(from, pool, p->place);
    }
    move_place(t, from, to, p);
    note_times(to, p->first_s, p->last_s);
    to->bytes = sat_add(to->bytes, p->bytes);
    to->packets = sat_add(to->packets, p->packets);
    to->records += p->records;
    note_largest(to, p->group_bytes, p->group, p->hour);
    for (size_t i = 0; i < PEER_PORTS && p->port[i].bytes; i++)
        count_port(to, p->port[i].bytes, p->port[i].port, p->port[i].protocol, p->port[i].initiated);
    return true;
}

static bool join_shed(struct peers *t, const struct shed *from)
{
    if (!from)
        return true;
    if (!t->shed && !(t->shed = calloc(1, sizeof *t->shed)))
        return false;
    for (size_t i = 0; i < SHED_SLOTS; i++) {
        t->shed->bytes[i] = sat_add(t->shed->bytes[i], from->bytes[i]);
        t->shed->rank[i] = from->rank[i] > t->shed->rank[i] ? from->rank[i] : t->shed->rank[i];
    }
    return true;
}

bool peers_join(struct peers *t, struct peers *from, struct peers_pool *pool)
{
    bool ok = join_shed(t, from->shed);
    t->bytes = sat_add(t->bytes, from->bytes);
    for (uint32_t i = 0; i < from->n && ok; i++)
        ok = join_peer(t, from, pool, &from->peer[i]);
    peers_clear(from, pool);
    return ok;
}

void peers_clear(struct peers *t, struct peers_pool *pool)
{
    for (uint32_t i = 0; i < t->n; i++)
        drop_places(t, pool, &t->peer[i]);
    free(t->peer);
    free(t->head);
    free(t->shed);
    *t = (struct peers){.peer = NULL};
}

/* ---- results ---- */

static int larger(const void *a, const void *b)
{
    const struct peer *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return ip_cmp(x->address, y->address);
}

void peers_sort(struct peers *t)
{
    if (t->n)
        qsort(t->peer, t->n, sizeof *t->peer, larger);
}

/* E = alpha m^2 / sum 2^-rank; below 2.5 m the number of empty registers tells more: m ln(m / empty). */
static uint64_t estimate(const uint8_t rank[SHED_SLOTS])
{
    const double m = SHED_SLOTS, alpha = 0.7213 / (1 + 1.079 / m);
    double sum = 0;
    unsigned empty = 0;
    for (size_t i = 0; i < SHED_SLOTS; i++) {
        sum += ldexp(1, -rank[i]);
        empty += rank[i] == 0;
    }
    double e = alpha * m * m / sum;
    return (uint64_t)(e <= 2.5 * m && empty ? m * log(m / empty) : e);
}

uint64_t peers_count(const struct peers *t)
{
    uint8_t rank[SHED_SLOTS];
    uint64_t n = 0;
    if (t->shed)
        memcpy(rank, t->shed->rank, sizeof rank);
    for (uint32_t i = 0; i < t->n; i++) {
        n += t->peer[i].bytes > 0;
        if (t->shed && t->peer[i].bytes)
            shed_rank(rank, t->peer[i].address);
    }
    uint64_t dropped = t->shed ? estimate(rank) : 0;
    return dropped > n ? dropped : n;
}

size_t peer_main_port(const struct peer *p)
{
    size_t best = 0;
    for (size_t i = 1; i < PEER_PORTS; i++)
        if (p->port[i].bytes > p->port[best].bytes)
            best = i;
    return best;
}
