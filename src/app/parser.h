/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers: processes in which the bytes of objects are read and summed, and which can do nothing else (sandbox.h). For a service, which
 * lives long and holds what a job does not: the connection to the store and the secrets of the sinks.
 *
 *   run --- path, open file ---> parser: source, decode, flow, window of one object --- told: sums, counters, entry ---> run
 *
 * What a parser tells is taken for hostile: it is copied, checked as a whole, and merged only then. One that dies or is silent for too
 * long is replaced; its object was not counted and is told as lost. Order and number of parsers leave no trace, as with threads.
 * Evidence is read by the run itself: of objects that a parser has read whole, found again by their hash. */
#ifndef WEIR_APP_PARSER_H
#define WEIR_APP_PARSER_H

#include "app/run.h"

#define PARSER_PATIENCE_NS INT64_C(5000000000) /* of computing, and a second more for each MiB of the object */
#define PARSER_SLOW_MACHINE 12 /* so many times as long by the clock on the wall */

struct parsers;
/* Starts n processes; run has its context and its state, and outlives them. UNSUPPORTED where the kernel has no such walls. */
WEIR_MUST_USE enum weir_err parsers_open(struct run *run, unsigned n, struct parsers **out, struct fault *fault);
void parsers_close(struct parsers *p); /* ends them; NULL is fine */
/* As workers_count. Lost objects are marked in the feed. */
WEIR_MUST_USE enum weir_err parsers_count(struct run *run, size_t first, size_t end, struct fault *fault);

/* ---- parser_child.c: the other side ---- */
struct parser_order { /* the message that carries the open file; the path follows, without a NUL */
    int64_t future_s;
    uint64_t size_bytes;
    uint64_t pass_over; /* records of an object that grows (growth.h) */
    uint16_t closed_through;
};
struct parser_answer { /* a message: so many bytes stand in the shared memory */
    uint64_t bytes;
    uint32_t err; /* enum weir_err; then nothing was told but counters */
};
/* Never returns. memory: shared with the run, grown as needed. */
_Noreturn void parser_work(struct run *run, int socket, int memory);

/* ---- parser_told.c: what is told, and what becomes of it ---- */
enum weir_err parser_tell(struct run *run, const struct coverage_object *covers, struct decode_growth growth); /* run.tell */
void parser_tell_counts(struct run *run, struct buffer *out);
/* Object index of the list was told like this, without so many records. CORRUPT: nothing of it was taken. EXISTS: nor was it, since of an object that
 * grows other records were counted meanwhile: so many are to be passed over. */
enum weir_err parser_take(struct run *run, size_t index, struct slice told, bool counted, uint64_t *pass_over, struct window *scratch);

#endif
