/* The stored bytes of one object, in pieces, hashed once on the way: from a file by pread (a mapped file that is cut short while
 * we read would kill us), or from memory. Can start over; bytes seen before are then not hashed again. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_INPUT_H
#define SOURCE_INPUT_H

#include "source/internal.h"

#define INPUT_PIECE_BYTES (256 * 1024)

struct input {
    struct opened file; /* fd -1: memory, or nothing open */
    const unsigned char *memory;
    unsigned char *piece; /* INPUT_PIECE_BYTES, for files */
    size_t piece_bytes;   /* at most so many in one piece */
    uint64_t size_bytes, at, hashed;
    struct sha256_stream *sha;
};

bool input_init(struct input *in); /* false: out of memory */
void input_fini(struct input *in);
void input_close(struct input *in);
void input_from_file(struct input *in, struct opened file);
void input_from_memory(struct input *in, const void *bytes, size_t n);
/* From the start: a full piece to look at, of which *n bytes count as read. */
enum weir_err input_first(struct input *in, const unsigned char **p, size_t *n, size_t *seen, struct fault *fault);
/* *n = 0 at the end. The piece is good until the next call. */
enum weir_err input_next(struct input *in, const unsigned char **p, size_t *n, struct fault *fault);

#endif
