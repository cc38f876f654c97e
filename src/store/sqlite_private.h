/* What the two halves of the SQLite backend share: sqlite_open.c makes and checks the file, sqlite.c reads and writes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_STORE_SQLITE_PRIVATE_H
#define WEIR_STORE_SQLITE_PRIVATE_H

#include "store/store_ops.h"

#include <sqlite3.h>

struct sqlite_file {
    sqlite3 *db;
    int lock_fd; /* held for writing; -1 otherwise */
    char *path;  /* resolved, or ":memory:", or "" */
    struct { size_t dirs; bool file, lock; } made; /* by this open; dirs: length of the outermost one's path, 0 = none */
};

/* Open or create the file, take the writer's lock, check that it is a store of ours. On failure nothing stays open, and nothing that was
 * made for it stays behind. */
enum weir_err sqlite_file_open(struct sqlite_file *f, const char *place, enum store_mode mode, struct fault *fault);
void sqlite_file_close(struct sqlite_file *f);

/* The last failure of the connection as one of ours. what: "open", "read", "write to", "commit to". */
enum weir_err sqlite_file_fault(const struct sqlite_file *f, const char *what, struct fault *fault);
/* Run statements without results. */
enum weir_err sqlite_file_exec(const struct sqlite_file *f, const char *sql, const char *what, struct fault *fault);

#endif
