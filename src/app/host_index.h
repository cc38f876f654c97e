/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts and classes the store knows: it cannot be asked for its keys, so they are written down when they are first learned.
 *   i <bucket, 2 hex>  blob 'i': varint n, n * (u64 host_id, u64 hi, u64 lo, string account, string interface), by host_id;
 *                      the bucket is the first byte of host_id
 *   i 100              blob 'i': varint n, n * (u64 class_id, string name), by class_id */
#ifndef WEIR_APP_HOST_INDEX_H
#define WEIR_APP_HOST_INDEX_H

#include "weir/store.h"
#include "weir/window.h"

struct host_entry { uint64_t id; struct ip host; struct slice account, interface; };
struct class_name { uint64_t id; struct slice name; };

/* ---- writing, in the open batch: hosts that a closing day met first, in ascending order, and their classes ---- */
struct log;
struct host_index;
struct host_index *host_index_new(struct store *s, struct log *log); /* NULL: out of memory */
void host_index_free(struct host_index *x);
WEIR_MUST_USE enum weir_err host_index_add(struct host_index *x, const struct host_day *day, struct fault *fault);
WEIR_MUST_USE enum weir_err host_index_add_class(struct host_index *x, uint64_t class_id, struct slice name, struct fault *fault);
WEIR_MUST_USE enum weir_err host_index_close(struct host_index *x, struct fault *fault);

/* ---- reading; what is borrowed is so until each returns. A non-OK result of each stops and is returned. ---- */
typedef enum weir_err host_each(void *ctx, const struct host_entry *host);
WEIR_MUST_USE enum weir_err host_index_each(struct store *s, host_each *each, void *ctx, struct fault *fault);
typedef enum weir_err class_each(void *ctx, const struct class_name *class);
WEIR_MUST_USE enum weir_err class_index_each(struct store *s, class_each *each, void *ctx, struct fault *fault);
uint64_t host_index_bytes(struct store *s); /* stored */
/* Into the open batch. */
WEIR_MUST_USE enum weir_err host_index_remove(struct store *s, uint64_t host_id, struct fault *fault);

#endif
