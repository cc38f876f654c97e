/* See source_intake.h. The object in work has a hidden name, so that no watch looks at it; it is written through to the disk before it is
 * renamed, as what a pipe has given cannot be asked for again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "weir/source_intake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORK ".intake"
#define PREFIX "stdin-"
#define PIECE_BYTES 65536
#define PIECES_MAX 256 /* in one turn */
#define HEADER_MAX 16384

struct intake {
    struct intake_settings settings;
    int stream, dir, work; /* -1: over; -1: no object in work */
    uint64_t bytes, whole; /* of the object in work; up to the end of its last line */
    int64_t since_ns;      /* its first byte */
    uint64_t number;
    bool begun;            /* the stream: its first line is known */
    size_t held;           /* of the piece, until it is */
    char header[HEADER_MAX]; size_t header_n;
    char piece[PIECE_BYTES];
};

static bool put(struct intake *in, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(in->work, p, n);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            p += done;
            n -= (size_t)done;
            in->bytes += (uint64_t)done;
        }
    }
    return true;
}

static enum weir_err cannot_write(struct fault *fault) { return fault_set(fault, WEIR_IO, "cannot keep what came on standard input: %m"); }

static enum weir_err begin_object(struct intake *in, int64_t now_ns, struct fault *fault)
{
    in->work = openat(in->dir, WORK, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    in->bytes = in->whole = 0;
    in->since_ns = now_ns;
    if (in->work < 0 || !put(in, in->header, in->header_n))
        return cannot_write(fault);
    in->whole = in->bytes;
    return WEIR_OK;
}

/* What stands behind its last line goes into the next one. all: there is no next one. */
static enum weir_err end_object(struct intake *in, bool all, int64_t now_ns, int64_t unix_ns, struct fault *fault)
{
    char name[64], rest[PIECE_BYTES];
    size_t left = all ? 0 : (size_t)(in->bytes - in->whole);
    left = left < sizeof rest ? left : 0; /* a line of that length is none */
    if (left && pread(in->work, rest, left, (off_t)in->whole) != (ssize_t)left)
        return cannot_write(fault);
    bool empty = in->bytes - left <= in->header_n;
    bool ok = ftruncate(in->work, (off_t)(in->bytes - left)) == 0 && (empty || fsync(in->work) == 0);
    close(in->work);
    in->work = -1;
    snprintf(name, sizeof name, PREFIX "%016llx-%04llx.log", (unsigned long long)unix_ns, (unsigned long long)in->number++ & 0xffff);
    ok = ok && (empty ? unlinkat(in->dir, WORK, 0) == 0 : renameat(in->dir, WORK, in->dir, name) == 0 && fsync(in->dir) == 0);
    if (!ok)
        return cannot_write(fault);
    enum weir_err err = left ? begin_object(in, now_ns, fault) : WEIR_OK;
    return !err && left && !put(in, rest, left) ? cannot_write(fault) : err;
}

/* ---- open, close ---- */

/* The object in work of a process that was killed: up to its last line. */
static enum weir_err recover(struct intake *in, struct fault *fault)
{
    struct stat st;
    in->work = openat(in->dir, WORK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (in->work < 0)
        return errno == ENOENT ? WEIR_OK : cannot_write(fault);
    if (fstat(in->work, &st) != 0 || !S_ISREG(st.st_mode))
        return cannot_write(fault);
    in->bytes = (uint64_t)st.st_size;
    for (in->whole = in->bytes; in->whole; in->whole--) {
        char c;
        if (pread(in->work, &c, 1, (off_t)in->whole - 1) != 1 || c == '\n')
            break;
    }
    in->bytes = in->whole;
    int64_t written_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return end_object(in, true, 0, written_ns, fault);
}

/* What cannot be made is told when it is opened. */
static void make_folders(const char *dir)
{
    char path[PATH_MAX];
    size_t n = strlen(dir);
    for (size_t i = 1; i <= n && n < sizeof path; i++)
        if (i == n || dir[i] == '/') {
            memcpy(path, dir, i);
            path[i] = 0;
            (void)mkdir(path, 0700);
        }
}

enum weir_err intake_open(int fd, const char *dir, const struct intake_settings *settings, struct intake **out, struct fault *fault)
{
    struct intake *in = calloc(1, sizeof *in);
    *out = NULL;
    if (!in)
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    in->settings = *settings;
    in->stream = fd;
    in->work = -1;
    make_folders(dir);
    in->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum weir_err err = in->dir < 0 ? fault_set(fault, WEIR_IO, "cannot keep standard input in '%.300s': %m", dir) : recover(in, fault);
    if (err)
        intake_close(in);
    else
        *out = in;
    return err;
}

void intake_close(struct intake *in)
{
    if (!in)
        return;
    if (in->work >= 0)
        close(in->work); /* recovered at the next start */
    if (in->dir >= 0)
        close(in->dir);
    free(in);
}

int intake_fd(const struct intake *in) { return in->stream; }

int64_t intake_due_ns(const struct intake *in) { return in->work >= 0 ? in->since_ns + in->settings.age_ns : INT64_MAX; }

/* ---- turns ---- */

/* The first bytes tell whether there is a line of names, which must come as a whole. */
static enum weir_err look_at_first(struct intake *in, size_t n, struct fault *fault)
{
    const char *end = memchr(in->piece, '\n', n);
    in->begun = true;
    if (n >= 2 && memcmp(in->piece, "\x1f\x8b", 2) == 0)
        return fault_set(fault, WEIR_USAGE, "standard input is gzip, which a service cannot cut into objects: give it the lines");
    if (end && (in->piece[0] < '0' || in->piece[0] > '9') && (size_t)(end - in->piece) < sizeof in->header)
        in->header_n = (size_t)(end - in->piece) + 1;
    memcpy(in->header, in->piece, in->header_n);
    return WEIR_OK;
}

static enum weir_err take(struct intake *in, size_t n, int64_t now_ns, struct fault *fault)
{
    bool first = !in->begun;
    enum weir_err err = first ? look_at_first(in, n, fault) : WEIR_OK;
    if (!err && in->work < 0)
        err = begin_object(in, now_ns, fault);
    const char *p = in->piece + (first ? in->header_n : 0); /* the header is written with each object */
    n -= first ? in->header_n : 0;
    if (err || !n)
        return err;
    const char *last = memrchr(p, '\n', n);
    if (last)
        in->whole = in->bytes + (uint64_t)(last - p) + 1;
    return put(in, p, n) ? WEIR_OK : cannot_write(fault);
}

static bool something_came(const struct intake *in)
{
    struct pollfd p = {.fd = in->stream, .events = POLLIN};
    return in->stream >= 0 && poll(&p, 1, 0) > 0;
}

/* One read. A stream is not begun before its first line is whole, or cannot be. */
static enum weir_err take_piece(struct intake *in, int64_t now_ns, struct fault *fault)
{
    ssize_t got = read(in->stream, in->piece + in->held, sizeof in->piece - in->held);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? WEIR_OK : fault_set(fault, WEIR_IO, "cannot read standard input: %m");
    size_t n = in->held + (size_t)got;
    if (got == 0)
        in->stream = -1;
    in->held = 0;
    if (!in->begun && got && n < sizeof in->piece && !memchr(in->piece, '\n', n)) {
        in->held = n;
        return WEIR_OK;
    }
    return n ? take(in, n, now_ns, fault) : WEIR_OK;
}

static bool is_due(const struct intake *in, int64_t now_ns)
{
    bool has_lines = in->whole > in->header_n;
    return in->work >= 0 && ((has_lines && (in->bytes >= in->settings.bytes || now_ns - in->since_ns >= in->settings.age_ns)) ||
                             in->bytes / 4 >= in->settings.bytes); /* a line without an end */
}

enum weir_err intake_turn(struct intake *in, int64_t now_ns, int64_t unix_ns, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (unsigned pieces = 0; pieces < PIECES_MAX && !err && something_came(in); pieces++) {
        err = take_piece(in, now_ns, fault);
        if (!err && is_due(in, now_ns))
            err = end_object(in, in->whole <= in->header_n, now_ns, unix_ns, fault);
    }
    if (!err && is_due(in, now_ns))
        err = end_object(in, false, now_ns, unix_ns, fault);
    if (!err && in->stream < 0 && in->work >= 0)
        err = end_object(in, true, now_ns, unix_ns, fault);
    if (!err && in->stream < 0)
        return WEIR_END;
    return err;
}

size_t intake_forget(struct intake *in, int64_t before_s)
{
    size_t gone = 0;
    int fd = openat(in->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0)
        close(fd);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        if (strncmp(e->d_name, PREFIX, sizeof PREFIX - 1) == 0 && fstatat(in->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtim.tv_sec < before_s)
            gone += unlinkat(in->dir, e->d_name, 0) == 0;
    }
    if (dir)
        closedir(dir);
    return gone;
}
