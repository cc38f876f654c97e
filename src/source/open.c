/* Opening what somebody else may have put there: regular files only, and no symbolic link below the directory that the user
 * named, not even one that is swapped in while we look. So the way down is walked folder by folder with O_NOFOLLOW (openat2
 * would do it in one call, but not on every kernel). O_NONBLOCK keeps a FIFO from hanging us before it is recognised. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/fetch.h"
#include "source/internal.h"
#include "source/s3.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

const char *file_kind(unsigned mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR: return "directory";
    case S_IFIFO: return "FIFO";
    case S_IFSOCK: return "socket";
    case S_IFLNK: return "symbolic link";
    case S_IFREG: return "regular file";
    default: return "device";
    }
}

static enum weir_err unreadable(const char *path, int error, enum source_reject *why, struct fault *fault)
{
    *why = SOURCE_UNREADABLE;
    errno = error;
    return fault_set(fault, error == ENOENT ? WEIR_NOTFOUND : WEIR_IO, "cannot open '%s': %m", path);
}

static enum weir_err not_regular(const char *path, unsigned mode, enum source_reject *why, struct fault *fault)
{
    *why = SOURCE_NOT_REGULAR;
    return fault_set(fault, WEIR_UNSUPPORTED, "cannot read '%s': a %s, not a regular file", path, file_kind(mode));
}

/* One folder of the way down, by a copy of its name. Takes dir. -1 with errno. */
static int step_down(int dir, struct slice name)
{
    char folder[NAME_MAX + 1];
    int fd = -1;
    if (name.n > NAME_MAX || slice_eq(name, SLICE_LIT(".."))) {
        errno = name.n > NAME_MAX ? ENAMETOOLONG : ELOOP;
    } else {
        memcpy(folder, name.p, name.n);
        folder[name.n] = '\0';
        fd = openat(dir, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    int error = errno;
    close(dir);
    errno = error;
    return fd;
}

/* The folder that holds path, reached without following a link below root; *name is what is left of path. -1 with errno. */
static int open_parent(const char *path, size_t root_n, const char **name)
{
    char root[PATH_MAX];
    if (root_n >= sizeof root) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(root, path, root_n);
    root[root_n] = '\0';
    int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *rest = path + root_n;
    while (dir >= 0) {
        rest += strspn(rest, "/");
        size_t n = strcspn(rest, "/");
        if (rest[n] == '\0')
            break;
        dir = step_down(dir, (struct slice){rest, n});
        rest += n;
    }
    *name = rest;
    return dir;
}

/* Looks before it opens: opening a device can do things. Looks again after: what was there may have been swapped. */
static enum weir_err open_regular(int dir, const char *name, int nofollow, const char *path, struct opened *out, enum source_reject *why,
                                  struct fault *fault)
{
    struct stat st;
    if (fstatat(dir, name, &st, nofollow ? AT_SYMLINK_NOFOLLOW : 0) != 0)
        return unreadable(path, errno, why, fault);
    if (!S_ISREG(st.st_mode))
        return not_regular(path, st.st_mode, why, fault);
    int fd = openat(dir, name, OPEN_FLAGS | nofollow);
    if (fd < 0)
        return unreadable(path, errno, why, fault);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return not_regular(path, st.st_mode, why, fault);
    }
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint: its failure changes nothing */
    *out = (struct opened){.fd = fd, .owned = true, .size_bytes = (uint64_t)st.st_size};
    return WEIR_OK;
}

static enum weir_err open_given(const struct object *o, struct opened *out, enum source_reject *why, struct fault *fault)
{
    struct stat st;
    if (fstat(o->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return not_regular(o->path, 0, why, fault);
    *out = (struct opened){.fd = o->fd, .owned = false, .size_bytes = (uint64_t)st.st_size};
    return WEIR_OK;
}

/* What is away now is no fault of the object. */
static enum weir_err open_far(const struct object *o, struct opened *out, enum source_reject *why, struct fault *fault)
{
    *out = (struct opened){.fd = -1, .size_bytes = o->size_bytes};
    *why = SOURCE_ACCEPTED;
    return fetch_open(o, &out->far, fault);
}

enum weir_err source_open_file(const struct object *o, int *fd, enum source_reject *why, struct fault *fault)
{
    struct opened file;
    enum weir_err err = open_object(o, 0, &file, why, fault);
    *fd = err ? -1 : file.fd;
    if (err || !file.far)
        return err;
    err = fetch_whole(file.far, fd, fault);
    *why = err && !fetch_is_away(err) ? SOURCE_UNREADABLE : SOURCE_ACCEPTED;
    fetch_close(file.far);
    return err;
}

enum weir_err open_object(const struct object *o, uint64_t max_spool_bytes, struct opened *out, enum source_reject *why, struct fault *fault)
{
    if (o->fd > 0)
        return open_given(o, out, why, fault);
    if (path_is_far(slice_of(o->path)))
        return open_far(o, out, why, fault);
    if (strcmp(o->path, "-") == 0)
        return spool_stdin(max_spool_bytes, out, why, fault);
    if (o->root_bytes == 0 || o->root_bytes >= strlen(o->path))
        return open_regular(AT_FDCWD, o->path, 0, o->path, out, why, fault);
    const char *name;
    int dir = open_parent(o->path, o->root_bytes, &name);
    if (dir < 0 && (errno == ENOTDIR || errno == ELOOP))
        return not_regular(o->path, S_IFLNK, why, fault);
    if (dir < 0)
        return unreadable(o->path, errno, why, fault);
    enum weir_err err = open_regular(dir, name, O_NOFOLLOW, o->path, out, why, fault);
    close(dir);
    return err;
}
