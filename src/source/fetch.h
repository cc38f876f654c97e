/* Objects behind s3:// on their way into temporary files, by a few threads: what somebody waits for first, then what was said to be opened
 * soon. A file of up to FETCH_MEMORY_BYTES is memory (memfd), a larger one lies on disk; both are read while they grow.
 *
 *   WANTED  opened, and no thread has begun       -> GOING
 *   GOING   a thread writes                       -> WHOLE, FAILED
 *   WHOLE   all bytes are there
 *   FAILED  they will not come; fault tells why */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_FETCH_H
#define SOURCE_FETCH_H

#include <weir/source.h>

#define FETCH_MEMORY_BYTES (4u << 20)

struct fetched;
/* That object, on its way at once if it is not yet. NOTFOUND and the like are told by reading. */
WEIR_MUST_USE enum weir_err fetch_open(const struct object *o, struct fetched **out, struct fault *fault);
void fetch_close(struct fetched *f);
/* Bytes from an offset on, waiting for so many at the least, or the last; *n = 0 at the end. UNAVAILABLE, INTERRUPTED: the object may be there later; else it is not to
 * be had as it was listed. */
WEIR_MUST_USE enum weir_err fetch_read(struct fetched *f, uint64_t at, size_t least, void *out, size_t cap, size_t *n, struct fault *fault);
/* Wait for all of it; *fd is of the caller. */
WEIR_MUST_USE enum weir_err fetch_whole(struct fetched *f, int *fd, struct fault *fault);
void fetch_end(void);

static inline bool fetch_is_away(enum weir_err err) { return err == WEIR_UNAVAILABLE || err == WEIR_INTERRUPTED || err == WEIR_UNSUPPORTED || err == WEIR_NOMEM; }

#endif
