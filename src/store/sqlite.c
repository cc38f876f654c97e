/* The embedded store: one SQLite file, one transaction a checkpoint.
 *
 * Values go straight into the open transaction, so a batch costs no memory of ours and SQLite's cache bounds the rest
 * (it spills to the write-ahead log). kv has a rowid on purpose: WITHOUT ROWID reads whole values, hundreds of KiB,
 * at every step of a key search (measured: docs/store.md). The fence is an UPDATE that names the position last seen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_private.h"

#include <stdlib.h>
#include <string.h>

#define STATEMENTS(X)                                                                                     \
    X(GET, "SELECT value FROM kv WHERE kind = ?1 AND id = ?2")                                            \
    X(HAS, "SELECT 1 FROM kv WHERE kind = ?1 AND id = ?2")                                                \
    X(OUTBOX, "SELECT seq, uid, value FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2")                  \
    X(POSITION, "SELECT epoch, seq FROM meta WHERE one = 1")                                              \
    X(PUT, "INSERT INTO kv(kind, id, value) VALUES(?1, ?2, ?3)"                                           \
           " ON CONFLICT(kind, id) DO UPDATE SET value = excluded.value")                                 \
    X(DELETE, "DELETE FROM kv WHERE kind = ?1 AND id = ?2")                                               \
    X(APPEND, "INSERT INTO outbox(uid, value) VALUES(?1, ?2)")                                            \
    X(FENCE, "UPDATE meta SET seq = seq + 1 WHERE one = 1 AND epoch = ?1 AND seq = ?2")

#define STATEMENT_ENUM(name, sql) STMT_##name,
#define STATEMENT_SQL(name, sql) sql,
enum statement { STATEMENTS(STATEMENT_ENUM) STMT_COUNT };
static const char *const statement_sql[] = {STATEMENTS(STATEMENT_SQL)};

struct sqlite_store {
    struct sqlite_file file;
    sqlite3_stmt *stmt[STMT_COUNT];
};

/* ---- open and close ---- */

static void sqlite_close(void *state)
{
    struct sqlite_store *s = state;
    for (size_t i = 0; i < STMT_COUNT; i++)
        sqlite3_finalize(s->stmt[i]);
    sqlite_file_close(&s->file);
    free(s);
}

static enum weir_err read_position(struct sqlite_store *s, struct store_position *position, struct fault *fault)
{
    sqlite3_stmt *stmt = s->stmt[STMT_POSITION];
    enum weir_err err = WEIR_OK;
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *position = (struct store_position){(uint64_t)sqlite3_column_int64(stmt, 0), (uint64_t)sqlite3_column_int64(stmt, 1)};
    else if (rc == SQLITE_DONE)
        err = fault_set(fault, WEIR_CORRUPT, "store '%.200s' has lost its position", s->file.path);
    else
        err = sqlite_file_fault(&s->file, "read", fault);
    sqlite3_reset(stmt);
    return err;
}

/* All statements at once: this also finds tables that are missing or strange. */
static enum weir_err prepare(struct sqlite_store *s, struct fault *fault)
{
    for (size_t i = 0; i < STMT_COUNT; i++)
        if (sqlite3_prepare_v3(s->file.db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL))
            return sqlite_file_fault(&s->file, "open", fault);
    return WEIR_OK;
}

static enum weir_err sqlite_open(const struct store_request *request, void **state, struct store_position *position, struct fault *fault)
{
    const char *place = request->place;
    struct sqlite_store *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(fault, WEIR_NOMEM, "cannot open store '%.200s': out of memory", place);
    enum weir_err err = sqlite_file_open(&s->file, place, request->mode, fault);
    if (!err)
        err = prepare(s, fault);
    if (!err)
        err = read_position(s, position, fault);
    if (err)
        sqlite_close(s);
    else
        *state = s;
    return err;
}

/* ---- reading ---- */

static sqlite3_stmt *bind_key(struct sqlite_store *s, enum statement which, const char *kind, const char *id)
{
    sqlite3_stmt *stmt = s->stmt[which];
    sqlite3_bind_text(stmt, 1, kind, 1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
    return stmt;
}

/* The borrowed pointers must not outlive the call. */
static void release(sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
}

static enum weir_err column_value(struct sqlite_store *s, sqlite3_stmt *stmt, int column, struct slice *out, struct fault *fault)
{
    const char *p = sqlite3_column_blob(stmt, column);
    int n = sqlite3_column_bytes(stmt, column);
    if (!p && sqlite3_errcode(s->file.db) == SQLITE_NOMEM)
        return fault_set(fault, WEIR_NOMEM, "cannot read store '%.200s': out of memory", s->file.path);
    *out = p ? (struct slice){p, (size_t)n} : SLICE_LIT("");
    return WEIR_OK;
}

static enum weir_err get_one(struct sqlite_store *s, const char *kind, const char *id, size_t i, store_each *each, void *ctx, struct fault *fault)
{
    sqlite3_stmt *stmt = bind_key(s, STMT_GET, kind, id);
    struct slice value;
    int rc = sqlite3_step(stmt);
    enum weir_err err = WEIR_OK;
    if (rc == SQLITE_ROW) {
        err = column_value(s, stmt, 0, &value, fault);
        if (!err)
            err = each(ctx, i, value);
    } else if (rc != SQLITE_DONE) {
        err = sqlite_file_fault(&s->file, "read", fault);
    }
    release(stmt);
    return err;
}

/* Many values are read inside one transaction: a reader sees all of a commit or none of it. */
static enum weir_err sqlite_get_many(void *state, char kind, const char *const *ids, size_t n, store_each *each, void *ctx, struct fault *fault)
{
    struct sqlite_store *s = state;
    bool own = n > 1 && sqlite3_get_autocommit(s->file.db);
    enum weir_err err = own ? sqlite_file_exec(&s->file, "BEGIN", "read", fault) : WEIR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = get_one(s, &kind, ids[i], i, each, ctx, fault);
    if (own && !sqlite3_get_autocommit(s->file.db))
        sqlite3_exec(s->file.db, "ROLLBACK", NULL, NULL, NULL); /* nothing was written: this only ends the reading */
    return err;
}

static bool sqlite_has(void *state, char kind, const char *id)
{
    sqlite3_stmt *stmt = bind_key(state, STMT_HAS, &kind, id);
    bool there = sqlite3_step(stmt) == SQLITE_ROW;
    release(stmt);
    return there;
}

static enum weir_err outbox_row(struct sqlite_store *s, sqlite3_stmt *stmt, store_outbox_each *each, void *ctx, struct fault *fault)
{
    struct slice value;
    uint64_t seq = (uint64_t)sqlite3_column_int64(stmt, 0);
    const char *uid = (const char *)sqlite3_column_text(stmt, 1);
    enum weir_err err = column_value(s, stmt, 2, &value, fault);
    if (err)
        return err;
    if (!uid || strspn(uid, "0123456789abcdef") != (size_t)sqlite3_column_bytes(stmt, 1))
        return fault_set(fault, WEIR_CORRUPT, "store '%.200s': outbox entry %llu has no proper uid", s->file.path, (unsigned long long)seq);
    return each(ctx, seq, uid, value);
}

static enum weir_err sqlite_outbox(void *state, uint64_t after, size_t limit, store_outbox_each *each, void *ctx, struct fault *fault)
{
    struct sqlite_store *s = state;
    sqlite3_stmt *stmt = s->stmt[STMT_OUTBOX];
    enum weir_err err = WEIR_OK;
    int rc = SQLITE_ROW;
    sqlite3_bind_int64(stmt, 1, after > INT64_MAX ? INT64_MAX : (int64_t)after);
    sqlite3_bind_int64(stmt, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        err = outbox_row(s, stmt, each, ctx, fault);
    if (!err && rc != SQLITE_DONE)
        err = sqlite_file_fault(&s->file, "read", fault);
    release(stmt);
    return err;
}

/* ---- the checkpoint ---- */

static void sqlite_abort(void *state)
{
    struct sqlite_store *s = state;
    if (!sqlite3_get_autocommit(s->file.db)) /* a full disk may have rolled back already */
        sqlite3_exec(s->file.db, "ROLLBACK", NULL, NULL, NULL);
}

static enum weir_err sqlite_begin(void *state, struct fault *fault)
{
    struct sqlite_store *s = state;
    return sqlite_file_exec(&s->file, "BEGIN IMMEDIATE", "write to", fault);
}

static enum weir_err run(struct sqlite_store *s, sqlite3_stmt *stmt, struct fault *fault)
{
    enum weir_err err = sqlite3_step(stmt) == SQLITE_DONE ? WEIR_OK : sqlite_file_fault(&s->file, "write to", fault);
    release(stmt);
    return err;
}

static void bind_value(sqlite3_stmt *stmt, int at, struct slice value)
{
    /* An empty value is a value: a NULL pointer would be stored as NULL. */
    sqlite3_bind_blob64(stmt, at, value.n ? value.p : "", value.n, SQLITE_STATIC);
}

static enum weir_err sqlite_put(void *state, char kind, const char *id, struct slice value, struct fault *fault)
{
    sqlite3_stmt *stmt = bind_key(state, STMT_PUT, &kind, id);
    bind_value(stmt, 3, value);
    return run(state, stmt, fault);
}

static enum weir_err sqlite_del(void *state, char kind, const char *id, struct fault *fault)
{
    return run(state, bind_key(state, STMT_DELETE, &kind, id), fault);
}

static enum weir_err sqlite_append(void *state, const char *uid, struct slice json, struct fault *fault)
{
    struct sqlite_store *s = state;
    sqlite3_stmt *stmt = s->stmt[STMT_APPEND];
    sqlite3_bind_text(stmt, 1, uid, -1, SQLITE_STATIC);
    bind_value(stmt, 2, json);
    return run(s, stmt, fault);
}

static enum weir_err move_position(struct sqlite_store *s, const struct store_position *position, struct fault *fault)
{
    sqlite3_stmt *stmt = s->stmt[STMT_FENCE];
    sqlite3_bind_int64(stmt, 1, (int64_t)position->epoch);
    sqlite3_bind_int64(stmt, 2, (int64_t)position->seq);
    enum weir_err err = run(s, stmt, fault);
    if (!err && sqlite3_changes(s->file.db) != 1)
        err = fault_set(fault, WEIR_BUSY, "store '%.200s' was written by another weir since commit %llu: open it again", s->file.path,
                        (unsigned long long)position->seq);
    return err;
}

/* The pages go to the log before the commit does: a kill at the failpoint finds the batch half written, as a power cut
 * would. Costs nothing that the commit would not have to write, and what fails here fails again in COMMIT. */
static enum weir_err sqlite_commit(void *state, struct store_position *position, struct fault *fault)
{
    struct sqlite_store *s = state;
    (void)sqlite3_db_cacheflush(s->file.db);
    failpoint("store-mid-commit");
    enum weir_err err = move_position(s, position, fault);
    if (!err)
        err = sqlite_file_exec(&s->file, "COMMIT", "commit to", fault);
    if (err)
        sqlite_abort(s);
    else
        position->seq++;
    return err;
}

const struct store_ops store_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .get_many = sqlite_get_many,
    .has = sqlite_has,
    .outbox = sqlite_outbox,
    .begin = sqlite_begin,
    .put = sqlite_put,
    .del = sqlite_del,
    .append = sqlite_append,
    .commit = sqlite_commit,
    .abort = sqlite_abort,
};
