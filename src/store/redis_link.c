/* A connection that is fit for a store, and the fence.
 *
 * The meta key holds epoch, seq and a fence number. Whoever opens the store for writing raises the fence; every commit watches the key
 * and looks whether the fence is still its own. So two writers can never both commit, however slow one was (the fence is what is
 * safe). That a second writer is told BUSY instead of taking over is a courtesy on top: the meta key names the connection of the
 * writer, and a server tells whether it still has that connection (CLIENT TRACKING to it fails when it is gone), so a writer that
 * was killed holds nothing up.
 *
 * A connection that broke leaves a doubt: what was sent may have been done, or may yet be done, because the server reads what a dead
 * connection has sent. So resuming raises the fence before anything is decided: that touches the key which every open transaction
 * watches, and none of them can take effect any more. Then seq tells whether the commit was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_PAUSE_MS 20
#define LONGEST_PAUSE_MS 1000
#define RACES_MAX 10
#define PROBES 4        /* is the writer still there? A connection that has just closed takes the server a moment. */
#define PROBE_PAUSE_MS 50

static const char *const meta_fields[] = {"schema", "epoch", "seq", "fence", "outbox", "writer"};
#define META_FIELDS WEIR_COUNT(meta_fields)
#define META_NUMBERS 5

void redis_link_key(const struct redis_link *l, const char *kind, const char *id, char out[REDIS_KEY_MAX])
{
    snprintf(out, REDIS_KEY_MAX, "weir:{%s}:%s%s%s", l->place->shard, kind, *id ? ":" : "", id);
}

void redis_link_drop(struct redis_link *l)
{
    if (l->conn)
        l->stats.waited_us += redis_conn_waited_us(l->conn);
    redis_conn_close(l->conn);
    l->conn = NULL;
}

/* ---- connecting ---- */

static enum weir_err connect_node(struct redis_link *l, const struct redis_node *node, struct fault *fault)
{
    redis_link_drop(l);
    l->asked = *node;
    enum weir_err err = redis_conn_open(l->place, node, l->tls, &l->conn, fault);
    return err ? err : redis_server_greet(l->conn, l->place, &l->info, fault);
}

/* From any node of the cluster to the one that serves our slot. */
static enum weir_err follow_slot(struct redis_link *l, struct fault *fault)
{
    struct redis_node owner = l->asked;
    enum weir_err err = redis_cluster_find(l->conn, redis_slot_of(slice_of(l->place->shard)), &l->asked, &owner, fault);
    if (!err && (strcmp(owner.host, l->asked.host) != 0 || strcmp(owner.port, l->asked.port) != 0))
        err = connect_node(l, &owner, fault);
    return err;
}

/* "ASK SLOT HOST:PORT" */
static bool take_redirect(const struct redis_link *l, const char *error, struct redis_node *out)
{
    const char *place = strrchr(error, ' '), *port = place ? strrchr(place, ':') : NULL;
    size_t n = port ? (size_t)(port - place - 1) : 0;
    if (!port || n >= sizeof out->host || strlen(port + 1) >= sizeof out->port)
        return false;
    *out = l->asked; /* a node that does not know its own name leaves it empty */
    if (n)
        snprintf(out->host, sizeof out->host, "%.*s", (int)n, place + 1);
    snprintf(out->port, sizeof out->port, "%.5s", port + 1);
    return true;
}

enum weir_err redis_link_aside(struct redis_link *l, const char *error, struct redis_conn **out, struct fault *fault)
{
    struct redis_node node;
    struct redis_info info;
    *out = NULL;
    if (!take_redirect(l, error, &node))
        return fault_set(fault, WEIR_UNAVAILABLE, "the cluster says where a key is going to, but not so that it can be read");
    enum weir_err err = redis_conn_open(l->place, &node, l->tls, out, fault);
    if (!err)
        err = redis_server_greet(*out, l->place, &info, fault);
    if (err) {
        redis_conn_close(*out);
        *out = NULL;
    }
    return err;
}

/* Nodes are asked in turn: of a cluster some may be down. */
static enum weir_err connect_any(struct redis_link *l, struct fault *fault)
{
    enum weir_err err = WEIR_UNAVAILABLE;
    for (size_t i = 0; i < l->place->nodes && err; i++) {
        err = connect_node(l, &l->place->node[i], fault);
        if (!err && l->place->cluster)
            err = follow_slot(l, fault);
        if (err == WEIR_USAGE || err == WEIR_NOMEM)
            break;
    }
    if (!err && l->mode == STORE_READ_WRITE)
        err = redis_server_check(&l->info, l->place, NULL, NULL, fault);
    if (err)
        redis_link_drop(l);
    return err;
}

/* ---- the meta key ---- */

struct meta_reading {
    struct redis_meta meta;
    unsigned found; /* bit per field */
};

static enum weir_err take_meta(void *ctx, const struct redis_item *item)
{
    struct meta_reading *r = ctx;
    uint64_t *const number[META_NUMBERS] = {&r->meta.schema, &r->meta.epoch, &r->meta.seq, &r->meta.fence, &r->meta.outbox};
    size_t i = item->at[0];
    if (item->depth != 1 || item->type != REDIS_REPLY_STRING || i >= META_FIELDS)
        return WEIR_OK;
    r->found |= 1u << i;
    if (i < META_NUMBERS)
        return parse_u64(item->text, UINT64_MAX, number[i]) ? WEIR_CORRUPT : WEIR_OK;
    if (item->text.n >= sizeof r->meta.writer || memchr(item->text.p, 0, item->text.n))
        return WEIR_CORRUPT;
    memcpy(r->meta.writer, item->text.p, item->text.n);
    return WEIR_OK;
}

static enum weir_err foreign(const struct redis_link *l, enum weir_err err, struct fault *fault)
{
    return fault_set(fault, err, "key '%s' is not the one of a weir store: another program uses it, or it is damaged; choose another shard", l->meta_key);
}

static void ask_meta(struct redis_link *l, bool watching)
{
    if (watching)
        redis_conn_ask(l->conn, 2, (const char *const[]){"WATCH", l->meta_key});
    redis_conn_ask(l->conn, 2 + META_FIELDS, (const char *const[]){"HMGET", l->meta_key, meta_fields[0], meta_fields[1], meta_fields[2],
                                                                    meta_fields[3], meta_fields[4], meta_fields[5]});
}

static enum weir_err read_meta(struct redis_link *l, bool watching, struct redis_meta *out, struct fault *fault)
{
    struct meta_reading r = {.found = 0};
    struct redis_reply watched = {.type = 0}, reply;
    bool again;
    ask_meta(l, watching);
    enum weir_err err = watching ? redis_conn_reply(l->conn, NULL, NULL, &watched, fault) : WEIR_OK;
    if (!err)
        err = redis_conn_reply(l->conn, take_meta, &r, &reply, fault);
    if (redis_conn_lost(l->conn))
        return err;
    if (err)
        return foreign(l, WEIR_USAGE, fault);
    const char *error = watched.type == REDIS_REPLY_ERROR ? watched.text : reply.type == REDIS_REPLY_ERROR ? reply.text : NULL;
    if (error)
        err = redis_server_fault("read the store", error, &again, fault);
    if (err)
        return err == WEIR_CORRUPT ? foreign(l, WEIR_USAGE, fault) : err;
    unsigned numbers = (1u << META_NUMBERS) - 1;
    if (r.found && (r.found & numbers) != numbers)
        return foreign(l, WEIR_USAGE, fault);
    if (r.found && r.meta.schema > REDIS_SCHEMA)
        return fault_set(fault, WEIR_VERSION, "the store at '%s' was written by a newer weir: schema %llu, this one knows %d", l->meta_key,
                         (unsigned long long)r.meta.schema, REDIS_SCHEMA);
    *out = r.meta;
    out->exists = r.found != 0;
    return WEIR_OK;
}

/* Told by a word of chance, not by the fence number: whether the raise of it that a lost connection carried was done is not known. */
static bool is_ours(const struct redis_link *l, const struct redis_meta *now)
{
    size_t n = strlen(now->writer), own = strlen(l->nonce);
    return n >= own && strcmp(now->writer + n - own, l->nonce) == 0;
}

/* Is what the server holds a later state of what this process knows? */
static enum weir_err compare(const struct redis_link *l, const struct redis_meta *now, bool *behind, struct fault *fault)
{
    unsigned long long was = l->meta.seq, is = now->seq;
    *behind = false;
    if (!now->exists)
        return fault_set(fault, WEIR_ROLLBACK, "the store went back in time: it was at commit %llu, and holds nothing now", was);
    if (now->epoch != l->meta.epoch)
        return fault_set(fault, WEIR_ROLLBACK, "the store went back in time: it was at commit %llu, and is another store now, at commit %llu", was, is);
    if (now->seq < l->meta.seq)
        return fault_set(fault, WEIR_ROLLBACK, "the store went back in time: it was at commit %llu, and is at %llu now", was, is);
    if (!is_ours(l, now) || now->seq > l->meta.seq + 1)
        return fault_set(fault, WEIR_BUSY, "the store was taken over by another weir since commit %llu: open it again", was);
    *behind = now->seq == l->meta.seq + 1;
    return WEIR_OK;
}

/* ---- the fence ---- */

/* A user without the right to know its connection: the fence holds as well, nobody is told BUSY. */
static enum weir_err name_writer(struct redis_link *l, struct redis_meta *m, struct fault *fault)
{
    struct redis_reply reply;
    redis_conn_ask(l->conn, 2, (const char *const[]){"CLIENT", "ID"});
    enum weir_err err = redis_conn_reply(l->conn, NULL, NULL, &reply, fault);
    bool known = !err && reply.type == REDIS_REPLY_INTEGER;
    snprintf(m->writer, sizeof m->writer, "%s:%lld:%s", known ? l->info.run_id : "", known ? reply.number : 0, l->nonce);
    return err;
}

/* Does the server still have the connection of the writer? */
static enum weir_err is_connected(struct redis_link *l, const char *writer, bool *there, struct fault *fault)
{
    struct redis_reply on, off;
    char number[24];
    size_t n = strlen(l->info.run_id);
    *there = false;
    if (!n || strncmp(writer, l->info.run_id, n) != 0 || writer[n] != ':')
        return WEIR_OK; /* of another server, or of this one before a restart */
    snprintf(number, sizeof number, "%.*s", (int)strcspn(writer + n + 1, ":"), writer + n + 1);
    redis_conn_ask(l->conn, 5, (const char *const[]){"CLIENT", "TRACKING", "ON", "REDIRECT", number});
    redis_conn_ask(l->conn, 3, (const char *const[]){"CLIENT", "TRACKING", "OFF"});
    enum weir_err err = redis_conn_reply(l->conn, NULL, NULL, &on, fault);
    if (!err)
        err = redis_conn_reply(l->conn, NULL, NULL, &off, fault);
    *there = !err && on.type == REDIS_REPLY_STATUS;
    return err;
}

static enum weir_err wait_until_gone(struct redis_link *l, const char *writer, struct fault *fault)
{
    bool there = *writer != '\0';
    for (int i = 0; i < PROBES && there; i++) {
        if (i)
            poll(NULL, 0, PROBE_PAUSE_MS);
        enum weir_err err = is_connected(l, writer, &there, fault);
        if (err)
            return err;
    }
    return there ? fault_set(fault, WEIR_BUSY, "the store '%s' is in use by another weir that writes to it: try again when that has ended", l->meta_key) : WEIR_OK;
}

static enum weir_err draw(uint64_t *out, struct fault *fault)
{
    *out = 0;
    while (*out == 0)
        if (getrandom(out, sizeof *out, 0) != (ssize_t)sizeof *out)
            return fault_set(fault, WEIR_IO, "cannot open the store: no random numbers: %s", strerror(errno));
    return WEIR_OK;
}

/* Write *m, if nobody has touched the key since it was watched. *won: nobody had. */
static enum weir_err write_meta(struct redis_link *l, const struct redis_meta *m, bool *won, struct fault *fault)
{
    char number[META_NUMBERS][24];
    const uint64_t values[META_NUMBERS] = {m->schema, m->epoch, m->seq, m->fence, m->outbox};
    const char *words[2 + 2 * META_FIELDS] = {"HSET", l->meta_key};
    struct redis_reply reply[4];
    bool again;
    for (size_t i = 0; i < META_FIELDS; i++) {
        if (i < META_NUMBERS)
            snprintf(number[i], sizeof number[i], "%llu", (unsigned long long)values[i]);
        words[2 + 2 * i] = meta_fields[i];
        words[3 + 2 * i] = i < META_NUMBERS ? number[i] : m->writer;
    }
    redis_conn_ask(l->conn, 1, (const char *const[]){"MULTI"});
    redis_conn_ask(l->conn, WEIR_COUNT(words), words);
    redis_conn_ask(l->conn, 1, (const char *const[]){"EXEC"});
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < 3 && !err; i++)
        err = redis_conn_reply(l->conn, NULL, NULL, &reply[i], fault);
    for (size_t i = 0; i < 3 && !err; i++)
        if (reply[i].type == REDIS_REPLY_ERROR)
            err = redis_server_fault("open the store", reply[i].text, &again, fault);
    *won = !err && reply[2].type == REDIS_REPLY_ARRAY;
    return err;
}

static enum weir_err take_fence_once(struct redis_link *l, bool *won, struct fault *fault)
{
    struct redis_meta m;
    enum weir_err err = read_meta(l, true, &m, fault);
    if (!err && m.exists)
        err = wait_until_gone(l, m.writer, fault);
    else if (!err) {
        m = (struct redis_meta){.schema = REDIS_SCHEMA};
        err = draw(&m.epoch, fault);
    }
    if (err)
        return err;
    m.exists = true;
    m.schema = REDIS_SCHEMA; /* what is written from now on an older weir could not read */
    m.fence++;
    err = name_writer(l, &m, fault);
    failpoint("store-fence-watched");
    if (!err)
        err = write_meta(l, &m, won, fault);
    l->meta = m;
    return err;
}

static enum weir_err take_fence(struct redis_link *l, struct fault *fault)
{
    bool won = false;
    enum weir_err err = WEIR_OK;
    for (int i = 0; i < RACES_MAX && !won && !err; i++)
        err = take_fence_once(l, &won, fault);
    return err || won ? err : fault_set(fault, WEIR_BUSY, "the store '%s' is in use by other weirs that write to it", l->meta_key);
}

/* ---- open, resume, watch ---- */

enum weir_err redis_link_open(struct redis_link *l, enum store_mode mode, struct fault *fault)
{
    l->mode = mode;
    redis_link_key(l, "meta", "", l->meta_key);
    uint64_t nonce;
    enum weir_err err = draw(&nonce, fault);
    snprintf(l->nonce, sizeof l->nonce, "%016llx", (unsigned long long)nonce);
    if (!err && l->place->tls)
        err = redis_tls_new(l->place, &l->tls, fault);
    if (!err)
        err = connect_any(l, fault);
    failpoint("store-connected");
    if (!err && mode == STORE_READ_WRITE)
        err = take_fence(l, fault);
    else if (!err)
        err = read_meta(l, false, &l->meta, fault);
    failpoint("store-fenced");
    if (!err && !l->meta.exists)
        err = fault_set(fault, WEIR_NOTFOUND, "there is no store '%s' yet", l->meta_key);
    return err;
}

void redis_link_close(struct redis_link *l)
{
    redis_link_drop(l);
    redis_tls_free(l->tls);
    redis_place_free(l->place);
}

static enum weir_err resume_once(struct redis_link *l, bool *behind, struct fault *fault)
{
    struct redis_meta now;
    bool won = false;
    *behind = false;
    enum weir_err err = connect_any(l, fault);
    for (int i = 0; i < RACES_MAX && !won && !err && l->mode == STORE_READ_WRITE; i++) {
        err = read_meta(l, true, &now, fault);
        if (!err)
            err = compare(l, &now, behind, fault);
        if (err)
            return err;
        now.fence++;
        err = name_writer(l, &now, fault);
        if (!err)
            err = write_meta(l, &now, &won, fault);
    }
    failpoint("store-resumed");
    return err || won || l->mode == STORE_READ_ONLY ? err : fault_set(fault, WEIR_UNAVAILABLE, "the store is contended");
}

/* Up to the whole pause, by chance: many workers that lost one server do not come back in step. */
static void pause_up_to(unsigned ms)
{
    uint32_t r = 0;
    if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
        r = UINT32_MAX;
    poll(NULL, 0, (int)(1 + (uint64_t)r * ms / UINT32_MAX));
}

void redis_link_retry(struct redis_link *l, int attempt)
{
    int64_t begin = redis_now_ms();
    redis_link_drop(l);
    pause_up_to(attempt < 6 ? (unsigned)FIRST_PAUSE_MS << attempt : LONGEST_PAUSE_MS);
    l->stats.waited_us += (uint64_t)(redis_now_ms() - begin) * 1000;
}

static bool is_final(enum weir_err err) { return !err || err == WEIR_BUSY || err == WEIR_ROLLBACK || err == WEIR_VERSION || err == WEIR_NOMEM; }

enum weir_err redis_link_resume(struct redis_link *l, bool *behind, struct fault *fault)
{
    int64_t end = redis_now_ms() + REDIS_RESUME_MS;
    enum weir_err err;
    *behind = false;
    if (l->given_up)
        return fault_set(fault, WEIR_UNAVAILABLE, "the store was away for too long: open it again");
    l->stats.reconnects++;
    for (int i = 0; !is_final(err = resume_once(l, behind, fault)) && redis_now_ms() < end; i++)
        redis_link_retry(l, i);
    l->given_up = !is_final(err); /* or each of many requests would wait as long */
    if (!is_final(err) && fault) /* a role, a certificate that changed while we ran: for this run the store is away */
        fault->err = WEIR_UNAVAILABLE;
    return is_final(err) ? err : WEIR_UNAVAILABLE;
}

enum weir_err redis_link_watch(struct redis_link *l, struct fault *fault)
{
    struct redis_meta now;
    bool behind;
    enum weir_err err = read_meta(l, true, &now, fault);
    if (!err)
        err = compare(l, &now, &behind, fault);
    if (!err && behind) /* nothing of ours is under way: somebody raised it by hand */
        err = fault_set(fault, WEIR_BUSY, "the store was changed by another program since commit %llu: open it again", (unsigned long long)l->meta.seq);
    return err;
}
