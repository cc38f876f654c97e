/* The url of a Redis store, taken apart:
 *   redis://[USER@]HOST[:PORT][/][?shard=NAME]              rediss:// the same over TLS
 *   unix:PATH[?shard=NAME][&user=USER]
 *   redis-cluster://[USER@]HOST[:PORT],HOST[:PORT]...       rediss-cluster:// the same over TLS
 *
 * A password has no place in a url, which stands in argv, in logs and in `config show`: it is refused, and no message here shows
 * more of a url than its kind. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT "6379"
#define DEFAULT_SHARD "0"

static bool copy_text(char *out, size_t cap, struct slice s)
{
    if (s.n >= cap || (s.n && memchr(s.p, 0, s.n)))
        return false;
    if (s.n)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

/* What stands before the first c; *rest begins behind it, or is empty. */
static struct slice cut(struct slice s, char c, struct slice *rest)
{
    const char *p = s.n ? memchr(s.p, c, s.n) : NULL;
    size_t head = p ? (size_t)(p - s.p) : s.n;
    *rest = p ? (struct slice){p + 1, s.n - head - 1} : (struct slice){"", 0};
    return (struct slice){s.p, head};
}

enum weir_err redis_node_parse(struct slice text, struct redis_node *out)
{
    struct slice host, port;
    uint64_t number = 0;
    if (text.n && text.p[0] == '[') {
        host = cut((struct slice){text.p + 1, text.n - 1}, ']', &port);
        if (host.n + 1 == text.n || (port.n && port.p[0] != ':'))
            return WEIR_SYNTAX;
        port = port.n ? (struct slice){port.p + 1, port.n - 1} : port;
    } else {
        host = cut(text, ':', &port);
    }
    if (!port.n)
        port = slice_of(DEFAULT_PORT);
    if (!host.n || parse_u64(port, 65535, &number) || number == 0)
        return WEIR_SYNTAX;
    for (size_t i = 0; i < host.n; i++)
        if ((unsigned char)host.p[i] <= 0x20 || (unsigned char)host.p[i] >= 0x7f || strchr("/@?#,\\", host.p[i]))
            return WEIR_SYNTAX;
    return copy_text(out->host, sizeof out->host, host) && copy_text(out->port, sizeof out->port, port) ? WEIR_OK : WEIR_SYNTAX;
}

static bool is_shard(struct slice s)
{
    if (s.n < 1 || s.n > REDIS_SHARD_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
            return false;
    return true;
}

static enum weir_err take_query(struct redis_place *p, struct slice query, struct fault *fault)
{
    while (query.n) {
        struct slice value, pair = cut(query, '&', &query), name = cut(pair, '=', &value);
        if (slice_eq(name, SLICE_LIT("shard"))) {
            if (!is_shard(value) || !copy_text(p->shard, sizeof p->shard, value))
                return fault_set(fault, WEIR_USAGE, "the shard of a Redis store is 1 to %d of a-z, 0-9 and -", REDIS_SHARD_MAX);
        } else if (slice_eq(name, SLICE_LIT("user")) && *p->path) {
            if (!value.n || !copy_text(p->user, sizeof p->user, value))
                return fault_set(fault, WEIR_USAGE, "the user of a Redis store has 1 to %zu bytes", sizeof p->user - 1);
        } else {
            return fault_set(fault, WEIR_USAGE, "the url of a Redis store knows 'shard' behind the question mark%s, nothing else", *p->path ? " and 'user'" : "");
        }
    }
    return WEIR_OK;
}

/* The last @ ends the user: no host has one, and a password might. */
static enum weir_err take_user(struct redis_place *p, struct slice *rest, struct fault *fault)
{
    const char *at = rest->n ? memrchr(rest->p, '@', rest->n) : NULL;
    if (!at)
        return WEIR_OK;
    struct slice user = {rest->p, (size_t)(at - rest->p)};
    if (memchr(user.p, ':', user.n))
        return fault_set(fault, WEIR_USAGE, "a password must not stand in the url of a store: write it to a file and name that as 'redis.password_file'");
    if (!user.n || !copy_text(p->user, sizeof p->user, user))
        return fault_set(fault, WEIR_USAGE, "the user of a Redis store has 1 to %zu bytes", sizeof p->user - 1);
    *rest = (struct slice){at + 1, rest->n - user.n - 1};
    return WEIR_OK;
}

static enum weir_err take_nodes(struct redis_place *p, struct slice list, struct fault *fault)
{
    if (!list.n)
        return fault_set(fault, WEIR_USAGE, "the url of a Redis store names no host");
    while (list.n) {
        struct slice one = cut(list, ',', &list);
        if (p->nodes == REDIS_NODES_MAX)
            return fault_set(fault, WEIR_USAGE, "the url of a Redis store names more than %d hosts", REDIS_NODES_MAX);
        if (redis_node_parse(one, &p->node[p->nodes++]))
            return fault_set(fault, WEIR_USAGE, "host %zu of the url of a Redis store must be HOST:PORT or [ADDRESS]:PORT, port from 1 to 65535", p->nodes);
    }
    if (p->nodes > 1 && !p->cluster)
        return fault_set(fault, WEIR_USAGE, "the url of a Redis store names several hosts: only %s://HOST,HOST does", p->tls ? "rediss-cluster" : "redis-cluster");
    return WEIR_OK;
}

static enum weir_err take_url(struct redis_place *p, const char *url, struct fault *fault)
{
    static const char sock[] = "unix:";
    struct slice query, text = cut(slice_of(url), '?', &query);
    memcpy(p->shard, DEFAULT_SHARD, sizeof DEFAULT_SHARD);
    if (strncmp(url, sock, sizeof sock - 1) == 0) {
        struct slice path = {text.p + sizeof sock - 1, text.n - (sizeof sock - 1)};
        if (!path.n || path.p[0] != '/' || !copy_text(p->path, sizeof p->path, path))
            return fault_set(fault, WEIR_USAGE, "the store 'unix:' needs the path of a socket, from / and of at most %zu bytes", sizeof p->path - 1);
        p->nodes = 1;
        return take_query(p, query, fault);
    }
    struct slice scheme = {url, strcspn(url, ":")}, rest = {url + scheme.n + 3, text.n - scheme.n - 3};
    p->tls = scheme.n > 5 && scheme.p[5] == 's';
    p->cluster = memchr(scheme.p, '-', scheme.n) != NULL;
    enum weir_err err = take_user(p, &rest, fault);
    if (!err && rest.n && rest.p[rest.n - 1] == '/')
        rest.n--;
    if (!err)
        err = take_nodes(p, rest, fault);
    return err ? err : take_query(p, query, fault);
}

static bool keep(const char **out, const char *text)
{
    *out = strdup(text ? text : "");
    return *out != NULL;
}

static bool keep_files(struct redis_place *p, const struct store_options *o)
{
    static const struct store_options none;
    o = o ? o : &none;
    bool ok = keep(&p->password_file, o->password_file) && keep(&p->ca_file, o->ca_file);
    return ok && keep(&p->cert_file, o->cert_file) && keep(&p->key_file, o->key_file);
}

enum weir_err redis_place_parse(const char *url, const struct store_options *options, struct redis_place **out, struct fault *fault)
{
    struct redis_place *p = *out = calloc(1, sizeof *p);
    enum weir_err err = p && keep_files(p, options) ? take_url(p, url, fault) : fault_set(fault, WEIR_NOMEM, "cannot open the store: out of memory");
    if (!err && *p->user && !*p->password_file)
        err = fault_set(fault, WEIR_USAGE, "the url of the store names a user: its password is read from a file, name that as 'redis.password_file'");
    if (!err && !p->tls && (*p->ca_file || *p->cert_file || *p->key_file))
        err = fault_set(fault, WEIR_USAGE, "certificates are configured, but the store is not encrypted: use rediss:// or rediss-cluster://");
    if (!err && !*p->cert_file != !*p->key_file)
        err = fault_set(fault, WEIR_USAGE, "'redis.cert_file' and 'redis.key_file' belong together");
    if (err) {
        redis_place_free(p);
        *out = NULL;
    }
    return err;
}

void redis_place_free(struct redis_place *p)
{
    if (!p)
        return;
    free((void *)(uintptr_t)p->password_file);
    free((void *)(uintptr_t)p->ca_file);
    free((void *)(uintptr_t)p->cert_file);
    free((void *)(uintptr_t)p->key_file);
    free(p);
}
