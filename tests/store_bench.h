/* The bench on which the claims about a store are run, once for every backend: a new backend adds a row to `backends`
 * and nothing else. Included by test_store.c (every backend), test_store_durable.c (those that outlive the process)
 * and test_store_sqlite.c (that one). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_STORE_BENCH_H
#define WEIR_TESTS_STORE_BENCH_H

#include <weir/store.h>

#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- backends ---- */

static char store_dir[64];
static unsigned stores_made;

struct backend {
    const char *name;
    bool durable;
    void (*fresh)(char *url, size_t n);  /* the url of a store that does not exist yet */
    void (*overtake)(const char *url);   /* commit behind the back of a writer that holds the store */
    const char *server;                  /* what scripts/redis starts for it, NULL: none */
};
static const struct backend *backend_now;

static inline void fresh_file(char *url, size_t n)
{
    snprintf(url, n, "sqlite:%s/%u.store", store_dir, ++stores_made);
}

static inline void fresh_memory(char *url, size_t n)
{
    snprintf(url, n, "sqlite::memory:");
}

static inline void overtake_file(const char *url)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE meta SET seq = seq + 1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- servers: each its own, in store_dir; stores in it are shards ---- */

static inline void first_line(const char *path, char *out, size_t n)
{
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    if (!fgets(out, (int)n, in))
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(in);
}

static inline void fresh_shard(char *url, size_t n)
{
    char path[128], base[256];
    snprintf(path, sizeof path, "%s/%s/url", store_dir, backend_now->server);
    first_line(path, base, sizeof base);
    snprintf(url, n, "%s?shard=%u", base, ++stores_made);
}

static inline const char *shard_of(const char *url)
{
    return strstr(url, "shard=") + strlen("shard=");
}

/* redis-cli on the server of this backend. */
static inline int redis_cli(const char *arguments)
{
    char command[1024];
    snprintf(command, sizeof command, "scripts/redis cli '%s/%s' %s >>'%s/said' 2>&1", store_dir, backend_now->server, arguments, store_dir);
    return system(command);
}

static inline void overtake_shard(const char *url)
{
    char arguments[128];
    snprintf(arguments, sizeof arguments, "HINCRBY 'weir:{%s}:meta' seq 1", shard_of(url));
    assert_int_equal(redis_cli(arguments), 0);
}

static const char *server_options = "";

static inline int start_server(const struct backend *backend)
{
    char command[256];
    if (!backend->server)
        return 0;
    snprintf(command, sizeof command, "scripts/redis start %s '%s/%s' --ends-with %d %s >/dev/null", backend->server, store_dir, backend->server, (int)getpid(),
             server_options);
    return system(command);
}

static inline void stop_server(const struct backend *backend)
{
    char command[128];
    snprintf(command, sizeof command, "scripts/redis stop '%s/%s'", store_dir, backend->server);
    if (backend->server && system(command) != 0)
        print_error("cannot stop the server of %s\n", backend->name);
}

/* Every store of the tests is opened here: the one over TLS needs its files. */
static inline enum weir_err bench_open(const char *url, enum store_mode mode, struct store **out, struct fault *fault)
{
    static char file[4][128];
    static const char *const names[] = {"password", "tls/ca.crt", "tls/client.crt", "tls/client.key"};
    const char *host = strstr(url, "://");
    if (strncmp(url, "rediss:", 7) != 0 || !host)
        return store_open(url, mode, out, fault);
    for (size_t i = 0; i < WEIR_COUNT(file); i++)
        snprintf(file[i], sizeof file[i], "%s/tls/%s", store_dir, names[i]);
    const struct store_options options = {file[0], file[1], file[2], file[3]};
    return store_open_with(url, mode, &options, out, fault);
}

static const struct backend backends[] = {
    {"sqlite", true, fresh_file, overtake_file, NULL},
    {"memory", false, fresh_memory, NULL, NULL},
    {"redis", true, fresh_shard, overtake_shard, "plain"},
    {"rediss", true, fresh_shard, overtake_shard, "tls"},
    {"redis-cluster", true, fresh_shard, overtake_shard, "cluster"},
};

/* ---- a store for each claim ---- */

struct bench {
    const struct backend *backend;
    char url[512];
    struct store *s;
    struct buffer got;
    struct fault fault;
};

static inline int open_bench(void **state)
{
    const struct backend *backend = *state;
    struct bench *b = calloc(1, sizeof *b);
    b->backend = backend;
    buffer_init(&b->got, 2 * (size_t)STORE_VALUE_MAX);
    backend->fresh(b->url, sizeof b->url);
    *state = b;
    enum weir_err err = bench_open(b->url, STORE_READ_WRITE, &b->s, &b->fault);
    if (err)
        print_error("%s\n", b->fault.text);
    return (int)err;
}

static inline int close_bench(void **state)
{
    struct bench *b = *state;
    store_close(b->s);
    buffer_fini(&b->got);
    free(b);
    return 0;
}

static inline void expect(struct bench *b, enum weir_err got, enum weir_err wanted)
{
    if (got != wanted)
        fail_msg("%s, expected %s: %s", weir_err_name(got), weir_err_name(wanted), got ? b->fault.text : "");
}

static inline void put(struct bench *b, char kind, const char *id, const char *value)
{
    expect(b, store_put(b->s, kind, id, slice_of(value), &b->fault), WEIR_OK);
}

static inline void begin(struct bench *b)
{
    expect(b, store_begin(b->s, &b->fault), WEIR_OK);
}

static inline void commit(struct bench *b)
{
    expect(b, store_commit(b->s, &b->fault), WEIR_OK);
}

static inline void put_alone(struct bench *b, char kind, const char *id, const char *value)
{
    begin(b);
    put(b, kind, id, value);
    commit(b);
}

/* What a store holds under a key: the value, or "-" if there is none. */
static inline const char *value_in(struct bench *b, struct store *s, char kind, const char *id)
{
    buffer_clear(&b->got);
    enum weir_err err = store_get(s, kind, id, &b->got, &b->fault);
    if (err == WEIR_NOTFOUND)
        return "-";
    expect(b, err, WEIR_OK);
    return buffer_cstr(&b->got);
}

static inline const char *value_of(struct bench *b, char kind, const char *id)
{
    return value_in(b, b->s, kind, id);
}

static inline void reopen(struct bench *b)
{
    store_close(b->s);
    b->s = NULL;
    expect(b, bench_open(b->url, STORE_READ_WRITE, &b->s, &b->fault), WEIR_OK);
}

static inline struct store *open_reader(struct bench *b)
{
    struct store *reader = NULL;
    expect(b, bench_open(b->url, STORE_READ_ONLY, &reader, &b->fault), WEIR_OK);
    return reader;
}

/* ---- callbacks and values that many claims share ---- */

struct collected {
    struct buffer text;
    struct store *s;
    size_t stop_at;
    enum weir_err inner;
};

static const char *const three_ids[] = {"3", "2", "1"};

static inline void put_1_and_3(struct bench *b)
{
    begin(b);
    put(b, 'h', "1", "one");
    put(b, 'h', "3", "three");
    commit(b);
}

static inline enum weir_err list_finding(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct collected *c = ctx;
    if (seq == c->stop_at)
        return WEIR_INTERRUPTED;
    buffer_printf(&c->text, "%llu:%s=%.*s ", (unsigned long long)seq, uid, (int)json.n, json.p);
    return WEIR_OK;
}

static inline void put_finding(struct bench *b, const char *uid, const char *json)
{
    begin(b);
    expect(b, store_put_finding(b->s, uid, slice_of(json), &b->fault), WEIR_OK);
    commit(b);
}

static inline void expect_outbox(struct bench *b, uint64_t after, size_t limit, const char *wanted)
{
    struct collected c = {.stop_at = SIZE_MAX};
    buffer_init(&c.text, 4096);
    expect(b, store_outbox(b->s, after, limit, list_finding, &c, &b->fault), WEIR_OK);
    assert_string_equal(buffer_cstr(&c.text), wanted);
    buffer_fini(&c.text);
}

/* ---- a table of claims ---- */

struct claim {
    const char *name;
    CMUnitTestFunction run;
};
#define CLAIM(f) {#f, f}
#define CLAIMS_MAX 64

static inline int run_claims(const struct backend *backend, const struct claim *claims, size_t n)
{
    struct CMUnitTest tests[CLAIMS_MAX];
    char names[CLAIMS_MAX][128];
    if (n > CLAIMS_MAX)
        return 1;
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%s %s", backend->name, claims[i].name);
        tests[i] = (struct CMUnitTest){names[i], claims[i].run, open_bench, close_bench, (void *)(uintptr_t)backend};
    }
    return _cmocka_run_group_tests(backend->name, tests, n, NULL, NULL);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

/* All claims on the backends meant; returns the number of failures. */
#define ON_EVERY_BACKEND ""
#define ON_DURABLE_BACKENDS "durable"
static inline bool is_meant(const struct backend *backend, const char *which)
{
    return !*which || (backend->durable && strcmp(which, ON_DURABLE_BACKENDS) == 0) || strcmp(which, backend->name) == 0;
}

static inline bool make_store_dir(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(store_dir, sizeof store_dir, "%.40s/weir-store.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(store_dir) != NULL;
}

static inline void remove_store_dir(void)
{
    nftw(store_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int run_on_backends(const struct claim *claims, size_t n, const char *which)
{
    int failed = 0;
    if (!make_store_dir())
        return 1;
    for (size_t i = 0; i < WEIR_COUNT(backends); i++) {
        if (!is_meant(&backends[i], which))
            continue;
        backend_now = &backends[i];
        failed += start_server(backend_now) ? 1 : run_claims(backend_now, claims, n);
        stop_server(backend_now);
    }
    remove_store_dir();
    return failed;
}

#endif
