/* SPDX-License-Identifier: Apache-2.0 */
/* A tally: rows of sums by a key, bounded. With more rows than its cap all keys are made coarser by one level, and their sums
 * are added up. The level is the lowest that fits, so what stays is a function of the set of rows, not of their order. */
#ifndef WEIR_APP_TALLY_H
#define WEIR_APP_TALLY_H

#include "weir/base.h"

struct tally_key { /* zeroed before it is filled: it is compared as bytes */
    struct ip host, end;
    uint64_t interface;  /* a stable hash */
    uint32_t flow_log;
    uint16_t role, port, day;
    uint8_t protocol, kind, pad[4];
};
struct tally_row {
    struct tally_key key;
    uint64_t bytes, records, days; /* days: bit per day, modulo 64 */
    int64_t first_s, last_s;       /* first start, last end */
    uint32_t mark;                 /* the owner's; that of the row that was first */
};
struct tally {
    struct tally_row *row; uint32_t rows, cap;
    uint32_t *head, heads;   /* open addressing, index + 1 */
    uint32_t max;
    unsigned level, levels;
    void (*coarsen)(struct tally_key *key, unsigned level); /* to that level */
    uint64_t lost;           /* records of rows beyond max at the last level */
    bool nomem;
};

void tally_init(struct tally *t, uint32_t max, unsigned levels, void (*coarsen)(struct tally_key *key, unsigned level));
void tally_fini(struct tally *t);
void tally_clear(struct tally *t); /* no rows, level 0 */
/* Add a row's sums under its key. Out of memory: nomem is set. Returns its index, or UINT32_MAX. */
uint32_t tally_add(struct tally *t, const struct tally_row *row);
uint32_t tally_find(const struct tally *t, const struct tally_key *key); /* of the present level; index, or UINT32_MAX */
void tally_merge(struct tally *to, const struct tally *from);
void tally_raise(struct tally *t); /* by one level */
void tally_sort(struct tally *t); /* rows by key; nothing may be added after */
int tally_key_compare(const struct tally_key *a, const struct tally_key *b);
/* One flow's record as a row without key. */
struct tally_row tally_row_of(uint64_t bytes, int64_t start_s, int64_t end_s);
/* "1.20 GB in 312 records on 3 days": for people. */
void tally_format(const struct tally_row *row, struct buffer *out);
void tally_join(struct tally_row *to, const struct tally_row *from); /* the sums only */

#endif
