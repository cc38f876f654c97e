/* SPDX-License-Identifier: Apache-2.0 */
/* See spool.h. By pread and pwrite alone: the place in the file is nobody's state. */
#include "app/spool.h"

#include <errno.h>
#include <unistd.h>

#include "weir/source.h"

void spool_fini(struct spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void spool_clear(struct spool *s)
{
    if (s->bytes && ftruncate(s->fd, 0) != 0)
        spool_fini(s);
    s->bytes = 0;
}

enum weir_err spool_add(struct spool *s, const char *p, size_t n, struct fault *fault)
{
    if (s->fd < 0 && (s->fd = source_temporary()) < 0)
        return fault_set(fault, WEIR_IO, "cannot make a temporary file in $TMPDIR, /var/tmp or /tmp: %m");
    while (n > 0) {
        ssize_t done = pwrite(s->fd, p, n, (off_t)s->bytes);
        if (done < 0 && errno != EINTR)
            return fault_set(fault, WEIR_IO, "cannot write a temporary copy of an object: %m");
        if (done > 0) {
            p += done;
            n -= (size_t)done;
            s->bytes += (uint64_t)done;
        }
    }
    return WEIR_OK;
}

enum weir_err spool_read(const struct spool *s, uint64_t at, void *out, size_t n, struct fault *fault)
{
    char *to = out;
    while (n > 0) {
        ssize_t done = pread(s->fd, to, n, (off_t)at);
        if (done == 0)
            errno = EIO; /* shorter than what was written */
        if (done == 0 || (done < 0 && errno != EINTR))
            return fault_set(fault, WEIR_IO, "cannot read back a temporary copy of an object: %m");
        if (done > 0) {
            to += done;
            at += (uint64_t)done;
            n -= (size_t)done;
        }
    }
    return WEIR_OK;
}
