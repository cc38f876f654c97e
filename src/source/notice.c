/* What the kernel tells of folders: inotify(7). A folder is watched by its descriptor, not by its name, so that no link can be put in
 * between. A folder that is moved keeps its old name here until the next sweep gives it the new one; what it tells meanwhile
 * is not found under the old name, and found by that sweep. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "source/watch.h"

#define FOLDERS_MAX 1000000
#define READS_MAX 64 /* in one turn */
#define TOLD (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_EXCL_UNLINK)

void notice_open(struct notice *n) { *n = (struct notice){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)}; }

void notice_close(struct notice *n)
{
    if (n->fd >= 0)
        close(n->fd);
    for (size_t i = 0; i < n->folders; i++)
        free(n->folder[i]);
    free(n->folder);
}

static enum weir_err keep_name(struct notice *n, size_t wd, struct slice path)
{
    while (n->folders <= wd) {
        char **folder = array_grow(n->folder, &n->cap, n->folders, sizeof *folder);
        if (!folder)
            return WEIR_NOMEM;
        n->folder = folder;
        folder[n->folders++] = NULL;
    }
    char *name = strndup(path.p, path.n);
    if (!name)
        return WEIR_NOMEM;
    free(n->folder[wd]);
    n->folder[wd] = name;
    return WEIR_OK;
}

enum weir_err notice_add(struct notice *n, int fd, struct slice path)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int wd = n->fd >= 0 ? inotify_add_watch(n->fd, self, TOLD) : -1;
    if (wd < 0 || wd >= FOLDERS_MAX) {
        n->unwatched++;
        return WEIR_OK;
    }
    return keep_name(n, (size_t)wd, path);
}

static enum weir_err tell(struct notice *n, const struct inotify_event *e, notice_each *each, void *ctx)
{
    char path[PATH_MAX];
    size_t wd = e->wd < 0 ? n->folders : (size_t)e->wd;
    if (e->mask & IN_Q_OVERFLOW)
        return each(ctx, &(struct noticed){.overflow = true});
    if (wd < n->folders && e->mask & IN_IGNORED) { /* the folder is gone */
        free(n->folder[wd]);
        n->folder[wd] = NULL;
    }
    if (wd >= n->folders || !n->folder[wd] || !e->len)
        return WEIR_OK;
    int length = snprintf(path, sizeof path, "%s/%s", n->folder[wd], e->name);
    if (length < 0 || (size_t)length >= sizeof path)
        return WEIR_OK; /* cannot be opened either */
    return each(ctx, &(struct noticed){.path = path, .renamed = e->mask & IN_MOVED_TO, .closed = e->mask & IN_CLOSE_WRITE, .is_folder = e->mask & IN_ISDIR});
}

enum weir_err notice_read(struct notice *n, notice_each *each, void *ctx)
{
    _Alignas(struct inotify_event) char bytes[65536];
    enum weir_err err = WEIR_OK;
    for (unsigned reads = 0; n->fd >= 0 && reads < READS_MAX && !err; reads++) {
        ssize_t got = read(n->fd, bytes, sizeof bytes);
        if (got <= 0) /* EAGAIN: nothing more; all else, the sweep goes on */
            return WEIR_OK;
        for (size_t at = 0; at < (size_t)got && !err;) {
            struct inotify_event e; /* the kernel hands out whole events only */
            memcpy(&e, bytes + at, sizeof e);
            err = tell(n, (const struct inotify_event *)(const void *)(bytes + at), each, ctx);
            at += sizeof e + e.len;
        }
    }
    return err;
}
