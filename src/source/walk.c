/* From a PATH to objects: a file, "-", or a directory with everything below it in any layout. What the user names may be a
 * symbolic link; what is found below may not. Files that are known not to be logs (D9) are passed over and counted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/list.h"
#include "source/s3.h"

#define DEPTH_MAX 64 /* each level holds a file descriptor */
#define PATH_BYTES_MAX (PATH_MAX - 1) /* what open() takes */

static bool ends_with(struct slice s, struct slice end)
{
    return s.n >= end.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

bool is_quiet_name(const char *name)
{
    static const char *const names[] = {"aws-logs-write-test", "_SUCCESS", "manifest", "manifest.json", "manifest.checksum", "labels.jsonl"};
    if (name[0] == '.')
        return true;
    for (size_t i = 0; i < WEIR_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    struct slice s = slice_of(name);
    return ends_with(s, SLICE_LIT(".md")) || ends_with(s, SLICE_LIT(".manifest")) || ends_with(s, SLICE_LIT("-manifest.json"));
}

struct walk {
    struct object_list *list;
    struct buffer path; /* of the folder in hand, then of the entry in it */
    size_t root_bytes;
    const struct walk_told *told; /* NULL: nobody */
    struct fault *fault;
};

uint64_t stamp_of(const struct stat *st)
{
    uint64_t stamp = stable_mix(stable_mix((uint64_t)st->st_ino + 1) ^ (uint64_t)st->st_size);
    stamp = stable_mix(stamp ^ (uint64_t)st->st_mtim.tv_sec) ^ stable_mix((uint64_t)st->st_mtim.tv_nsec);
    return stamp ? stamp : 1;
}

static enum weir_err walk_folder(struct walk *w, int fd, unsigned depth);

static enum weir_err walk_file(struct walk *w, const struct stat *st)
{
    struct slice path = {w->path.p, w->path.n};
    if (w->told && w->told->file)
        return w->told->file(w->told->ctx, path, st);
    size_t before = w->list->n;
    enum weir_err err = object_list_push(w->list, path, w->root_bytes, (uint64_t)st->st_size, w->fault);
    if (!err && w->list->n > before)
        w->list->v[w->list->n - 1].stamp = stamp_of(st);
    return err;
}

/* An entry whose path is in w->path. Only want of memory or too many objects end the walk. */
static enum weir_err walk_entry(struct walk *w, int dir, const char *name, unsigned depth)
{
    struct stat st;
    if (w->path.err != WEIR_OK || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        w->list->skipped.unreadable++;
        return WEIR_OK;
    }
    if (S_ISREG(st.st_mode))
        return walk_file(w, &st);
    if (!S_ISDIR(st.st_mode)) {
        w->list->skipped.not_regular++;
        if (w->told && w->told->strange)
            w->told->strange(w->told->ctx, (struct slice){w->path.p, w->path.n}, &st);
        return WEIR_OK;
    }
    int fd = depth < DEPTH_MAX ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0) {
        w->list->skipped.unreadable++;
        return WEIR_OK;
    }
    return walk_folder(w, fd, depth + 1);
}

/* Takes fd. */
static enum weir_err walk_folder(struct walk *w, int fd, unsigned depth)
{
    size_t folder_n = w->path.n;
    enum weir_err err = w->told && w->told->folder ? w->told->folder(w->told->ctx, fd, (struct slice){w->path.p, w->path.n}) : WEIR_OK;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return fault_set(w->fault, WEIR_NOMEM, "out of memory for a directory");
    }
    struct dirent *e;
    while (err == WEIR_OK && (errno = 0, e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (is_quiet_name(e->d_name)) {
            w->list->skipped.quiet++;
            continue;
        }
        if (folder_n > 0 && w->path.p[folder_n - 1] != '/')
            buffer_puts(&w->path, "/");
        buffer_puts(&w->path, e->d_name);
        err = walk_entry(w, fd, e->d_name, depth);
        w->path.n = folder_n;
        w->path.err = WEIR_OK; /* a name too long spoils itself only */
    }
    if (err == WEIR_OK && errno != 0)
        w->list->skipped.unreadable++;
    closedir(dir);
    return err;
}

enum weir_err walk_directory(struct object_list *list, struct slice path, size_t root_bytes, const struct walk_told *told, struct fault *fault)
{
    struct walk w = {.list = list, .root_bytes = root_bytes, .told = told, .fault = fault};
    buffer_init(&w.path, PATH_BYTES_MAX);
    buffer_slice(&w.path, path);
    char name[PATH_BYTES_MAX + 1] = "";
    if (path.n < sizeof name)
        memcpy(name, path.p, path.n); /* too long: nothing is called "" */
    name[path.n < sizeof name ? path.n : 0] = 0;
    int fd = open(name, /* the root may be a symbolic link, what is below may not */
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | (path.n > root_bytes ? O_NOFOLLOW : 0));
    if (fd < 0) {
        fault_set(fault, WEIR_IO, "cannot read '%s': %m", name);
        buffer_fini(&w.path);
        return WEIR_IO;
    }
    enum weir_err err = w.path.err;
    if (err == WEIR_OK)
        err = walk_folder(&w, fd, 0);
    else
        close(fd);
    buffer_fini(&w.path);
    return err;
}

/* One spelling for one path, so that it is listed once: no doubled or trailing '/', no "./" in it. Returns the new length. */
static size_t tidy(char *path)
{
    size_t from = 0, to = 0, n = strlen(path);
    while (from < n) {
        bool at_start = to == 0 || path[to - 1] == '/';
        if (at_start && to > 0 && path[from] == '/')
            from++;
        else if (at_start && path[from] == '.' && (path[from + 1] == '/' || (path[from + 1] == '\0' && to > 0)))
            from += path[from + 1] == '/' ? 2 : 1;
        else
            path[to++] = path[from++];
        if (to == 0) /* "./" at the start must not turn "./" + "/x" into "/x" */
            from += strspn(path + from, "/");
    }
    if (to == 0 && n > 0)
        path[to++] = '.';
    while (to > 1 && path[to - 1] == '/')
        to--;
    path[to] = '\0';
    return to;
}

enum weir_err object_list_add(struct object_list *list, const char *path, struct fault *fault)
{
    struct stat st;
    char tidied[PATH_BYTES_MAX + 1];
    size_t n = strlen(path);
    if (path_is_far(slice_of(path)))
        return object_list_add_s3(list, path, fault);
    if (strcmp(path, "-") == 0)
        return object_list_push(list, slice_of(path), 0, 0, fault);
    if (n > PATH_BYTES_MAX)
        return fault_set(fault, WEIR_RANGE, "path of %zu bytes, at most %d", n, PATH_BYTES_MAX);
    if (stat(path, &st) != 0)
        return fault_set(fault, errno == ENOENT ? WEIR_NOTFOUND : WEIR_IO, "cannot read '%s': %m", path);
    memcpy(tidied, path, n + 1);
    struct slice p = {tidied, tidy(tidied)};
    if (S_ISDIR(st.st_mode))
        return walk_directory(list, p, p.n, NULL, fault);
    if (S_ISREG(st.st_mode))
        return object_list_push(list, p, 0, (uint64_t)st.st_size, fault);
    return fault_set(fault, WEIR_UNSUPPORTED, "cannot read '%s': a %s; give '-' to read standard input", path, file_kind(st.st_mode));
}
