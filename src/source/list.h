/* The inside of an object list, shared by the list and the walk that fills it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_LIST_H
#define SOURCE_LIST_H

#include "source/internal.h"

struct object_list {
    struct source_limits limits;
    struct arena *paths;
    struct object *v;
    size_t n, cap;
    uint64_t bytes;
    struct source_skipped skipped;
};

enum weir_err object_list_push(struct object_list *list, struct slice path, size_t root_bytes, uint64_t size_bytes, struct fault *fault);

#endif
