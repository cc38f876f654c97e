/* SPDX-License-Identifier: Apache-2.0 */
/* Peers of one raised host, with the places (object, lines) of their bytes, in bounded memory: when a table is full, the lighter half of its
 * peers is dropped and only summed. What was dropped is remembered by a hash of the address, so a peer that comes again is as heavy as all
 * it ever had: a flood of millions of peers cannot push out the one that matters. What stays is a function of the sequence of hits.
 * Weights as in a count-min sketch (Cormode and Muthukrishnan, 2005), number of peers as in HyperLogLog (Flajolet et al., 2007). */
#ifndef WEIR_APP_EVIDENCE_PEERS_H
#define WEIR_APP_EVIDENCE_PEERS_H

#include "weir/base.h"

#define PEER_PORTS 4
#define CHUNK_LINES 14

struct hit { /* one record that a raised part counts */
    struct ip peer;
    uint64_t group, bytes, packets, line;
    int64_t start_s, end_s;
    uint16_t port;
    uint8_t protocol;
    bool out, initiated;
};

struct line_chunk {
    struct line_chunk *next;
    uint32_t line[CHUNK_LINES];
};

struct place { /* lines of one object */
    struct place *next;
    struct line_chunk *chunk, *last_chunk; /* from the third record on */
    uint64_t first_line, last_line, records, bytes;
    uint32_t object, lines; /* lines: in the chunks */
    bool unlisted;          /* too many to list */
};

struct peer {
    struct ip address;
    struct { uint64_t bytes; uint16_t port; uint8_t protocol; bool initiated; } port[PEER_PORTS];
    uint64_t bytes, packets, records, bytes_in; /* bytes: those that have a place */
    int64_t first_s, last_s;
    uint64_t group, group_bytes; /* of its largest record */
    struct place *place, *last_place;
    uint32_t places;
    uint8_t hour; /* of its largest record */
};

struct peers_pool { /* memory of all tables of a search, and their caps */
    struct arena *arena;
    struct place *place;      /* free ones */
    struct line_chunk *chunk;
    uint32_t max_peers, max_places, max_lines; /* of one table */
};
struct peers { /* zeroed is empty */
    struct peer *peer; uint32_t n, cap;
    uint32_t *head, heads; /* open addressing, index + 1 */
    uint32_t places, lines;
    uint64_t bytes;     /* of all hits */
    struct shed *shed;  /* NULL until something was dropped */
};

/* tables: how many hosts share the memory. False: out of memory. */
WEIR_MUST_USE bool peers_pool_init(struct peers_pool *pool, size_t tables);
void peers_pool_fini(struct peers_pool *pool); /* free the tables first */
WEIR_MUST_USE bool peers_add(struct peers *t, struct peers_pool *pool, const struct hit *h, uint32_t object);
/* Move all of from, which has one object only, into t; from is empty then. */
WEIR_MUST_USE bool peers_join(struct peers *t, struct peers *from, struct peers_pool *pool);
void peers_clear(struct peers *t, struct peers_pool *pool); /* empty, memory given back */
void peers_sort(struct peers *t); /* largest first; only peers_count and peers_clear after it */
/* How many sent-to peers there were: exact until something was dropped, then within a few per cent. */
uint64_t peers_count(const struct peers *t);
/* The service port that carried most. */
size_t peer_main_port(const struct peer *p);

#endif
