/* SPDX-License-Identifier: Apache-2.0 */
/* source_intake - a stream of lines cut into objects: files in a directory, which is watched like any other. For standard input of a
 * service, which has no end and cannot be read again: what is kept can be counted once, and read again for evidence.
 *
 * An object ends behind a line, when it is large enough or old enough. A first line that begins with no digit is taken for the names of
 * the columns, and stands at the head of each object. What was read before a kill and not yet closed is an object of the next start,
 * up to its last whole line.
 * Bounded: the stream is read only as fast as turns come; one object in work. */
#ifndef WEIR_SOURCE_INTAKE_H
#define WEIR_SOURCE_INTAKE_H

#include "weir/base.h"

struct intake;
struct intake_settings {
    uint64_t bytes;   /* an object is closed from this size on */
    int64_t age_ns;   /* and this long after its first line */
};
/* The directory is made (0700) if it is not there. fd stays the caller's. */
WEIR_MUST_USE enum weir_err intake_open(int fd, const char *dir, const struct intake_settings *settings, struct intake **out, struct fault *fault);
void intake_close(struct intake *in); /* closes the object in work; NULL is fine */
int intake_fd(const struct intake *in); /* -1 behind the end of the stream */
/* Take what the stream has, without waiting. END: it is over, and all of it lies in the directory. USAGE: gzip, which cannot be cut. unix_ns names the objects. */
WEIR_MUST_USE enum weir_err intake_turn(struct intake *in, int64_t now_ns, int64_t unix_ns, struct fault *fault);
int64_t intake_due_ns(const struct intake *in); /* when an object gets old; INT64_MAX: none is in work */
/* Remove the objects that were closed before that time. How many. */
size_t intake_forget(struct intake *in, int64_t before_s);

#endif
