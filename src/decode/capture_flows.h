/* Packets to records equal to those of a flow log: one direction of one 5-tuple in one minute of packet time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_CAPTURE_FLOWS_H
#define DECODE_CAPTURE_FLOWS_H

#include "decode/packet.h"
#include "decode/reader.h"

#define CAPTURE_WINDOW_S 60
#define CAPTURE_FLOWS_MAX 65536u    /* open at once; when they are more, all are emitted and the table starts anew */
#define CAPTURE_FRAGMENTS_MAX 4096u /* fragmented packets whose ports are remembered, for 30 s */
#define CAPTURE_SEEN_MAX 8192u      /* packets that a later copy is compared with, for 10 ms */

struct capture_flows;
struct capture_flows *capture_flows_new(struct decode_out *out); /* about 10 MiB; NULL: out of memory */
void capture_flows_free(struct capture_flows *f);
void capture_flows_begin(struct capture_flows *f); /* next object */
/* One packet with its number in the object. Its ports are set if it is a fragment whose first part was seen. */
void capture_flows_add(struct capture_flows *f, struct packet *p, int64_t time_ns, uint64_t number);
void capture_flows_end(struct capture_flows *f); /* emit what is open */

#endif
