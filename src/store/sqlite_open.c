/* The embedded store as a file: its place, its lock, and whether it is one of ours.
 *
 * Nothing is written before the file is known to be ours or empty: `--store sqlite:/etc/passwd` must not cost a password file.
 * The writer's lock is an open-file-description lock on PATH-lock: the kernel drops it with the process, however it
 * ends. It cannot be on the database itself: closing any descriptor of that file would drop SQLite's own POSIX locks
 * in this process (https://www.sqlite.org/howtocorrupt.html 2.2). The lock file stays with its store: removing it would race with the
 * next writer. Journal WAL, page and cache size were chosen by measurement: docs/store.md. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define APPLICATION_ID 0x57454952 /* "WEIR" */
#define BUSY_TIMEOUT_MS 5000
#define RECORD_MAX ((int)STORE_VALUE_MAX + 4096) /* a row: the value, its key and SQLite's header */
#define SMALLEST_DATABASE 512 /* one page of the smallest size */
#define LOCK_SUFFIX "-lock"
#define TEMPORARY ":temporary:"

static const char schema_sql[] =
    "CREATE TABLE kv(kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY(kind, id)) STRICT;"
    "CREATE TABLE outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, value BLOB NOT NULL) STRICT;"
    "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1), epoch INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;";

/* ---- failures ---- */

static enum weir_err err_of_ioerr(sqlite3 *db)
{
    int e = sqlite3_system_errno(db);
    return e == ENOSPC || e == EDQUOT ? WEIR_UNAVAILABLE : WEIR_IO;
}

/* SQL is fixed, so a plain ERROR means that tables or columns are not as we made them. */
static enum weir_err err_of(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_NOMEM: return WEIR_NOMEM;
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return WEIR_UNAVAILABLE;
    case SQLITE_IOERR: return err_of_ioerr(db);
    case SQLITE_INTERRUPT: return WEIR_INTERRUPTED;
    case SQLITE_ERROR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG: return WEIR_CORRUPT;
    default: return WEIR_IO;
    }
}

enum weir_err sqlite_file_fault(const struct sqlite_file *f, const char *what, struct fault *fault)
{
    int code = sqlite3_extended_errcode(f->db), os = sqlite3_system_errno(f->db);
    bool about_os = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if ((code & 0xff) == SQLITE_NOTADB)
        return fault_set(fault, WEIR_CORRUPT, "'%.200s' is not a weir store: %s", f->path, sqlite3_errmsg(f->db));
    return fault_set(fault, err_of(f->db, code), "cannot %s store '%.200s': %s%s%s", what, f->path, sqlite3_errmsg(f->db),
                     about_os && os ? ": " : "", about_os && os ? strerror(os) : "");
}

enum weir_err sqlite_file_exec(const struct sqlite_file *f, const char *sql, const char *what, struct fault *fault)
{
    return sqlite3_exec(f->db, sql, NULL, NULL, NULL) ? sqlite_file_fault(f, what, fault) : WEIR_OK;
}

static enum weir_err err_of_errno(int e)
{
    switch (e) {
    case ENOENT: return WEIR_NOTFOUND;
    case ENOSPC:
    case EDQUOT: return WEIR_UNAVAILABLE;
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG: return WEIR_USAGE; /* no path for a store */
    default: return WEIR_IO;
    }
}

static enum weir_err os_fault(const char *what, const char *path, struct fault *fault)
{
    int e = errno;
    return fault_set(fault, err_of_errno(e), "cannot %s store '%.200s': %s", what, path, strerror(e));
}

/* ---- the place ---- */

/* A new name is safe from a power cut only when its directory is on the disk. */
static void sync_parent(const char *path)
{
    char dir[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash) {
        size_t n = slash == path ? 1 : (size_t)(slash - path);
        memcpy(dir, path, n);
        dir[n] = '\0';
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd); /* not every file system can; then there is nothing better to do */
    close(fd);
}

static enum weir_err make_parents(struct sqlite_file *f, const char *path, struct fault *fault)
{
    char dir[PATH_MAX];
    size_t n = strlen(path);
    for (size_t i = 1; i < n; i++) {
        if (path[i] != '/' || path[i - 1] == '/')
            continue;
        memcpy(dir, path, i);
        dir[i] = '\0';
        if (mkdir(dir, 0700) == 0) {
            f->made.dirs = f->made.dirs ? f->made.dirs : i;
            sync_parent(dir);
        } else if (errno != EEXIST) {
            return os_fault("make the directory of", path, fault);
        }
    }
    return WEIR_OK;
}

/* SQLite would create with 0644; its -wal and -shm take the mode of the database. */
static enum weir_err create_file(struct sqlite_file *f, const char *path, struct fault *fault)
{
    enum weir_err err = make_parents(f, path, fault);
    if (err)
        return err;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? WEIR_OK : os_fault("create", path, fault);
    f->made.file = true;
    close(fd);
    sync_parent(path);
    return WEIR_OK;
}

/* The one true name, so that two ways to one file meet at one lock. Anything but a file is refused: a pipe would hang.
 * So is a file of a few bytes: SQLite takes it for an empty database and would write over it (seen with 1 byte). */
static enum weir_err resolve(struct sqlite_file *f, const char *place, struct fault *fault)
{
    struct stat st;
    f->path = realpath(place, NULL);
    if (!f->path || stat(f->path, &st) != 0)
        return os_fault("open", place, fault);
    if (!S_ISREG(st.st_mode))
        return fault_set(fault, WEIR_USAGE, "store '%.200s' is not a regular file", f->path);
    if (st.st_size > 0 && st.st_size < SMALLEST_DATABASE)
        return fault_set(fault, WEIR_CORRUPT, "'%.200s' is not a weir store: it has %lld bytes only", f->path, (long long)st.st_size);
    return WEIR_OK;
}

static enum weir_err lock_name(const struct sqlite_file *f, char name[PATH_MAX + sizeof LOCK_SUFFIX], struct fault *fault)
{
    size_t n = strlen(f->path);
    if (n >= PATH_MAX)
        return fault_set(fault, WEIR_USAGE, "the path of the store is longer than %d bytes", PATH_MAX);
    memcpy(name, f->path, n);
    memcpy(name + n, LOCK_SUFFIX, sizeof LOCK_SUFFIX);
    return WEIR_OK;
}

/* A first open that failed removes its lock file: a lock on what has no name any more locks nothing. */
static bool still_named(int fd, const char *name)
{
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && lstat(name, &named) == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static enum weir_err take_lock(struct sqlite_file *f, struct fault *fault)
{
    char name[PATH_MAX + sizeof LOCK_SUFFIX];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    enum weir_err err = lock_name(f, name, fault);
    if (err)
        return err;
    f->lock_fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    f->made.lock = f->lock_fd >= 0;
    if (f->lock_fd < 0 && errno == EEXIST)
        f->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->lock_fd < 0)
        return os_fault("lock", f->path, fault);
    bool locked = fcntl(f->lock_fd, F_OFD_SETLK, &whole) == 0;
    if (locked && still_named(f->lock_fd, name))
        return WEIR_OK;
    if (locked || errno == EAGAIN || errno == EACCES) {
        f->made.lock = f->made.file = false; /* somebody else uses them */
        return fault_set(fault, WEIR_BUSY, "store '%.200s' is in use by another weir that writes to it: try again when that has ended", f->path);
    }
    return os_fault("lock", f->path, fault);
}

/* ---- the connection ---- */

/* SQLite reads a WAL database only where it can make its -shm file. On a file system mounted read-only it cannot, but
 * with no WAL left behind nothing can change either, and `immutable` says so: an archived store opens from its medium. */
static bool is_frozen(const char *path)
{
    struct statvfs fs;
    struct buffer wal;
    buffer_init(&wal, PATH_MAX + 8);
    buffer_puts(&wal, path);
    buffer_puts(&wal, "-wal");
    bool frozen = statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY) && access(buffer_cstr(&wal), F_OK) != 0 && errno == ENOENT;
    buffer_fini(&wal);
    return frozen;
}

static int connect_frozen(struct sqlite_file *f)
{
    struct buffer uri;
    buffer_init(&uri, 3 * PATH_MAX + 32);
    buffer_puts(&uri, "file:");
    for (const char *p = f->path; *p; p++) {
        if (strchr("%?#", *p))
            buffer_printf(&uri, "%%%02x", (unsigned)(unsigned char)*p);
        else
            buffer_put(&uri, p, 1);
    }
    buffer_puts(&uri, "?immutable=1");
    int rc = uri.err ? SQLITE_NOMEM : sqlite3_open_v2(buffer_cstr(&uri), &f->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    buffer_fini(&uri);
    return rc;
}

static enum weir_err connect_file(struct sqlite_file *f, enum store_mode mode, struct fault *fault)
{
    int flags = SQLITE_OPEN_NOMUTEX | (mode == STORE_READ_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    bool frozen = mode == STORE_READ_ONLY && is_frozen(f->path);
    int rc = frozen ? connect_frozen(f) : sqlite3_open_v2(f->path, &f->db, flags, NULL);
    if (!f->db)
        return fault_set(fault, WEIR_NOMEM, "cannot open store '%.200s': out of memory", f->path);
    if (rc)
        return sqlite_file_fault(f, "open", fault);
    if (mode == STORE_READ_WRITE && sqlite3_db_readonly(f->db, "main") == 1) /* SQLite falls back to reading silently */
        return fault_set(fault, WEIR_IO, "cannot open store '%.200s' for writing: it is read-only", f->path);
    sqlite3_extended_result_codes(f->db, 1);
    sqlite3_busy_timeout(f->db, BUSY_TIMEOUT_MS);
    return WEIR_OK;
}

/* A database is hostile input too: no triggers, views or functions of its own; no mapping, since a file that shrinks
 * under a mapping kills the process. */
static enum weir_err harden(struct sqlite_file *f, struct fault *fault)
{
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(f->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(f->db, SQLITE_LIMIT_LENGTH, RECORD_MAX);
    return sqlite_file_exec(f, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA cache_size=-1024;", "open", fault);
}

static enum weir_err read_number(struct sqlite_file *f, const char *sql, int64_t *out, struct fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(f->db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
    if (ok)
        *out = sqlite3_column_int64(stmt, 0);
    enum weir_err err = ok ? WEIR_OK : sqlite_file_fault(f, "open", fault);
    sqlite3_finalize(stmt);
    return err;
}

/* Ours, or (*fresh) an empty database: a new file, or one whose making was cut short. */
static enum weir_err identify(struct sqlite_file *f, bool *fresh, struct fault *fault)
{
    int64_t id = 0, schema = 0, tables = 0;
    enum weir_err err = read_number(f, "SELECT count(*) FROM sqlite_schema", &tables, fault);
    if (!err)
        err = read_number(f, "PRAGMA application_id", &id, fault);
    if (!err)
        err = read_number(f, "PRAGMA user_version", &schema, fault);
    if (err)
        return err;
    *fresh = id == 0 && schema == 0 && tables == 0;
    if (*fresh)
        return WEIR_OK;
    if (id != APPLICATION_ID)
        return fault_set(fault, WEIR_CORRUPT, "'%.200s' is not a weir store: it belongs to another program (application id 0x%08x)", f->path, (unsigned)id);
    if (schema > STORE_SCHEMA)
        return fault_set(fault, WEIR_VERSION, "store '%.200s' was written by a newer weir: schema %lld, this one knows %d", f->path, (long long)schema, STORE_SCHEMA);
    if (schema < STORE_SCHEMA)
        return fault_set(fault, WEIR_CORRUPT, "store '%.200s' has schema %lld, expected %d", f->path, (long long)schema, STORE_SCHEMA);
    return WEIR_OK;
}

static enum weir_err insert_meta(struct sqlite_file *f, struct fault *fault)
{
    int64_t epoch = 0;
    char sql[96];
    while (epoch == 0)
        if (getrandom(&epoch, sizeof epoch, 0) != (ssize_t)sizeof epoch)
            return fault_set(fault, WEIR_IO, "cannot create store '%.200s': no random numbers: %s", f->path, strerror(errno));
    sqlite3_snprintf(sizeof sql, sql, "INSERT INTO meta VALUES(1, %lld, 0)", (long long)epoch);
    return sqlite_file_exec(f, sql, "create", fault);
}

static enum weir_err create_schema(struct sqlite_file *f, struct fault *fault)
{
    char marks[96];
    sqlite3_snprintf(sizeof marks, marks, "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION_ID, STORE_SCHEMA);
    enum weir_err err = sqlite_file_exec(f, "BEGIN IMMEDIATE", "create", fault);
    if (!err)
        err = sqlite_file_exec(f, schema_sql, "create", fault);
    if (!err)
        err = sqlite_file_exec(f, marks, "create", fault);
    if (!err)
        err = insert_meta(f, fault);
    return err ? err : sqlite_file_exec(f, "COMMIT", "create", fault);
}

/* Where a file system cannot share memory SQLite keeps its rollback journal: as safe, but readers wait for a commit. */
static enum weir_err prepare_writing(struct sqlite_file *f, bool fresh, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    if (fresh) /* before the journal mode: WAL fixes the page size */
        err = sqlite_file_exec(f, "PRAGMA page_size = 8192", "create", fault);
    if (!err)
        err = sqlite_file_exec(f, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;", "open", fault);
    return !err && fresh ? create_schema(f, fault) : err;
}

static enum weir_err reach_file(struct sqlite_file *f, const char *place, enum store_mode mode, struct fault *fault)
{
    if (strlen(place) >= PATH_MAX)
        return fault_set(fault, WEIR_USAGE, "the path of the store is longer than %d bytes", PATH_MAX);
    enum weir_err err = mode == STORE_READ_WRITE ? create_file(f, place, fault) : WEIR_OK;
    if (!err)
        err = resolve(f, place, fault);
    if (!err && mode == STORE_READ_WRITE)
        err = take_lock(f, fault);
    return err;
}

/* SQLite's own names: in memory, or a file that has no name and is gone when it is closed. */
static enum weir_err reach_nameless(struct sqlite_file *f, const char *name, struct fault *fault)
{
    f->path = strdup(name);
    return f->path ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "cannot open a store: out of memory");
}

static enum weir_err reach(struct sqlite_file *f, const char *place, enum store_mode mode, struct fault *fault)
{
    if (strcmp(place, ":memory:") == 0)
        return reach_nameless(f, place, fault);
    return strncmp(place, TEMPORARY, strlen(TEMPORARY)) == 0 ? reach_nameless(f, "", fault) : reach_file(f, place, mode, fault);
}

/* All of another store, as it is now: its writer need not stop. */
static enum weir_err copy_from(struct sqlite_file *f, const char *place, struct fault *fault)
{
    struct sqlite_file from;
    enum weir_err err = sqlite_file_open(&from, place, STORE_READ_ONLY, fault);
    if (err)
        return err;
    sqlite3_backup *copy = sqlite3_backup_init(f->db, "main", from.db, "main");
    int rc = copy ? sqlite3_backup_step(copy, -1) : SQLITE_ERROR;
    if (copy && sqlite3_backup_finish(copy) && rc == SQLITE_DONE)
        rc = SQLITE_ERROR;
    if (rc != SQLITE_DONE)
        err = fault_set(fault, rc == SQLITE_NOMEM ? WEIR_NOMEM : WEIR_IO, "cannot copy store '%.200s': %s", from.path, sqlite3_errmsg(f->db));
    sqlite_file_close(&from);
    return err;
}

/* A mistyped path leaves nothing behind. The lock is still held, so nobody else has begun to use the file. */
static void unmake(struct sqlite_file *f, const char *place)
{
    char name[PATH_MAX + sizeof LOCK_SUFFIX];
    sqlite3_close_v2(f->db);
    f->db = NULL;
    if (f->made.file)
        unlink(f->path ? f->path : place);
    if (f->made.lock && lock_name(f, name, NULL) == WEIR_OK)
        unlink(name);
    for (size_t i = f->made.dirs ? strlen(place) : 0; i > 0 && i >= f->made.dirs; i--) {
        if (place[i] != '/')
            continue;
        memcpy(name, place, i);
        name[i] = '\0';
        rmdir(name); /* only if it is empty */
    }
}

enum weir_err sqlite_file_open(struct sqlite_file *f, const char *place, enum store_mode mode, struct fault *fault)
{
    bool fresh = false;
    *f = (struct sqlite_file){.lock_fd = -1};
    enum weir_err err = reach(f, place, mode, fault);
    if (!err)
        err = connect_file(f, mode, fault);
    if (!err && !*f->path && place[strlen(TEMPORARY)])
        err = copy_from(f, place + strlen(TEMPORARY), fault);
    if (!err)
        err = harden(f, fault);
    if (!err)
        err = identify(f, &fresh, fault);
    if (!err && mode == STORE_READ_WRITE)
        err = prepare_writing(f, fresh, fault);
    else if (!err && fresh)
        err = fault_set(fault, WEIR_NOTFOUND, "store '%.200s' is empty", f->path);
    if (err) {
        unmake(f, place);
        sqlite_file_close(f);
    }
    return err;
}

void sqlite_file_close(struct sqlite_file *f)
{
    sqlite3_close_v2(f->db);
    if (f->lock_fd >= 0)
        close(f->lock_fd); /* after the database: the next writer must find it at rest */
    free(f->path);
    *f = (struct sqlite_file){.lock_fd = -1};
}
