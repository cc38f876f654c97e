/* Standard input, copied once for the process into an unlinked temporary file: so it has a length and an id, can be read by
 * several threads and twice, and a crash leaves nothing behind. The spool is the one piece of state that this room keeps
 * outside of its handles, because a process has one standard input; a lock keeps two threads from reading it both. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/internal.h"

#define COPY_BYTES (64 * 1024)
#define WAIT_MS 1000 /* between two looks at the stop, should its signal come just before the wait */

static struct {
    pthread_mutex_t lock;
    int fd;
    bool whole, lossy; /* lossy: bytes were read that are not in the file */
    uint64_t bytes;
} spool = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static bool (*stop)(void);

void source_stop_when(bool (*stopped)(void))
{
    stop = stopped;
}

bool source_stopped(void) { return stop && stop(); }

static int make_in(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd >= 0)
        return fd;
    char name[PATH_MAX]; /* not every file system has O_TMPFILE */
    int n = snprintf(name, sizeof name, "%s/weir-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof name)
        return -1;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* /var/tmp before /tmp: the latter is often memory. */
static int temporary_from = -1;

void source_temporary_from(int fd) { temporary_from = fd; }

int source_temporary(void)
{
    if (temporary_from >= 0)
        return ftruncate(temporary_from, 0) == 0 ? dup(temporary_from) : -1;
    const char *dirs[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    int fd = -1;
    for (size_t i = 0; i < WEIR_COUNT(dirs) && fd < 0; i++)
        if (dirs[i] && dirs[i][0])
            fd = make_in(dirs[i]);
    return fd;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return true;
}

/* Waits for more input; false: stopped. By poll, because a signal ends it even when its handler lets reads go on. */
static bool await_input(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        if (source_stopped())
            return false;
        int n = poll(&in, 1, WAIT_MS);
        if (n > 0 || (n < 0 && errno != EINTR))
            return true; /* something to read: data, the end or an error */
    }
}

/* Goes on where an interrupted copy stopped. */
static enum weir_err fill(uint64_t max_bytes, enum source_reject *why, struct fault *fault)
{
    char bytes[COPY_BYTES];
    if (spool.lossy)
        return fault_set(fault, WEIR_IO, "standard input was not kept: an earlier copy failed");
    while (!spool.whole) {
        if (!await_input())
            return fault_set(fault, WEIR_INTERRUPTED, "interrupted while standard input was read");
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(fault, WEIR_IO, "cannot read standard input: %m");
        spool.whole = n == 0;
        if (spool.bytes + (uint64_t)n > max_bytes) {
            spool.lossy = true;
            *why = SOURCE_BOMB;
            return fault_set(fault, WEIR_LIMIT, "standard input is longer than %llu bytes", (unsigned long long)max_bytes);
        }
        if (!write_all(spool.fd, bytes, (size_t)n)) {
            spool.lossy = true;
            return fault_set(fault, WEIR_IO, "cannot write the temporary copy of standard input: %m");
        }
        spool.bytes += (uint64_t)n;
    }
    return WEIR_OK;
}

enum weir_err spool_stdin(uint64_t max_bytes, struct opened *out, enum source_reject *why, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    pthread_mutex_lock(&spool.lock);
    *why = SOURCE_UNREADABLE;
    if (spool.fd < 0 && (spool.fd = source_temporary()) < 0)
        err = fault_set(fault, WEIR_IO, "cannot make a temporary file for standard input in $TMPDIR, /var/tmp or /tmp: %m");
    if (err == WEIR_OK)
        err = fill(max_bytes, why, fault);
    if (err == WEIR_OK) {
        *why = SOURCE_ACCEPTED;
        *out = (struct opened){.fd = spool.fd, .owned = false, .size_bytes = spool.bytes};
    }
    pthread_mutex_unlock(&spool.lock);
    return err;
}
