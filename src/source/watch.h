/* The inside of a watch: what is known of files, and what the kernel tells. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_WATCH_H
#define SOURCE_WATCH_H

#include "source/bucket.h"
#include "source/list.h"
#include "source/queue.h"
#include "weir/source_watch.h"

/* ---- file_table.c: by the hash of the path ---- */
enum file_state {
    FILE_RESTING, /* not complete yet     -> WAITING, or forgotten */
    FILE_WAITING, /* in the list, or taken -> SETTLED; with another stamp WAITING or RESTING again */
    FILE_SETTLED  /* no news              -> WAITING or RESTING, with another stamp */
};
struct known_file {
    uint64_t key[2]; /* both 0: nobody */
    uint64_t stamp;
    uint32_t swept;  /* the sweep that saw it last */
    uint8_t state;
};
struct file_table { struct known_file *slot; size_t n, slots; };
struct known_file *file_table_find(const struct file_table *t, struct slice path);
struct known_file *file_table_put(struct file_table *t, struct slice path); /* found or new (zeroed, but for the key, and SETTLED); NULL: out of memory */
enum weir_err file_table_forget(struct file_table *t, uint32_t sweep);      /* the settled ones that this sweep has not seen */
void file_table_free(struct file_table *t);
static inline void file_forget(struct known_file *f) { f->stamp = 0; f->state = FILE_SETTLED; } /* no stamp is 0 */

/* ---- notice.c: inotify, folder by folder ---- */
struct notice {
    int fd; /* -1: no inotify here */
    char **folder; size_t folders, cap; /* by watch descriptor, which the kernel counts up from 1 */
    uint64_t unwatched;
};
struct noticed {
    const char *path;                         /* NULL with overflow */
    bool overflow, renamed, closed, is_folder; /* none of them: it was made */
};
void notice_open(struct notice *n);
void notice_close(struct notice *n);
/* From now on tell what comes into the folder open at fd. NOMEM; that the kernel has no room for it is counted, the sweep finds what comes there. */
enum weir_err notice_add(struct notice *n, int fd, struct slice path);
typedef enum weir_err notice_each(void *ctx, const struct noticed *n);
enum weir_err notice_read(struct notice *n, notice_each *each, void *ctx);

/* ---- watch_far.c: buckets ---- */
struct far_roots {
    char **url; size_t n, cap;
    struct file_table table;
    struct bucket_walk walk; /* of url[at], while walking */
    struct queue *queue; /* NULL: none */
    size_t at;
    bool walking;
    uint32_t sweep;
    unsigned failures;
    int64_t next_ns;
};
enum weir_err far_add(struct source_watch *w, const char *url, struct fault *fault);
void far_free(struct far_roots *f);
enum weir_err far_turn(struct source_watch *w, struct fault *fault); /* IO: a page did not come, and is asked for again later */
void far_settled(struct source_watch *w, const struct object *o, bool counted); /* what the queue waits for */
void far_forget(struct source_watch *w); /* what was settled; all is listed again, from the first bucket on */
int64_t far_due_ns(const struct source_watch *w);

/* ---- watch.c ---- */
void forget_settled(struct file_table *t);
enum weir_err wait_for_taking(struct source_watch *w, struct slice path, uint64_t size, uint64_t stamp, struct slice etag, int64_t now_ns);
struct watch_root { char *path; size_t n; };
struct waiting { struct object object; int64_t since_ns; }; /* the path is ours, and the etag */
struct resting { char *path; uint64_t stamp; int64_t again_ns; };
struct source_watch {
    struct watch_settings settings;
    struct watch_root *root; size_t roots;
    struct notice notice;
    struct file_table table;
    struct far_roots far;
    struct waiting *waiting; size_t waiting_n, waiting_cap; bool sorted;
    struct resting *resting; size_t resting_n, resting_cap;
    uint32_t sweep;
    int64_t now_ns, unix_ns, next_sweep_ns;
    struct watch_state state;
};

#endif
