/* SPDX-License-Identifier: Apache-2.0 */
/* Files for people: 0600, synced, renamed into place, so that a full disk or a cut never leaves half of one under its name. */
#include "app/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum weir_err os_fault(const char *what, const char *path, struct fault *fault)
{
    int e = errno;
    return fault_set(fault, e == ENOENT ? WEIR_NOTFOUND : e == EEXIST ? WEIR_EXISTS : WEIR_IO, "cannot %s '%.200s': %s", what, path, strerror(e));
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = (struct slice){bytes.p + n, bytes.n - (size_t)n};
    }
    return true;
}

/* Closed whatever happens; errno is that of the first failure. */
static bool fill(int fd, struct slice bytes)
{
    bool ok = write_all(fd, bytes) && fsync(fd) == 0;
    int e = errno;
    ok &= close(fd) == 0 || !ok;
    if (!ok && e)
        errno = e;
    return ok;
}

enum weir_err out_file_new(int dir_fd, const char *name, struct slice bytes, struct fault *fault)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !fill(fd, bytes))
        return os_fault("write", name, fault);
    return WEIR_OK;
}

enum weir_err out_file(const char *path, struct slice bytes, struct fault *fault)
{
    char beside[PATH_MAX];
    int n = snprintf(beside, sizeof beside, "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof beside)
        return fault_set(fault, WEIR_USAGE, "the path '%.80s...' is too long", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return os_fault("write", path, fault);
    if (!fill(fd, bytes) || rename(beside, path) != 0) {
        enum weir_err err = os_fault("write", path, fault);
        unlink(beside);
        return err;
    }
    return WEIR_OK;
}

static enum weir_err read_all(int fd, const char *name, size_t max, struct buffer *out, struct fault *fault)
{
    for (;;) {
        char chunk[65536];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return os_fault("read", name, fault);
        if (n == 0)
            return WEIR_OK;
        if ((size_t)n > max - out->n)
            return fault_set(fault, WEIR_LIMIT, "'%.200s' is larger than %zu bytes", name, max);
        buffer_put(out, chunk, (size_t)n);
        if (out->err)
            return fault_set(fault, out->err, "cannot read '%.200s': %s", name, weir_err_text(out->err));
    }
}

enum weir_err in_file(int dir_fd, const char *name, size_t max, struct buffer *out, struct fault *fault)
{
    struct stat st;
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return os_fault("read", name, fault);
    enum weir_err err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? WEIR_OK : fault_set(fault, WEIR_IO, "'%.200s' is not a regular file", name);
    if (!err)
        err = read_all(fd, name, max, out, fault);
    close(fd);
    return err;
}
