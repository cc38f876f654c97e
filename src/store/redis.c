/* The store in Redis: a value a key, one WATCH / MULTI / EXEC a commit.
 *
 * A commit writes with SET and DEL and, for the meta key, HSET on a hash that was read under the same WATCH: none of them can fail
 * inside EXEC, so all or nothing holds even where a foreign program has put keys of other types. The outbox is a key an entry,
 * numbered in the meta key, for the same reason: XADD to a key of a foreign type would fail alone.
 *
 * Many values are read in one transaction too: a reader sees one moment, and a key of a foreign type is an error (MGET would call it missing). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTBOX "outbox"
#define OUTBOX_PAGE 256
#define SLOWEST_DISK 8192   /* bytes a ms: how long a commit may take the server */
#define PATIENCE_MS 2000
#define REPLICA_WAIT "1000" /* ms */

struct redis_store {
    struct redis_link link;
    struct redis_batch batch;
    struct redis_pack *pack;
};

/* ---- open and close ---- */

static void redis_close(void *state)
{
    struct redis_store *s = state;
    redis_batch_clear(&s->batch);
    redis_pack_free(s->pack);
    redis_link_close(&s->link);
    free(s);
}

static enum weir_err redis_open(const struct store_request *request, void **state, struct store_position *position, struct fault *fault)
{
    struct redis_store *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(fault, WEIR_NOMEM, "cannot open the store: out of memory");
    s->pack = redis_pack_new();
    enum weir_err err = s->pack ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "cannot open the store: out of memory");
    if (!err)
        err = redis_place_parse(request->url, request->options, &s->link.place, fault);
    if (!err)
        err = redis_link_open(&s->link, request->mode, fault);
    if (err)
        redis_close(s);
    else {
        *position = (struct store_position){s->link.meta.epoch, s->link.meta.seq};
        *state = s;
    }
    return err;
}

static enum weir_err redis_survey(const struct store_request *request, store_survey_each *each, void *ctx, struct fault *fault)
{
    struct redis_link l = {.mode = STORE_READ_ONLY};
    enum weir_err err = redis_place_parse(request->url, request->options, &l.place, fault);
    if (!err)
        err = redis_link_open(&l, STORE_READ_ONLY, fault);
    enum weir_err unfit = l.conn ? redis_server_check(&l.info, l.place, each, ctx, fault) : WEIR_OK;
    redis_link_close(&l);
    return unfit ? unfit : err;
}

static struct store_stats redis_stats(const void *state)
{
    const struct redis_store *s = state;
    struct store_stats stats = s->link.stats;
    stats.waited_us += s->link.conn ? redis_conn_waited_us(s->link.conn) : 0;
    return stats;
}

/* ---- reading ---- */

struct reading {
    char kind;
    const char *const *ids;
    const size_t *wanted; /* places in ids of what is asked for */
    store_each *each; void *ctx;
    struct fault *fault;
    bool again;           /* another attempt may do better */
    bool alone;           /* one value: asked for without a transaction */
    bool began;           /* each was called: the answer cannot be asked for again */
};

static void key_of(const struct redis_store *s, char kind, const char *id, char out[REDIS_KEY_MAX])
{
    const char name[2] = {kind, '\0'};
    redis_link_key(&s->link, name, id, out);
}

static enum weir_err value_fault(struct reading *r, size_t i, const char *error)
{
    char what[STORE_ID_MAX + 16];
    snprintf(what, sizeof what, "read value %c:%s", r->kind, r->ids[i]);
    return redis_server_fault(what, error, &r->again, r->fault);
}

static enum weir_err take_value(void *ctx, const struct redis_item *item)
{
    struct reading *r = ctx;
    char error[REDIS_TEXT_MAX];
    if (item->depth != (r->alone ? 0 : 1) || item->type == REDIS_REPLY_NIL || item->type == REDIS_REPLY_ARRAY || (r->alone && item->type == REDIS_REPLY_ERROR))
        return WEIR_OK;
    size_t i = r->wanted[r->alone ? 0 : item->at[0]];
    if (item->type == REDIS_REPLY_ERROR) {
        snprintf(error, sizeof error, "%.*s", (int)(item->text.n < REDIS_TEXT_MAX ? item->text.n : REDIS_TEXT_MAX - 1), item->text.p);
        return value_fault(r, i, error);
    }
    r->began = true;
    return r->each(r->ctx, i, item->text);
}

/* One command about one key, and its answer; from where the key is being moved to, if the server says so. */
static enum weir_err ask_one(struct redis_store *s, size_t n, const char *const *words, redis_each *each, void *ctx, struct redis_reply *reply, struct fault *fault)
{
    struct redis_conn *aside = NULL;
    redis_conn_ask(s->link.conn, n, words);
    enum weir_err err = redis_conn_reply(s->link.conn, each, ctx, reply, fault);
    if (err || reply->type != REDIS_REPLY_ERROR || strncmp(reply->text, "ASK ", 4) != 0)
        return err;
    if (redis_link_aside(&s->link, reply->text, &aside, fault))
        return WEIR_OK; /* the answer stays: the key is on its way */
    redis_conn_ask(aside, 1, (const char *const[]){"ASKING"});
    redis_conn_ask(aside, n, words);
    err = redis_conn_reply(aside, NULL, NULL, reply, fault);
    if (!err && reply->type != REDIS_REPLY_ERROR)
        err = redis_conn_reply(aside, each, ctx, reply, fault);
    redis_conn_close(aside);
    return err;
}

static enum weir_err read_alone(struct redis_store *s, struct reading *r)
{
    char key[REDIS_KEY_MAX];
    struct redis_reply reply;
    key_of(s, r->kind, r->ids[r->wanted[0]], key);
    enum weir_err err = ask_one(s, 2, (const char *const[]){"GET", key}, take_value, r, &reply, r->fault);
    return !err && reply.type == REDIS_REPLY_ERROR ? value_fault(r, r->wanted[0], reply.text) : err;
}

static void ask_values(struct redis_store *s, const struct reading *r, size_t n)
{
    struct redis_conn *c = s->link.conn;
    char key[REDIS_KEY_MAX];
    redis_conn_ask(c, 1, (const char *const[]){"MULTI"});
    for (size_t i = 0; i < n; i++) {
        key_of(s, r->kind, r->ids[r->wanted[i]], key);
        redis_conn_ask(c, 2, (const char *const[]){"GET", key});
    }
    redis_conn_ask(c, 1, (const char *const[]){"EXEC"});
}

/* MULTI, a GET each, EXEC: the replies before that of EXEC say QUEUED, or why not. */
static enum weir_err read_together(struct redis_store *s, struct reading *r, size_t n)
{
    struct redis_conn *c = s->link.conn;
    struct redis_reply reply;
    char error[REDIS_TEXT_MAX] = "";
    ask_values(s, r, n);
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < n + 1 && !err; i++) {
        err = redis_conn_reply(c, NULL, NULL, &reply, r->fault);
        if (!err && reply.type == REDIS_REPLY_ERROR && !*error)
            memcpy(error, reply.text, sizeof error);
    }
    if (!err)
        err = redis_conn_reply(c, take_value, r, &reply, r->fault);
    return !err && reply.type == REDIS_REPLY_ERROR ? redis_server_fault("read the store", *error ? error : reply.text, &r->again, r->fault) : err;
}

static enum weir_err read_once(struct redis_store *s, struct reading *r, size_t n)
{
    r->again = false;
    r->alone = n == 1;
    failpoint("store-before-read");
    enum weir_err err = r->alone ? read_alone(s, r) : read_together(s, r, n);
    if (redis_conn_lost(s->link.conn))
        r->again = !r->began && err == WEIR_UNAVAILABLE;
    return err;
}

/* The connection may be gone since it was used last: a service is often idle for longer than a server bears. */
static enum weir_err reconnect(struct redis_store *s, struct fault *fault)
{
    bool behind = false;
    if (s->link.conn && !redis_conn_lost(s->link.conn))
        return WEIR_OK;
    enum weir_err err = redis_link_resume(&s->link, &behind, fault);
    if (!err && behind) /* only a commit can be ahead, and it settles that itself */
        err = fault_set(fault, WEIR_BUSY, "the store was changed by another program: open it again");
    return err;
}

static enum weir_err read_from_server(struct redis_store *s, struct reading *r, size_t n)
{
    enum weir_err err = WEIR_OK;
    int64_t end = redis_now_ms() + REDIS_RESUME_MS;
    r->again = true;
    for (int i = 0; r->again && redis_now_ms() < end; i++) {
        err = reconnect(s, r->fault);
        if (err)
            return err;
        err = read_once(s, r, n);
        if (r->again)
            redis_link_retry(&s->link, i);
    }
    return err;
}

/* What the batch has put or deleted is answered from there, in its place among the others. */
struct overlay {
    struct redis_store *s;
    struct reading *r;
    size_t n, next; /* of ids; the first one not yet handed on */
};

static enum weir_err hand_on_until(struct overlay *o, size_t end)
{
    enum weir_err err = WEIR_OK;
    for (; o->next < end && !err; o->next++) {
        const struct redis_command *c = redis_batch_find(&o->s->batch, o->r->kind, o->r->ids[o->next]);
        struct slice value;
        if (c && !c->deletes && !(err = redis_unpack(o->s->pack, redis_command_value(c), &value)))
            err = o->r->each(o->r->ctx, o->next, value);
    }
    return err;
}

static enum weir_err each_with_overlay(void *ctx, size_t i, struct slice value)
{
    struct overlay *o = ctx;
    store_each *each = o->r->each;
    enum weir_err err = hand_on_until(o, i);
    struct slice plain;
    o->next = i + 1;
    if (redis_unpack(o->s->pack, value, &plain)) /* only now: what was handed on before used the same room */
        plain = value;                           /* whoever knows what it means refuses it, as any other damaged value */
    return err ? err : each(o->r->ctx, i, plain);
}

static enum weir_err redis_get_many(void *state, char kind, const char *const *ids, size_t n, store_each *each, void *ctx, struct fault *fault)
{
    struct redis_store *s = state;
    size_t *wanted = malloc(n * sizeof *wanted), m = 0;
    if (!wanted)
        return fault_set(fault, WEIR_NOMEM, "cannot read the store: out of memory");
    for (size_t i = 0; i < n; i++)
        if (!redis_batch_find(&s->batch, kind, ids[i]))
            wanted[m++] = i;
    struct reading own = {.kind = kind, .ids = ids, .each = each, .ctx = ctx, .fault = fault};
    struct overlay o = {s, &own, n, 0};
    struct reading server = {.kind = kind, .ids = ids, .wanted = wanted, .each = each_with_overlay, .ctx = &o, .fault = fault};
    enum weir_err err = m ? read_from_server(s, &server, m) : WEIR_OK;
    if (!err)
        err = hand_on_until(&o, n);
    free(wanted);
    return err;
}

static bool redis_has(void *state, char kind, const char *id)
{
    struct redis_store *s = state;
    const struct redis_command *c = redis_batch_find(&s->batch, kind, id);
    char key[REDIS_KEY_MAX];
    struct redis_reply reply;
    if (c)
        return !c->deletes;
    key_of(s, kind, id, key);
    for (int i = 0; i < 2; i++) {
        if (reconnect(s, NULL))
            return false;
        if (ask_one(s, 2, (const char *const[]){"EXISTS", key}, NULL, NULL, &reply, NULL) == WEIR_OK && reply.type == REDIS_REPLY_INTEGER)
            return reply.number == 1;
        redis_link_drop(&s->link);
    }
    return false;
}

/* ---- the outbox: value UID, a blank, the finding ---- */

struct outbox_reading {
    const struct redis_store *s;
    uint64_t first, seen;
    store_outbox_each *each; void *ctx;
    struct fault *fault;
};

static enum weir_err take_entry(void *ctx, const struct redis_item *item)
{
    struct outbox_reading *r = ctx;
    char uid[STORE_ID_MAX + 1];
    if (item->depth == 0)
        return WEIR_OK;
    uint64_t seq = r->first + item->at[0];
    const char *blank = item->type == REDIS_REPLY_STRING && item->text.n ? memchr(item->text.p, ' ', item->text.n) : NULL;
    size_t n = blank ? (size_t)(blank - item->text.p) : 0;
    if (n < 1 || n > STORE_ID_MAX)
        return fault_set(r->fault, WEIR_CORRUPT, "the store has lost outbox entry %llu, or another program has written there", (unsigned long long)seq);
    memcpy(uid, item->text.p, n);
    uid[n] = '\0';
    if (strspn(uid, "0123456789abcdef") != n)
        return fault_set(r->fault, WEIR_CORRUPT, "outbox entry %llu of the store has no proper uid", (unsigned long long)seq);
    struct slice json;
    const struct slice kept = {blank + 1, item->text.n - n - 1};
    if (redis_unpack(r->s->pack, kept, &json))
        json = kept;
    r->seen++;
    return r->each(r->ctx, seq, uid, json);
}

static enum weir_err read_page(struct redis_store *s, struct outbox_reading *r, size_t n, bool *again)
{
    char key[OUTBOX_PAGE][REDIS_KEY_MAX], id[17];
    const char *words[1 + OUTBOX_PAGE] = {"MGET"};
    struct redis_reply reply;
    for (size_t i = 0; i < n; i++) {
        store_id(r->first + i, id);
        redis_link_key(&s->link, OUTBOX, id, key[i]);
        words[1 + i] = key[i];
    }
    *again = false;
    redis_conn_ask(s->link.conn, 1 + n, words);
    enum weir_err err = redis_conn_reply(s->link.conn, take_entry, r, &reply, r->fault);
    if (redis_conn_lost(s->link.conn))
        *again = !r->seen && err == WEIR_UNAVAILABLE;
    else if (!err && reply.type == REDIS_REPLY_ERROR)
        err = redis_server_fault("read the findings of the store", reply.text, again, r->fault);
    return err;
}

static enum weir_err last_entry(struct redis_store *s, uint64_t *out, bool *again, struct fault *fault)
{
    struct redis_reply reply;
    *again = false;
    enum weir_err err = ask_one(s, 3, (const char *const[]){"HGET", s->link.meta_key, OUTBOX}, NULL, NULL, &reply, fault);
    if (redis_conn_lost(s->link.conn))
        *again = err == WEIR_UNAVAILABLE;
    else if (!err && reply.type == REDIS_REPLY_ERROR)
        err = redis_server_fault("read the findings of the store", reply.text, again, fault);
    else if (!err && (reply.type != REDIS_REPLY_STRING || parse_u64(slice_of(reply.text), UINT64_MAX, out)))
        err = fault_set(fault, WEIR_CORRUPT, "the store has lost the number of its findings");
    return err;
}

/* Entries are never rewritten, so the last number fixes the moment, and pages may follow. */
static enum weir_err outbox_step(struct redis_store *s, struct outbox_reading *r, uint64_t after, size_t limit, uint64_t *last, bool *again)
{
    enum weir_err err = reconnect(s, r->fault);
    *again = false;
    if (!err && !*last)
        err = last_entry(s, last, again, r->fault);
    uint64_t end = *last > after && *last - after > limit ? after + limit : *last;
    while (!err && !*again && after + r->seen < end) {
        r->first = after + r->seen + 1;
        uint64_t left = end - after - r->seen;
        err = read_page(s, r, left < OUTBOX_PAGE ? (size_t)left : OUTBOX_PAGE, again);
    }
    return err;
}

static enum weir_err redis_outbox(void *state, uint64_t after, size_t limit, store_outbox_each *each, void *ctx, struct fault *fault)
{
    struct redis_store *s = state;
    struct outbox_reading r = {.s = s, .each = each, .ctx = ctx, .fault = fault};
    uint64_t last = 0;
    bool again = true;
    enum weir_err err = WEIR_OK;
    int64_t end = redis_now_ms() + REDIS_RESUME_MS;
    for (int i = 0; again && redis_now_ms() < end; i++) {
        err = outbox_step(s, &r, after, limit, &last, &again);
        if (again)
            redis_link_retry(&s->link, i);
    }
    return err;
}

/* ---- the checkpoint ---- */

static enum weir_err redis_begin(void *state, struct fault *fault)
{
    (void)state, (void)fault;
    return WEIR_OK;
}

static void redis_abort(void *state)
{
    struct redis_store *s = state;
    redis_batch_clear(&s->batch);
}

static enum weir_err redis_put(void *state, char kind, const char *id, struct slice value, struct fault *fault)
{
    struct redis_store *s = state;
    char key[REDIS_KEY_MAX];
    struct slice stored;
    key_of(s, kind, id, key);
    enum weir_err err = redis_pack(s->pack, value, &stored);
    return err ? fault_set(fault, err, "cannot collect the batch of the store: %s", weir_err_text(err)) : redis_batch_set(&s->batch, kind, id, key, stored, fault);
}

static enum weir_err redis_del(void *state, char kind, const char *id, struct fault *fault)
{
    struct redis_store *s = state;
    char key[REDIS_KEY_MAX];
    key_of(s, kind, id, key);
    return redis_batch_delete(&s->batch, kind, id, key, fault);
}

static enum weir_err redis_append(void *state, const char *uid, struct slice json, struct fault *fault)
{
    struct redis_store *s = state;
    struct buffer entry;
    char key[REDIS_KEY_MAX], id[17];
    store_id(s->link.meta.outbox + s->batch.findings + 1, id);
    redis_link_key(&s->link, OUTBOX, id, key);
    buffer_init(&entry, STORE_VALUE_MAX + STORE_ID_MAX + 3);
    struct slice stored = json;
    buffer_printf(&entry, "%s ", uid);
    if (!entry.err)
        entry.err = redis_pack(s->pack, json, &stored);
    buffer_slice(&entry, stored);
    enum weir_err err = entry.err ? fault_set(fault, entry.err, "cannot collect a finding: %s", weir_err_text(entry.err))
                                  : redis_batch_set(&s->batch, 0, id, key, (struct slice){entry.p, entry.n}, fault);
    buffer_fini(&entry);
    s->batch.findings += !err;
    return err;
}

static void send_transaction(struct redis_store *s)
{
    struct redis_conn *c = s->link.conn;
    const struct redis_meta *m = &s->link.meta;
    char seq[24], outbox[24];
    snprintf(seq, sizeof seq, "%llu", (unsigned long long)m->seq + 1);
    snprintf(outbox, sizeof outbox, "%llu", (unsigned long long)(m->outbox + s->batch.findings));
    redis_conn_ask(c, 1, (const char *const[]){"MULTI"});
    for (size_t i = 0; i < s->batch.n; i++) {
        if (i == s->batch.n / 2) {
            redis_conn_flush(c);
            failpoint("store-mid-commit");
        }
        redis_conn_push(c, (struct slice){s->batch.command[i].text, s->batch.command[i].n});
    }
    redis_conn_ask(c, 6, (const char *const[]){"HSET", s->link.meta_key, "seq", seq, OUTBOX, outbox});
    redis_conn_flush(c);
    failpoint("store-before-exec");
    redis_conn_ask(c, 1, (const char *const[]){"EXEC"});
    redis_conn_flush(c);
    failpoint("store-exec-sent");
}

/* The answers to MULTI, to each command and to HSET, then that of EXEC. *done: it took effect. */
static enum weir_err take_verdict(struct redis_store *s, bool *done, bool *again, struct fault *fault)
{
    struct redis_conn *c = s->link.conn;
    struct redis_reply reply;
    char error[REDIS_TEXT_MAX] = "";
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < s->batch.n + 3 && !err; i++) {
        redis_conn_patience(c, PATIENCE_MS + (unsigned)(s->batch.bytes / SLOWEST_DISK));
        err = redis_conn_reply(c, NULL, NULL, &reply, fault);
        if (!err && reply.type == REDIS_REPLY_ERROR && !*error)
            memcpy(error, reply.text, sizeof error);
    }
    if (err)
        return err;
    if (*error)
        return redis_server_fault("commit to the store", error, again, fault);
    if (reply.type == REDIS_REPLY_ARRAY && !*reply.error) {
        *done = true;
        return WEIR_OK;
    }
    *again = reply.type == REDIS_REPLY_NIL; /* somebody touched the meta key: look again who */
    return *again ? fault_set(fault, WEIR_BUSY, "the store is being written by another weir")
                  : fault_set(fault, WEIR_CORRUPT, "the server refused a part of a commit: %s", reply.error);
}

static enum weir_err commit_once(struct redis_store *s, bool *done, bool *again, struct fault *fault)
{
    bool behind = false;
    enum weir_err err = WEIR_OK;
    if (!s->link.conn || redis_conn_lost(s->link.conn))
        err = redis_link_resume(&s->link, &behind, fault);
    if (err)
        return err;
    *done = behind; /* the attempt before this one was the one that counted */
    if (*done)
        return WEIR_OK;
    err = redis_link_watch(&s->link, fault);
    *again = err == WEIR_UNAVAILABLE; /* nothing was sent yet: the keys are at another node, say */
    if (!err) {
        failpoint("store-watched");
        send_transaction(s);
        err = take_verdict(s, done, again, fault);
    }
    if (redis_conn_lost(s->link.conn))
        *again = err == WEIR_UNAVAILABLE;
    return err;
}

/* Whoever takes over may be a replica that lags: a commit counts when one holds it too. Not all of them must: then a commit would hang
 * on the slowest. */
static void wait_for_replica(struct redis_store *s)
{
    struct redis_reply reply;
    if (!s->link.info.replicas || !s->link.conn || redis_conn_lost(s->link.conn))
        return;
    redis_conn_ask(s->link.conn, 3, (const char *const[]){"WAIT", "1", REPLICA_WAIT});
    if (redis_conn_reply(s->link.conn, NULL, NULL, &reply, NULL) != WEIR_OK || reply.type != REDIS_REPLY_INTEGER || reply.number < 1)
        s->link.stats.unreplicated++;
}

static enum weir_err redis_commit(void *state, struct store_position *position, struct fault *fault)
{
    struct redis_store *s = state;
    bool done = false, again = true;
    enum weir_err err = WEIR_OK;
    int64_t end = redis_now_ms() + REDIS_RESUME_MS;
    for (int i = 0; again && !done && redis_now_ms() < end; i++) {
        again = false;
        err = commit_once(s, &done, &again, fault);
        if (again)
            redis_link_retry(&s->link, i);
    }
    if (done) {
        failpoint("store-exec-answered");
        err = WEIR_OK;
        s->link.meta.seq++;
        s->link.meta.outbox += s->batch.findings;
        position->seq = s->link.meta.seq;
        wait_for_replica(s);
    }
    redis_batch_clear(&s->batch);
    return err;
}

const struct store_ops store_redis = {
    .name = "redis",
    .is_far = true,
    .open = redis_open,
    .close = redis_close,
    .survey = redis_survey,
    .stats = redis_stats,
    .get_many = redis_get_many,
    .has = redis_has,
    .outbox = redis_outbox,
    .begin = redis_begin,
    .put = redis_put,
    .del = redis_del,
    .append = redis_append,
    .commit = redis_commit,
    .abort = redis_abort,
};
