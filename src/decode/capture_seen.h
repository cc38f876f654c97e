/* What packets show beside sums, kept with the flows of a capture until they are emitted: names asked for, names told, old or open
 * protocols, payload of echoes. All of it bounded: when a pool is nearly full, the flow table is emitted and all pools start anew. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_CAPTURE_SEEN_H
#define DECODE_CAPTURE_SEEN_H

#include "decode/packet.h"

#define SEEN_FLOWS_MAX 16384u
#define SEEN_DNS_MAX 16384u      /* sums of parents */
#define SEEN_ANSWERS_MAX 16384u
#define SEEN_TEXT_MAX (2u << 20) /* of names */
#define SEEN_NAMES_MAX 65536u    /* distinct names of an hour */
#define SEEN_TALKS_MAX 16384u    /* connections whose protocol is remembered */
#define DNS_LEFT_LEAST 12u       /* shorter names carry nothing worth a sum */

struct capture_seen;
struct capture_seen *capture_seen_new(void); /* about 6 MiB; NULL: out of memory */
void capture_seen_free(struct capture_seen *s);
void capture_seen_begin(struct capture_seen *s); /* next object */
void capture_seen_clear(struct capture_seen *s); /* the flows were emitted */
bool capture_seen_full(const struct capture_seen *s);
/* One packet of a flow; *flow is 0 until something was seen of it. True: names of the hour had to be forgotten. */
bool capture_seen_add(struct capture_seen *s, uint32_t *flow, const struct packet *p, uint32_t minute);
/* What was seen of a flow, until the next call; NULL: nothing. ends: addresses, ports and protocol of the flow. */
const struct record_seen *capture_seen_of(struct capture_seen *s, uint32_t flow, const struct packet *ends, uint32_t minute);

#endif
