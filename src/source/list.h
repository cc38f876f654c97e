/* The inside of an object list, shared by the list and the walk that fills it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_LIST_H
#define SOURCE_LIST_H

#include <sys/stat.h>

#include "source/internal.h"

struct object_list {
    struct source_limits limits;
    struct arena *paths;
    struct object *v;
    size_t n, cap;
    int64_t from_s, to_s; /* object_list_between */
    uint64_t bytes;
    struct source_skipped skipped;
};

/* The canonical order. */
int object_compare(const void *left, const void *right);
uint64_t stamp_of(const struct stat *st); /* never 0 */

/* What a walk meets, told to who watches; each may be NULL. A result that is not OK ends the walk. */
struct walk_told {
    void *ctx;
    enum weir_err (*folder)(void *ctx, int fd, struct slice path); /* before it is read */
    enum weir_err (*file)(void *ctx, struct slice path, const struct stat *st); /* regular; then it is not listed */
    void (*strange)(void *ctx, struct slice path, const struct stat *st); /* a symbolic link, FIFO, socket or device */
};
/* All below a directory. path without a '/' at the end; the first root_bytes of it are the root. list: only to count what is skipped. */
enum weir_err walk_directory(struct object_list *list, struct slice path, size_t root_bytes, const struct walk_told *told, struct fault *fault);
bool is_quiet_name(const char *name);

enum weir_err object_list_add_s3(struct object_list *list, const char *url, struct fault *fault); /* bucket.c */
uint64_t far_stamp(struct slice etag, uint64_t size);
/* The last one is far, and was listed with that content. */
void object_list_describe(struct object_list *list, struct slice etag);
/* A name without a bucket is in any span. */
bool object_list_wants(const struct object_list *list, const struct provenance *from);
enum weir_err object_list_push(struct object_list *list, struct slice path, size_t root_bytes, uint64_t size_bytes, struct fault *fault);

#endif
