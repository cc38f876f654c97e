/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a window: interfaces, rows (one host-day behind one interface), cells (one group of a row), and the
 * pool of further hours of a cell. Plain arrays with 32-bit indexes.
 *
 *   interface --< row --< cell (last hour inline) --< pool block of earlier hours
 *
 * All are found through open slots of 32 bits that hold an index and four bits of the hash, so that as a rule only the
 * right one is touched, and none where there is none.
 * Sizes on a 64-bit machine: interface 32 B and its text, row 64 B, cell 40 B, hour 8 B; plus 5 to 11 B of slots each. */
#ifndef WEIR_WINDOW_TABLE_H
#define WEIR_WINDOW_TABLE_H

#include "weir/window.h"

#define NIL UINT32_MAX
#define ORDER_AHEAD 16
#define DAYS_MAX 400 /* open days in one window: a year of backlog */

struct interface {
    uint64_t hash; /* keyed, of account, id and flow log: equal hashes are taken for equal names (one error in 2^24 fleets of a million) */
    uint32_t account, id, flow_log, vpc; /* offsets into text */
    uint32_t last_row; /* records come grouped */
    uint16_t round;    /* of the reuse that last_row, forwards_day and what is learned belong to */
    uint16_t forwards_day; /* the last day marked as that of a forwarder; 0: none */
};

/* A row that proves its host (records charged to it directly), one seen behind another address, one of two ends of which either may be the
 * host, and the interface itself (gaps). */
enum row_kind { ROW_HOME, ROW_VIA, ROW_PENDING, ROW_INTERFACE };

struct row { /* one cache line */
    struct ip host;
    uint64_t host_id; /* stable hash of account, interface id and host */
    uint64_t sent;    /* bytes out in all cells but those of the policy, saturating: most hosts need no look at their cells */
    uint32_t interface, head, in_cell;
    uint32_t kept[2];  /* small and big groups kept */
    uint32_t cells;    /* made so far, also those folded since */
    uint8_t level[2];  /* sampling level of each */
    uint16_t day;      /* days since 1970 */
    uint8_t kind;      /* enum row_kind */
    bool hashed;       /* its cells are in the slots; in the sums of one object only those of long rows are */
    bool broken;       /* it has a cell of the policy or of what packets show */
};

/* One hour: hour of day (5 bits) | active ten-minute ticks (6) | bytes out (53, saturating). */
typedef uint64_t hour_t;
#define HOUR_BYTES_MAX ((1ULL << 53) - 1)
static inline unsigned hour_of(hour_t h) { return (unsigned)(h >> 59); }
static inline unsigned hour_ticks(hour_t h) { return (unsigned)(h >> 53 & 63); }
static inline uint64_t hour_bytes(hour_t h) { return h & HOUR_BYTES_MAX; }
static inline hour_t hour_make(unsigned hour, unsigned ticks, uint64_t bytes)
{
    return (uint64_t)hour << 59 | (uint64_t)ticks << 53 | (bytes < HOUR_BYTES_MAX ? bytes : HOUR_BYTES_MAX);
}
static inline hour_t hour_sum(hour_t a, hour_t b) /* of the same hour */
{
    uint64_t bytes = hour_bytes(a) + hour_bytes(b);
    return ((a | b) & ~HOUR_BYTES_MAX) | (bytes < HOUR_BYTES_MAX ? bytes : HOUR_BYTES_MAX);
}
#define HOUR_NONE ((hour_t)0) /* as hour 0 with nothing in it: adding to it is the same */

struct cell {
    uint64_t group, bytes_in;
    hour_t last;     /* the latest hour */
    uint32_t row, row_next;
    uint32_t more;   /* pool block of earlier hours, in any order, or NIL */
};

struct slots { uint32_t *slot; uint32_t mask, used; }; /* mask is size - 1; used: not empty */
#define INDEX_MAX (1u << 28) /* what a slot can name */
#define SLOT_INDEX (INDEX_MAX - 1)
#define SLOT_EMPTY UINT32_MAX
#define SLOT_GONE (UINT32_MAX - 1) /* of what was taken out: the search goes on behind it */
static inline uint32_t slot_tag(uint64_t hash) { return (uint32_t)(hash >> 32) & ~SLOT_INDEX; }
static inline uint32_t slots_first(const struct slots *s, uint64_t hash) { return (uint32_t)hash & s->mask; }
static inline void slots_prefetch(const struct slots *s, uint64_t hash)
{
    if (s->slot)
        __builtin_prefetch(&s->slot[slots_first(s, hash)]);
}
/* The next that may have this hash, or NIL; *at goes on from slots_first. */
static inline uint32_t slots_next(const struct slots *s, uint64_t hash, uint32_t *at)
{
    uint32_t slot;
    while (s->slot && (slot = s->slot[*at]) != SLOT_EMPTY) {
        *at = (*at + 1) & s->mask;
        if ((slot & ~SLOT_INDEX) == slot_tag(hash) && slot != SLOT_GONE)
            return slot & SLOT_INDEX;
    }
    return NIL;
}
static inline uint32_t slots_guess(const struct slots *s, uint64_t hash)
{
    uint32_t at = slots_first(s, hash);
    return slots_next(s, hash, &at);
}
/* Full at three quarters, what was taken out included. */
static inline bool slots_full(const struct slots *s) { return !s->slot || s->used >= s->mask / 4 * 3; }
bool slots_resize(struct slots *s); /* twice the size, and empty */
void slots_clear(struct slots *s);
void slots_put(struct slots *s, uint64_t hash, uint32_t k); /* not full */
void slots_remove(struct slots *s, uint64_t hash, uint32_t k);

struct window {
    struct window_limits limits;
    bool learns;
    uint64_t seed; /* of the hashes; also tells this window from any other */
    uint32_t *to; uint32_t to_cap; uint64_t to_seed; /* interface numbers in the window merged into last */
    struct interface *interface; uint32_t interfaces, interfaces_cap; struct slots interface_slots;
    struct flow_own (*own)[2]; uint32_t own_cap;
    struct row *row; uint32_t rows, rows_cap; struct slots row_slots;
    struct cell *cell; uint32_t cells, cells_cap; struct slots cell_slots;
    uint32_t free_cell, cells_free;
    hour_t *pool; uint32_t pool_n, pool_cap, free_block[7];
    char *text; uint32_t text_n, text_cap;
    uint16_t round; /* counts reuses */
    uint32_t rows_free; /* dropped rows, not reused until reset */
    uint32_t last_account, last_flow_log, last_vpc;
    uint64_t account_hash, flow_log_hash; /* of the last ones, or 0 */
    uint32_t name_seen[64];               /* text of accounts, flow logs and VPCs by hash, the last that came */
    struct { uint16_t day; uint8_t dirty[WINDOW_BUCKETS / 8]; } day[DAYS_MAX];
    uint32_t days;
    struct order {
        uint16_t day;
        uint32_t rows_seen, cells_seen, n, start[WINDOW_BUCKETS + 1], *row;
        uint32_t *cell, *cell_start; /* cells of the i-th row of the order: cell[cell_start[i]] to before cell[cell_start[i + 1]] */
    } order;
    bool nomem; /* something was lost for lack of memory: the next merge says so */
    struct window_stats stats;
};

/* The rows of a day by (host_id, kind, interface), start[b] being the first of bucket b. Kept until rows are added. */
WEIR_MUST_USE enum weir_err window_order(struct window *w, uint16_t day);
void order_free(struct window *w);
/* Rows in order lie anywhere: bring near the one some places behind i. */
static inline void order_prefetch(const struct window *w, uint32_t i)
{
    const struct order *o = &w->order;
    if (i + ORDER_AHEAD < o->n)
        __builtin_prefetch(&w->row[o->row[i + ORDER_AHEAD]]);
}
/* A cell under its group, and whose flow log's it is where that counts. (Rows are put in order by the same means: order.c.) */
struct ref { uint64_t group; uint32_t flow_log, cell; };
void refs_sort(struct ref *ref, struct ref *spare, size_t n); /* by group, then flow log; spare has room for n */

/* Rows of a day that are certainly of their host, by address, for forwarders: see forwarder.c. */
struct homes { uint32_t *head, mask, *next; }; /* chains of places in the order */
WEIR_MUST_USE enum weir_err homes_open(const struct window *w, struct homes *out);
void homes_close(struct homes *h);
/* Place of a home row with this address, or NIL. */
uint32_t homes_find(const struct window *w, const struct homes *h, struct ip host);
bool forwarder_possible(const struct host_day *day); /* cheap: by its own sums */
bool forwarded_enough(uint64_t outside, uint64_t inside);
/* Add up what a row (its place in the order) sent outside, and at least what it got from inside. */
void row_forwarded(const struct window *w, uint32_t at, uint64_t *outside, uint64_t *inside);
bool forwarder_suspected(const struct window *w, const struct homes *h, const struct host_day *day);

/* What is at hand without a search: the row that the interface used last, and a cell of a row that is not hashed; or NIL. */
static inline bool row_is(const struct row *r, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    return r->interface == interface && r->day == day && r->kind == kind && ip_eq(r->host, host);
}
static inline uint32_t row_near(const struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind)
{
    uint32_t k = w->interface[interface].last_row; /* of before a flush: as good as none */
    return k < w->rows && row_is(&w->row[k], interface, host, day, kind) ? k : NIL;
}
static inline uint32_t cell_near(const struct window *w, uint32_t row, uint64_t group)
{
    uint32_t k = w->row[row].hashed ? NIL : w->row[row].head;
    while (k != NIL && w->cell[k].group != group)
        k = w->cell[k].row_next;
    return k;
}
uint32_t row_find(struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind); /* or NIL */
/* Find or make; NIL at a limit or out of memory. */
uint32_t row_get(struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind);
uint32_t cell_find(const struct window *w, uint32_t row, uint64_t group); /* or NIL */
/* The cell that sums this group in this row: its own, or that of the rest once it is sampled out. */
uint32_t cell_get(struct window *w, uint32_t row, uint64_t group);
void cell_add_other_hour(struct window *w, uint32_t cell, hour_t h);
static inline void cell_add_hour(struct window *w, uint32_t cell, hour_t h)
{
    struct cell *c = &w->cell[cell];
    if (WEIR_LIKELY(hour_of(c->last) == hour_of(h)))
        c->last = hour_sum(c->last, h);
    else
        cell_add_other_hour(w, cell, h);
}
/* Raise the sampling level of small (0) or big (1) groups of a row and fold what no longer stays. */
void row_raise_level(struct window *w, uint32_t row, unsigned big, uint8_t level);
void sums_reset(struct window *w);
uint32_t interface_get(struct window *w, const struct interface_name *name, uint64_t hash);
/* Bring near what interface_get, row_get, cell_get and cell_add_hour will touch; in steps, for many at a time. */
void interface_prefetch(const struct window *w, uint64_t hash);
void row_prefetch_slot(const struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind);
void row_prefetch(const struct window *w, uint32_t interface, struct ip host, uint16_t day, enum row_kind kind);
uint64_t cell_prefetch_slot(const struct window *w, uint32_t row, uint64_t group); /* returns the hash */
/* Storage: arrays double, hashes are made anew at twice the size. */
#define FIRST_CAP 64u
bool grow(void *array_pointer, uint32_t *cap, uint32_t need, size_t size);
/* Keyed by the window's random seed: nobody can choose addresses that collide. Folded product, as in wyhash. */
static inline uint64_t mix(const struct window *w, uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)(a ^ w->seed) * (b ^ (w->seed << 32 | w->seed >> 32) ^ 0x9e3779b97f4a7c15ULL);
    return (uint64_t)(m >> 64) ^ (uint64_t)m;
}

bool row_move_cells(struct window *w, uint32_t from, uint32_t to);
/* All hours of a cell, inline and pooled, into out[24]; returns how many. */
size_t cell_hours(const struct window *w, const struct cell *c, hour_t out[24]);
uint32_t day_slot(struct window *w, uint16_t day); /* NIL when there are too many */
void day_mark(struct window *w, uint16_t day, uint64_t host_id);
struct slice text_at(const struct window *w, uint32_t offset);

static inline bool group_counts(uint64_t g) { return group_kind(g) < GROUP_REST; } /* is subject to sampling */
static inline unsigned group_is_big(uint64_t g) { return (g & GROUP_BIG) != 0; }
static inline uint8_t group_level(uint64_t g) { uint64_t h = stable_mix(group_plain(g)); return (uint8_t)(h ? __builtin_clzll(h) : 64); }
/* Cells of an interface's own row: its gaps, and the mark of a proven forwarder. */
#define GAP_CELL ((uint64_t)GROUP_GAP << 60)
#define FORWARDS_CELL (GAP_CELL | 1)
static inline uint64_t group_rest(uint64_t g) { return (uint64_t)GROUP_REST << 60 | (group_external(g) ? 0 : 1); }

#endif
