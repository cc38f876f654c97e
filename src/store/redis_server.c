/* What is said to a server before it is trusted with state: the password, and whether it is of a kind that would lose or tear what is
 * written. With allkeys-lru a full server threw away 17,836 of 19,999 acknowledged transactions without an error; without an
 * append-only file a restart loses everything since the last snapshot; a replica would lose the next resynchronisation. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_MAX 4096
#define OLDEST_MAJOR 6
#define OLDEST_MINOR 2

/* ---- the password ---- */

static enum weir_err file_fault(const char *path, const char *why, struct fault *fault)
{
    return fault_set(fault, WEIR_USAGE, "cannot use the password file '%.200s': %s", path, why);
}

/* Read at every connection, so that a password may change while a service runs. Its last newline is not part of it. */
static enum weir_err read_password(const char *path, char out[PASSWORD_MAX + 2], struct fault *fault)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return file_fault(path, strerror(errno), fault);
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    ssize_t n = ok ? read(fd, out, PASSWORD_MAX + 1) : 0;
    close(fd);
    if (!ok)
        return file_fault(path, "not a regular file", fault);
    if (st.st_mode & 07)
        return file_fault(path, "everybody on this machine may read or change it; chmod o= it", fault);
    if (n > 0 && out[n - 1] == '\n')
        n--;
    if (n <= 0 || n > PASSWORD_MAX || memchr(out, 0, (size_t)n))
        return file_fault(path, "it must hold one password of 1 to 4096 bytes", fault);
    out[n] = '\0';
    return WEIR_OK;
}

static enum weir_err ask_sign_in(struct redis_conn *c, const struct redis_place *place, struct fault *fault)
{
    char password[PASSWORD_MAX + 2];
    enum weir_err err = read_password(place->password_file, password, fault);
    if (!err && *place->user)
        redis_conn_ask(c, 3, (const char *const[]){"AUTH", place->user, password});
    else if (!err)
        redis_conn_ask(c, 2, (const char *const[]){"AUTH", password});
    explicit_bzero(password, sizeof password);
    return err;
}

/* ---- what it is ---- */

static void take_text(char *out, size_t cap, struct slice value)
{
    size_t n = value.n < cap ? value.n : cap - 1;
    memcpy(out, value.p, n);
    out[n] = '\0';
}

static void take_line(struct redis_info *info, struct slice name, struct slice value)
{
    const struct { const char *name; char *out; size_t cap; } texts[] = {
        {"redis_version", info->version, sizeof info->version}, {"run_id", info->run_id, sizeof info->run_id},
        {"role", info->role, sizeof info->role}, {"maxmemory_policy", info->policy, sizeof info->policy},
        {"redis_mode", info->mode, sizeof info->mode},
    };
    for (size_t i = 0; i < WEIR_COUNT(texts); i++)
        if (slice_eq(name, slice_of(texts[i].name)))
            take_text(texts[i].out, texts[i].cap, value);
    if (slice_eq(name, SLICE_LIT("aof_enabled")))
        info->aof = slice_eq(value, SLICE_LIT("1"));
    if (slice_eq(name, SLICE_LIT("loading")))
        info->loading = slice_eq(value, SLICE_LIT("1"));
    if (slice_eq(name, SLICE_LIT("connected_slaves")) && parse_u64(value, UINT32_MAX, &info->replicas))
        info->replicas = 0;
}

static enum weir_err take_info(void *ctx, const struct redis_item *item)
{
    struct slice rest = item->text;
    while (item->type == REDIS_REPLY_STRING && rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n, line = n && rest.p[n - 1] == '\r' ? n - 1 : n;
        const char *colon = memchr(rest.p, ':', line);
        if (colon) {
            size_t name = (size_t)(colon - rest.p);
            take_line(ctx, (struct slice){rest.p, name}, (struct slice){colon + 1, line - name - 1});
        }
        n += end ? 1 : 0;
        rest = (struct slice){rest.p + n, rest.n - n};
    }
    return WEIR_OK;
}

static enum weir_err read_info(struct redis_conn *c, struct redis_info *out, struct fault *fault)
{
    struct redis_reply reply;
    bool again;
    *out = (struct redis_info){.aof = false};
    enum weir_err err = redis_conn_reply(c, take_info, out, &reply, fault);
    if (!err && reply.type == REDIS_REPLY_ERROR)
        err = redis_server_fault("ask the server what it is", reply.text, &again, fault);
    if (!err && (!*out->version || !*out->run_id || !*out->role))
        err = fault_set(fault, WEIR_USAGE, "what answers at the store's address is no Redis server");
    if (!err && out->loading) /* until then it says that it has no append-only file, too */
        err = fault_set(fault, WEIR_UNAVAILABLE, "the server of the store is still loading its data");
    return err;
}

static enum weir_err sign_in_fault(const char *error, struct fault *fault)
{
    bool again;
    enum weir_err err = redis_server_fault("sign in to the store", error, &again, fault);
    if (err == WEIR_IO) /* ERR: a password where none is configured */
        fault->err = err = WEIR_USAGE;
    return err;
}

enum weir_err redis_server_greet(struct redis_conn *c, const struct redis_place *place, struct redis_info *out, struct fault *fault)
{
    struct redis_reply reply = {.type = 0};
    bool sign_in = *place->password_file;
    enum weir_err err = sign_in ? ask_sign_in(c, place, fault) : WEIR_OK;
    redis_conn_ask(c, 1, (const char *const[]){"INFO"});
    if (!err && sign_in)
        err = redis_conn_reply(c, NULL, NULL, &reply, fault);
    if (!err && reply.type == REDIS_REPLY_ERROR)
        err = sign_in_fault(reply.text, fault);
    err = err ? err : read_info(c, out, fault);
    if (err == WEIR_CORRUPT) /* an answer that is none: a web server, say */
        err = fault->err = WEIR_USAGE;
    return err;
}

/* ---- is it fit ---- */

static bool is_new_enough(const struct redis_info *info)
{
    struct slice text = slice_of(info->version);
    size_t major_n = strcspn(text.p, "."), minor_n = text.p[major_n] ? strcspn(text.p + major_n + 1, ".") : 0;
    uint64_t major = 0, minor = 0;
    if (parse_u64((struct slice){text.p, major_n}, 1000, &major) || (minor_n && parse_u64((struct slice){text.p + major_n + 1, minor_n}, 1000, &minor)))
        return false;
    return major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= OLDEST_MINOR);
}

struct check {
    const char *subject;
    bool fine;
    const char *found, *why_not; /* why_not: the reason and the fix */
};

enum weir_err redis_server_check(const struct redis_info *info, const struct redis_place *place, store_survey_each *each, void *ctx, struct fault *fault)
{
    bool cluster = strcmp(info->mode, "cluster") == 0;
    const struct check checks[] = {
        {"version", is_new_enough(info), info->version, "older than 6.2: install a newer server"},
        {"role", strcmp(info->role, "master") == 0, info->role, "a replica loses what is written to it: name its master in the url of the store"},
        {"maxmemory-policy", strcmp(info->policy, "noeviction") == 0, info->policy,
         "a full server would throw away keys and say nothing: set maxmemory-policy noeviction"},
        {"appendonly", info->aof, info->aof ? "yes" : "no", "a restart would lose commits: set appendonly yes, and appendfsync always"},
        {"mode", cluster == place->cluster, info->mode,
         cluster ? "a node of a cluster: use redis-cluster:// (or rediss-cluster://)" : "no cluster: use redis:// (or rediss://)"},
    };
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < WEIR_COUNT(checks) && (each || !err); i++) {
        if (!checks[i].fine)
            err = fault_set(fault, WEIR_USAGE, "the store is refused: its %s is '%s': %s", checks[i].subject, checks[i].found, checks[i].why_not);
        if (each)
            each(ctx, checks[i].subject, checks[i].fine, checks[i].found, checks[i].fine ? "" : checks[i].why_not);
    }
    return err;
}

/* ---- what it refuses ---- */

enum weir_err redis_server_fault(const char *what, const char *error, bool *again, struct fault *fault)
{
    static const struct { const char *word; enum weir_err err; bool again; const char *text; } known[] = {
        {"MOVED", WEIR_UNAVAILABLE, true, "its keys are at another node now"},
        {"ASK", WEIR_UNAVAILABLE, true, "its keys are on the way to another node"},
        {"TRYAGAIN", WEIR_UNAVAILABLE, true, "its keys are on the way to another node"},
        {"CLUSTERDOWN", WEIR_UNAVAILABLE, true, "the cluster is down"},
        {"LOADING", WEIR_UNAVAILABLE, true, "the server is still loading its data"},
        {"MASTERDOWN", WEIR_UNAVAILABLE, true, "the server has lost its master"},
        {"READONLY", WEIR_UNAVAILABLE, true, "the server has become a replica"},
        {"NOREPLICAS", WEIR_UNAVAILABLE, false, "too few replicas are connected"},
        {"OOM", WEIR_UNAVAILABLE, false, "the server is out of memory: raise its maxmemory"},
        {"MISCONF", WEIR_UNAVAILABLE, false, "the server cannot write to its disk"},
        {"BUSY", WEIR_UNAVAILABLE, false, "the server is busy with a script"},
        {"NOAUTH", WEIR_USAGE, false, "the server wants a password: name its file as 'redis.password_file'"},
        {"WRONGPASS", WEIR_USAGE, false, "the server does not take this user and password"},
        {"NOPERM", WEIR_USAGE, false, "the user lacks a right that weir needs"},
        {"WRONGTYPE", WEIR_CORRUPT, false, "the key holds something that weir never writes"},
    };
    size_t n = strcspn(error, " ");
    *again = false;
    for (size_t i = 0; i < WEIR_COUNT(known); i++)
        if (strlen(known[i].word) == n && memcmp(known[i].word, error, n) == 0) {
            *again = known[i].again;
            return fault_set(fault, known[i].err, "cannot %s: %s (%.150s)", what, known[i].text, error);
        }
    return fault_set(fault, WEIR_IO, "cannot %s: %.200s", what, error);
}
