/* What is true of the SQLite backend only: where its file lies, whose it is, and what it says when the file is foreign,
 * torn, flipped, or the disk is full. The claims about a full and a read-only disk mount a tmpfs in a mount
 * namespace of this process; where that is not allowed they are skipped and say so. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* ---- files ---- */

struct bytes {
    char *p;
    size_t n;
};

static const char *path_of(const struct bench *b)
{
    return b->url + strlen("sqlite:");
}

static struct bytes read_whole(const char *path)
{
    struct bytes all = {NULL, 0};
    struct stat st;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    all.n = (size_t)st.st_size;
    all.p = malloc(all.n + 1);
    assert_int_equal(fread(all.p, 1, all.n, f), all.n);
    fclose(f);
    return all;
}

static void write_whole(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void close_store(struct bench *b)
{
    store_close(b->s);
    b->s = NULL;
}

/* A path that nothing stands at yet; b->url is its url. */
static const char *new_place(struct bench *b)
{
    close_store(b);
    b->backend->fresh(b->url, sizeof b->url);
    return path_of(b);
}

static void expect_open(struct bench *b, enum store_mode mode, enum weir_err wanted)
{
    b->fault.text[0] = '\0';
    expect(b, store_open(b->url, mode, &b->s, &b->fault), wanted);
    if (wanted && !strstr(b->fault.text, store_dir))
        fail_msg("the text does not name the file: %s", b->fault.text);
}

/* Neither a reader nor a writer takes it, and not a byte of it changes. */
static void expect_foreign(struct bench *b, enum weir_err wanted)
{
    struct bytes before = read_whole(path_of(b));
    expect_open(b, STORE_READ_ONLY, wanted);
    expect_open(b, STORE_READ_WRITE, wanted);
    struct bytes after = read_whole(path_of(b));
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, before.n);
    free(before.p);
    free(after.p);
}

/* ---- where the file lies ---- */

static void expect_mode(const char *path, mode_t mode)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, mode);
}

static void makes_its_files_0600_in_directories_0700(void **state)
{
    struct bench *b = *state;
    char wal[300], parent[128];
    mode_t old = umask(022);
    close_store(b);
    snprintf(parent, sizeof parent, "%s/deep/er", store_dir);
    snprintf(b->url, sizeof b->url, "sqlite:%s/a.store", parent);
    expect_open(b, STORE_READ_WRITE, WEIR_OK);
    put_alone(b, 'h', "1", "x");
    snprintf(wal, sizeof wal, "%s-wal", path_of(b));
    expect_mode(path_of(b), 0600);
    expect_mode(wal, 0600);
    expect_mode(parent, 0700);
    umask(old);
}

static void takes_two_names_of_one_file_for_one_store(void **state)
{
    struct bench *b = *state;
    char alias[128], url[160];
    struct store *second = NULL;
    snprintf(alias, sizeof alias, "%s/alias", store_dir);
    assert_int_equal(symlink(path_of(b), alias), 0);
    snprintf(url, sizeof url, "sqlite:%s", alias);
    expect(b, store_open(url, STORE_READ_WRITE, &second, &b->fault), WEIR_BUSY);
}

static void takes_a_name_that_sqlite_would_read_as_a_uri(void **state)
{
    struct bench *b = *state;
    char here[256];
    assert_non_null(getcwd(here, sizeof here));
    close_store(b);
    assert_int_equal(chdir(store_dir), 0);
    snprintf(b->url, sizeof b->url, "sqlite:file:x?mode=memory");
    enum weir_err err = store_open(b->url, STORE_READ_WRITE, &b->s, &b->fault);
    assert_int_equal(access("file:x?mode=memory", F_OK), 0);
    assert_int_equal(chdir(here), 0);
    expect(b, err, WEIR_OK);
}

static void refuses_what_is_no_regular_file(void **state)
{
    struct bench *b = *state;
    assert_int_equal(mkdir(new_place(b), 0700), 0);
    expect_open(b, STORE_READ_WRITE, WEIR_USAGE);
    assert_int_equal(mkfifo(new_place(b), 0600), 0);
    expect_open(b, STORE_READ_ONLY, WEIR_USAGE);
}

/* ---- whose it is ---- */

static void refuses_a_text_file_and_leaves_it_alone(void **state)
{
    struct bench *b = *state;
    char text[9000];
    memset(text, 'x', sizeof text);
    static const size_t sizes[] = {1, 20, 511, 512, 4096, sizeof text};
    for (size_t i = 0; i < WEIR_COUNT(sizes); i++) {
        write_whole(new_place(b), text, sizes[i]);
        expect_foreign(b, WEIR_CORRUPT);
    }
}

static void refuses_a_database_of_another_program_and_leaves_it_alone(void **state)
{
    struct bench *b = *state;
    run_sql(new_place(b), "CREATE TABLE t(x)");
    expect_foreign(b, WEIR_CORRUPT);
    run_sql(new_place(b), "PRAGMA application_id = 12345");
    expect_foreign(b, WEIR_CORRUPT);
    assert_non_null(strstr(b->fault.text, "not a weir store"));
}

static void refuses_a_newer_schema_with_version(void **state)
{
    struct bench *b = *state;
    close_store(b);
    run_sql(path_of(b), "PRAGMA user_version = 2");
    expect_foreign(b, WEIR_VERSION);
}

static void refuses_a_store_without_its_tables(void **state)
{
    struct bench *b = *state;
    static const char *const losses[] = {"DROP TABLE kv", "DROP TABLE outbox", "DROP TABLE meta", "DELETE FROM meta",
                                         "ALTER TABLE kv RENAME COLUMN value TO v"};
    for (size_t i = 0; i < WEIR_COUNT(losses); i++) {
        new_place(b);
        expect_open(b, STORE_READ_WRITE, WEIR_OK);
        close_store(b);
        run_sql(path_of(b), losses[i]);
        expect_open(b, STORE_READ_WRITE, WEIR_CORRUPT);
    }
}

static void refuses_a_view_in_place_of_a_table(void **state)
{
    struct bench *b = *state;
    close_store(b);
    run_sql(path_of(b), "DROP TABLE kv; CREATE VIEW kv AS SELECT 'h' AS kind, '1' AS id, x'00' AS value");
    expect_open(b, STORE_READ_ONLY, WEIR_CORRUPT);
}

static void makes_a_store_of_a_file_whose_making_was_cut_short(void **state)
{
    struct bench *b = *state;
    write_whole(new_place(b), "", 0);
    expect_open(b, STORE_READ_ONLY, WEIR_NOTFOUND);
    expect_open(b, STORE_READ_WRITE, WEIR_OK);
    put_alone(b, 'h', "1", "x");
    run_sql(new_place(b), "PRAGMA journal_mode = WAL"); /* the header is written, the tables are not */
    expect_open(b, STORE_READ_WRITE, WEIR_OK);
    put_alone(b, 'h', "1", "x");
}

static void refuses_a_value_in_the_file_that_is_over_the_limit(void **state)
{
    struct bench *b = *state;
    close_store(b);
    run_sql(path_of(b), "INSERT INTO kv VALUES('h', '1', zeroblob(70000000))");
    expect_open(b, STORE_READ_ONLY, WEIR_OK);
    expect(b, store_get(b->s, 'h', "1", &b->got, &b->fault), WEIR_CORRUPT);
}

static void refuses_an_outbox_entry_whose_uid_is_text(void **state)
{
    struct bench *b = *state;
    struct collected c = {.stop_at = SIZE_MAX};
    close_store(b);
    run_sql(path_of(b), "INSERT INTO outbox(uid, value) VALUES('../x', x'7b7d')");
    expect_open(b, STORE_READ_ONLY, WEIR_OK);
    expect(b, store_outbox(b->s, 0, 10, list_finding, &c, &b->fault), WEIR_CORRUPT);
}

/* ---- damage ---- */

enum { HOSTS = 40 };

/* A blob whose payload repeats its own number. */
static void build_blob(struct buffer *out, unsigned i)
{
    buffer_clear(out);
    size_t at = blob_begin(out, 'h', 1);
    for (unsigned n = 0; n < 100 + 40 * i; n++)
        buffer_u32(out, i);
    blob_end(out, at);
}

static void host_id(unsigned i, char out[8])
{
    snprintf(out, 8, "%x", i + 16);
}

static void fill(struct bench *b)
{
    struct buffer blob;
    char id[8];
    buffer_init(&blob, 1 << 20);
    begin(b);
    for (unsigned i = 0; i < HOSTS; i++) {
        build_blob(&blob, i);
        host_id(i, id);
        expect(b, store_put(b->s, 'h', id, (struct slice){blob.p, blob.n}, &b->fault), WEIR_OK);
    }
    commit(b);
    buffer_fini(&blob);
}

/* Every value of a damaged store is the right one, or none is given, or the blob says that it is damaged or another's. */
static void read_all(struct store *s, struct buffer *got)
{
    char id[8];
    for (unsigned i = 0; i < HOSTS; i++) {
        uint8_t version;
        struct cursor c;
        host_id(i, id);
        buffer_clear(got);
        if (store_get(s, 'h', id, got, NULL) || blob_open((struct slice){got->p, got->n}, 'h', 1, &version, &c))
            continue;
        uint32_t owner = cursor_u32(&c);
        assert_true(owner < HOSTS && cursor_left(&c) == 4 * (99 + 40 * (size_t)owner));
    }
}

static void open_damaged(struct bench *b, const char *path, const struct bytes *all, size_t n)
{
    struct store *s = NULL;
    char wal[300];
    snprintf(b->url, sizeof b->url, "sqlite:%s", path);
    snprintf(wal, sizeof wal, "%s-wal", path);
    unlink(wal);
    write_whole(path, all->p, n);
    enum weir_err err = store_open(b->url, STORE_READ_WRITE, &s, &b->fault);
    if (!err)
        read_all(s, &b->got);
    else if (err != WEIR_CORRUPT && err != WEIR_VERSION && err != WEIR_IO)
        fail_msg("%s: %s", weir_err_name(err), b->fault.text);
    store_close(s);
}

static void gives_no_wrong_value_from_a_file_with_a_flipped_byte(void **state)
{
    struct bench *b = *state;
    fill(b);
    close_store(b);
    struct bytes all = read_whole(path_of(b));
    const char *path = new_place(b);
    char place[256];
    snprintf(place, sizeof place, "%s", path);
    for (size_t i = 0; i < all.n; i += i < 128 ? 3 : 499) {
        all.p[i] = (char)~all.p[i];
        open_damaged(b, place, &all, all.n);
        all.p[i] = (char)~all.p[i];
    }
    free(all.p);
}

static void gives_no_wrong_value_from_a_file_cut_short(void **state)
{
    struct bench *b = *state;
    fill(b);
    close_store(b);
    struct bytes all = read_whole(path_of(b));
    char place[256];
    snprintf(place, sizeof place, "%s", new_place(b));
    for (size_t n = 1; n < all.n; n += 2111)
        open_damaged(b, place, &all, n);
    free(all.p);
}

static void says_corrupt_when_the_tail_of_the_file_is_missing(void **state)
{
    struct bench *b = *state;
    fill(b);
    close_store(b);
    assert_int_equal(truncate(path_of(b), 3 * 8192), 0);
    expect_open(b, STORE_READ_ONLY, WEIR_CORRUPT);
}

/* ---- a commit cut off by a crash: the log, torn at any byte, holds all of a commit or none ---- */

struct torn {
    struct bytes db, wal;
    char place[256], wal_place[272];
    unsigned olds, news;
};

static void commit_pairs(struct bench *b, const char *value)
{
    begin(b);
    for (unsigned i = 0; i < HOSTS; i++) {
        char id[8];
        host_id(i, id);
        put(b, 'w', id, value);
    }
    commit(b);
}

static void expect_old_or_new(struct bench *b, struct torn *t)
{
    struct store *s = NULL;
    char id[8];
    expect(b, store_open(b->url, STORE_READ_WRITE, &s, &b->fault), WEIR_OK);
    bool is_new = strcmp(value_in(b, s, 'w', "10"), "new") == 0;
    for (unsigned i = 0; i < HOSTS; i++) {
        host_id(i, id);
        assert_string_equal(value_in(b, s, 'w', id), is_new ? "new" : "old");
    }
    assert_int_equal(store_position(s).seq, is_new ? 2 : 1);
    *(is_new ? &t->news : &t->olds) += 1;
    store_close(s);
}

static void tear_up(struct bench *b, struct torn *t)
{
    char wal[300];
    commit_pairs(b, "old");
    reopen(b); /* into the database proper: the log starts anew */
    commit_pairs(b, "new");
    snprintf(wal, sizeof wal, "%s-wal", path_of(b));
    t->db = read_whole(path_of(b));
    t->wal = read_whole(wal);
    snprintf(t->place, sizeof t->place, "%s", new_place(b));
    snprintf(t->wal_place, sizeof t->wal_place, "%s-wal", t->place);
}

static void finds_old_or_new_but_no_mixture_after_a_torn_commit(void **state)
{
    struct bench *b = *state;
    struct torn t = {.olds = 0};
    tear_up(b, &t);
    for (size_t n = 0; n <= t.wal.n; n += n + 1000 < t.wal.n ? 997 : 1) {
        write_whole(t.place, t.db.p, t.db.n);
        write_whole(t.wal_place, t.wal.p, n);
        expect_old_or_new(b, &t);
    }
    assert_true(t.olds > 0 && t.news > 0);
    free(t.db.p);
    free(t.wal.p);
}

static void finds_old_or_new_but_no_mixture_after_a_flip_in_the_log(void **state)
{
    struct bench *b = *state;
    struct torn t = {.olds = 0};
    tear_up(b, &t);
    for (size_t i = 0; i < t.wal.n; i += 997) {
        t.wal.p[i] = (char)~t.wal.p[i];
        write_whole(t.place, t.db.p, t.db.n);
        write_whole(t.wal_place, t.wal.p, t.wal.n);
        t.wal.p[i] = (char)~t.wal.p[i];
        expect_old_or_new(b, &t);
    }
    assert_true(t.olds > 0);
    free(t.db.p);
    free(t.wal.p);
}

/* ---- bounds ---- */

static void commits_150_mb_in_less_than_16_mib_of_memory(void **state)
{
    struct bench *b = *state;
    size_t n = 600000;
    char *value = calloc(1, n), id[8];
    sqlite3_memory_highwater(1);
    begin(b);
    for (unsigned i = 0; i < 256; i++) {
        host_id(i, id);
        expect(b, store_put(b->s, 'w', id, (struct slice){value, n}, &b->fault), WEIR_OK);
    }
    commit(b);
    assert_true(sqlite3_memory_highwater(0) < 16 << 20);
    free(value);
}

static void gives_back_the_log_of_a_large_commit_at_the_next(void **state)
{
    struct bench *b = *state;
    char wal[300];
    struct stat st;
    commits_150_mb_in_less_than_16_mib_of_memory(state);
    put_alone(b, 'h', "1", "x");
    snprintf(wal, sizeof wal, "%s-wal", path_of(b));
    assert_int_equal(stat(wal, &st), 0);
    assert_true(st.st_size <= 16 << 20);
}

/* ---- disks ---- */

/* A tmpfs that only this process sees, at store_dir/disk. */
static void mount_disk(struct bench *b, const char *options)
{
    char place[96];
    snprintf(place, sizeof place, "%s/disk", store_dir);
    if ((mkdir(place, 0700) != 0 && errno != EEXIST) || unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", place, "tmpfs", 0, options) != 0) {
        print_message("SKIPPED: a tmpfs cannot be mounted here (needs CAP_SYS_ADMIN)\n");
        skip();
    }
    close_store(b);
    snprintf(b->url, sizeof b->url, "sqlite:%s/a.store", place);
}

static void unmount_disk(void)
{
    char place[96];
    snprintf(place, sizeof place, "%s/disk", store_dir);
    assert_int_equal(umount2(place, MNT_DETACH), 0);
}

static enum weir_err commit_mebibytes(struct store *s, unsigned n, struct fault *fault)
{
    char *value = calloc(1, 1 << 20), id[8];
    enum weir_err err = store_begin(s, fault);
    for (unsigned i = 0; i < n && !err; i++) {
        host_id(i, id);
        err = store_put(s, 'w', id, (struct slice){value, 1 << 20}, fault);
    }
    free(value);
    enum weir_err end = store_commit(s, err ? NULL : fault);
    return err ? err : end;
}

static void says_unavailable_on_a_full_disk_and_keeps_what_it_had(void **state)
{
    struct bench *b = *state;
    mount_disk(b, "size=8m");
    expect_open(b, STORE_READ_WRITE, WEIR_OK);
    put_alone(b, 'h', "1", "old");
    expect(b, commit_mebibytes(b->s, 16, &b->fault), WEIR_UNAVAILABLE);
    assert_non_null(strstr(b->fault.text, "full"));
    assert_false(store_has(b->s, 'w', "10"));
    put_alone(b, 'h', "2", "small enough");
    reopen(b);
    assert_string_equal(value_of(b, 'h', "1"), "old");
    assert_string_equal(value_of(b, 'h', "2"), "small enough");
    close_store(b);
    unmount_disk();
}

static void says_unavailable_when_there_is_no_room_for_a_new_store(void **state)
{
    struct bench *b = *state;
    mount_disk(b, "size=4k");
    expect_open(b, STORE_READ_WRITE, WEIR_UNAVAILABLE);
    unmount_disk();
}

static void opens_an_archived_store_from_a_read_only_disk(void **state)
{
    struct bench *b = *state;
    char place[96];
    mount_disk(b, "size=8m");
    snprintf(place, sizeof place, "%s/disk", store_dir);
    expect_open(b, STORE_READ_WRITE, WEIR_OK);
    put_alone(b, 'h', "1", "kept for six years");
    close_store(b);
    assert_int_equal(mount(NULL, place, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    expect_open(b, STORE_READ_WRITE, WEIR_IO);
    expect_open(b, STORE_READ_ONLY, WEIR_OK);
    assert_string_equal(value_of(b, 'h', "1"), "kept for six years");
    close_store(b);
    unmount_disk();
}

static const struct claim claims[] = {
    CLAIM(makes_its_files_0600_in_directories_0700),
    CLAIM(takes_two_names_of_one_file_for_one_store),
    CLAIM(takes_a_name_that_sqlite_would_read_as_a_uri),
    CLAIM(refuses_what_is_no_regular_file),
    CLAIM(refuses_a_text_file_and_leaves_it_alone),
    CLAIM(refuses_a_database_of_another_program_and_leaves_it_alone),
    CLAIM(refuses_a_newer_schema_with_version),
    CLAIM(refuses_a_store_without_its_tables),
    CLAIM(refuses_a_view_in_place_of_a_table),
    CLAIM(makes_a_store_of_a_file_whose_making_was_cut_short),
    CLAIM(refuses_a_value_in_the_file_that_is_over_the_limit),
    CLAIM(refuses_an_outbox_entry_whose_uid_is_text),
    CLAIM(gives_no_wrong_value_from_a_file_with_a_flipped_byte),
    CLAIM(gives_no_wrong_value_from_a_file_cut_short),
    CLAIM(says_corrupt_when_the_tail_of_the_file_is_missing),
    CLAIM(finds_old_or_new_but_no_mixture_after_a_torn_commit),
    CLAIM(finds_old_or_new_but_no_mixture_after_a_flip_in_the_log),
    CLAIM(commits_150_mb_in_less_than_16_mib_of_memory),
    CLAIM(gives_back_the_log_of_a_large_commit_at_the_next),
    CLAIM(says_unavailable_on_a_full_disk_and_keeps_what_it_had),
    CLAIM(says_unavailable_when_there_is_no_room_for_a_new_store),
    CLAIM(opens_an_archived_store_from_a_read_only_disk),
};

int main(void)
{
    return run_on_backends(claims, WEIR_COUNT(claims), "sqlite");
}
