/* What the files of the Redis backend share, lowest first:
 *   redis_place.c   the url: where the servers are, how to speak to them, which shard
 *   redis_tls.c     the encrypted channel
 *   redis_resolve.c names to addresses, with a deadline
 *   redis_conn.c    one connection: commands out, replies in, each wait with a deadline
 *   redis_cluster.c which of many nodes has our slot
 *   redis_link.c    a connection that is fit for a store: signed in, checked, the meta key read, the fence taken
 *   redis_pack.c    values as the server keeps them
 *   redis_batch.c   the commands of an open batch, and what they say a key holds
 *   redis.c         the contract of store.h
 *
 * One shard is one hash tag, hence one slot and one server: a commit is one WATCH / MULTI / EXEC there. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_STORE_REDIS_PRIVATE_H
#define WEIR_STORE_REDIS_PRIVATE_H

#include "store/store_ops.h"

/* ---- redis_place.c ---- */
#define REDIS_NODES_MAX 32
#define REDIS_HOST_MAX 254
#define REDIS_SHARD_MAX 32

struct redis_node { /* host "": the socket at place.path */
    char host[REDIS_HOST_MAX], port[6];
};
struct redis_place {
    bool tls, cluster;
    char path[108], user[128], shard[REDIS_SHARD_MAX + 1];
    struct redis_node node[REDIS_NODES_MAX]; size_t nodes;
    const char *password_file, *ca_file, *cert_file, *key_file; /* owned; "" for none */
};
/* USAGE names what is wrong, never the part of the url that may be a password. */
WEIR_MUST_USE enum weir_err redis_place_parse(const char *url, const struct store_options *options, struct redis_place **out, struct fault *fault);
void redis_place_free(struct redis_place *p);
/* host and port of "host:port", "[v6]:port", "host". */
WEIR_MUST_USE enum weir_err redis_node_parse(struct slice text, struct redis_node *out);

/* ---- redis_tls.c ---- */
struct redis_tls; /* one context a store: certificates are read once */
WEIR_MUST_USE enum weir_err redis_tls_new(const struct redis_place *place, struct redis_tls **out, struct fault *fault);
void redis_tls_free(struct redis_tls *t);
struct ssl_st;
WEIR_MUST_USE enum weir_err redis_tls_begin(struct redis_tls *t, int fd, const char *host, struct ssl_st **out, struct fault *fault);
/* > 0: bytes moved, or shaken hands. Else what to wait for, or that the channel is lost. */
enum { TLS_LOST = 0, TLS_WANT_READ = -1, TLS_WANT_WRITE = -2 };
int redis_tls_shake(struct ssl_st *ssl);
int redis_tls_read(struct ssl_st *ssl, char *out, size_t n);
int redis_tls_write(struct ssl_st *ssl, const char *bytes, size_t n);
void redis_tls_end(struct ssl_st *ssl);
/* Why hands were not shaken, and whether trying again could help. */
enum weir_err redis_tls_fault(struct ssl_st *ssl, const char *host, struct fault *fault);

/* ---- redis_resolve.c ---- */
struct addrinfo;
/* The addresses of a host, or why not, as getaddrinfo; EAI_AGAIN when no answer came in time. freeaddrinfo(*out). */
int redis_resolve(const struct redis_node *node, unsigned ms, struct addrinfo **out);

/* ---- redis_conn.c ---- */
/* A part of a reply, handed on as it comes in: a large answer is never held whole. */
struct redis_item {
    int type;                 /* REDIS_REPLY_* */
    unsigned depth;           /* 0: the reply itself */
    size_t at[3];             /* place in the array, in the array in it, ... */
    long long number;         /* of an integer; elements of an array */
    struct slice text;        /* of a string, status or error; borrowed until return */
};
typedef enum weir_err redis_each(void *ctx, const struct redis_item *item);
#define REDIS_TEXT_MAX 256
struct redis_reply {
    int type;
    long long number;
    char text[REDIS_TEXT_MAX];  /* of a status or an error, the beginning of a string */
    char error[REDIS_TEXT_MAX]; /* the first error inside an array, "" for none */
};

struct redis_conn;
/* Connected and, with tls, shaken hands; nothing said yet. USAGE: a certificate, a name or a host that can never do. */
WEIR_MUST_USE enum weir_err redis_conn_open(const struct redis_place *place, const struct redis_node *node, struct redis_tls *tls,
                                            struct redis_conn **out, struct fault *fault);
void redis_conn_close(struct redis_conn *c); /* NULL is fine */
/* Commands are queued and go out in large writes; a failure shows when the reply is asked for. */
void redis_conn_ask(struct redis_conn *c, size_t n, const char *const *words);
void redis_conn_push(struct redis_conn *c, struct slice command); /* formatted already */
void redis_conn_flush(struct redis_conn *c);
/* A server that is known to have much to do may be silent for longer, until the next reply. */
void redis_conn_patience(struct redis_conn *c, unsigned ms);
/* The next reply. UNAVAILABLE: the connection is lost, and stays so; CORRUPT: what came is no reply. What each returns stops the handing
 * on, not the reading, and is returned. each may be NULL. */
WEIR_MUST_USE enum weir_err redis_conn_reply(struct redis_conn *c, redis_each *each, void *ctx, struct redis_reply *out, struct fault *fault);
bool redis_conn_lost(const struct redis_conn *c);
uint64_t redis_conn_waited_us(const struct redis_conn *c);

int64_t redis_now_ms(void);

/* ---- redis_server.c ---- */
struct redis_info {
    char version[24], run_id[48], role[16], policy[32], mode[16];
    bool aof, loading;
    uint64_t replicas;
};
/* Sign in and ask the server what it is. */
WEIR_MUST_USE enum weir_err redis_server_greet(struct redis_conn *c, const struct redis_place *place, struct redis_info *out, struct fault *fault);
/* Would it lose or tear state? Each finding with the fix; USAGE if any is bad. each may be NULL: then the first bad one ends it. */
WEIR_MUST_USE enum weir_err redis_server_check(const struct redis_info *info, const struct redis_place *place, store_survey_each *each, void *ctx, struct fault *fault);
/* An error of the server as one of ours. *again: it will go away by itself, or at another node: connect anew and repeat. */
enum weir_err redis_server_fault(const char *what, const char *error, bool *again, struct fault *fault);

/* ---- redis_link.c ---- */
#define REDIS_RESUME_MS 30000 /* how long a request is tried: a failover takes a few seconds, a restart with much data some more */
#define REDIS_KEY_MAX 160 /* weir:{SHARD}:KIND:ID */
#define REDIS_SCHEMA 2    /* 1: no value was ever packed */
struct redis_meta { /* the hash weir:{SHARD}:meta */
    bool exists;
    uint64_t schema, epoch, seq, fence, outbox; /* outbox: the last number given to an entry */
    char writer[96];                            /* run id of the server, number of the connection that holds the fence, a word of chance */
};
struct redis_link {
    struct redis_place *place; /* owned, as all below */
    struct redis_tls *tls;
    struct redis_conn *conn;  /* NULL: lost */
    bool given_up;            /* lost, and did not come back for as long as is waited */
    enum store_mode mode;
    struct redis_info info;
    struct redis_meta meta;   /* as this process knows it */
    char nonce[17];           /* ends meta.writer while the fence is ours */
    char meta_key[REDIS_KEY_MAX];
    struct redis_node asked;  /* the node that conn leads to */
    struct store_stats stats; /* without what conn has waited */
};
/* Connect, check, and for writing take the fence. NOTFOUND: no store there, for a reader. BUSY: somebody writes. */
WEIR_MUST_USE enum weir_err redis_link_open(struct redis_link *l, enum store_mode mode, struct fault *fault);
void redis_link_close(struct redis_link *l);
void redis_link_drop(struct redis_link *l); /* the connection only */
void redis_link_retry(struct redis_link *l, int attempt); /* drop it, and pause: the longer, the more attempts there were */
/* Connect again, with growing pauses, until it works or the patience is over, and see to it that nothing that was sent before can take
 * effect any more. *behind: the store is one commit further than l->meta, by us. BUSY: another writer has the fence. ROLLBACK. */
WEIR_MUST_USE enum weir_err redis_link_resume(struct redis_link *l, bool *behind, struct fault *fault);
/* WATCH and read the meta key, and compare it with what this process knows: the first half of a commit. */
WEIR_MUST_USE enum weir_err redis_link_watch(struct redis_link *l, struct fault *fault);
/* Connect to where an answer "ASK SLOT HOST:PORT" leads: one key of ours is there already, while the slot still moves. For one request. */
WEIR_MUST_USE enum weir_err redis_link_aside(struct redis_link *l, const char *error, struct redis_conn **out, struct fault *fault);
void redis_link_key(const struct redis_link *l, const char *kind, const char *id, char out[REDIS_KEY_MAX]);

/* ---- redis_cluster.c ---- */
unsigned redis_slot_of(struct slice tag);
/* The node that serves the slot of the shard, as any of those known tells. */
WEIR_MUST_USE enum weir_err redis_cluster_find(struct redis_conn *c, unsigned slot, const struct redis_node *asked, struct redis_node *out, struct fault *fault);

/* ---- redis_pack.c ---- */
struct redis_pack;
struct redis_pack *redis_pack_new(void);
void redis_pack_free(struct redis_pack *p);
/* A value as the server keeps it, and back. Borrowed until the next call of the same function. CORRUPT: it is none of ours. */
WEIR_MUST_USE enum weir_err redis_pack(struct redis_pack *p, struct slice value, struct slice *out);
WEIR_MUST_USE enum weir_err redis_unpack(struct redis_pack *p, struct slice stored, struct slice *out);

/* ---- redis_batch.c ---- */
struct redis_command {
    char *text; size_t n;         /* as it goes over the wire; owned */
    size_t id_at, value_at;       /* in text */
    uint32_t id_n, value_n;
    char kind;                    /* 0: an entry of the outbox, which no read of a batch sees */
    bool deletes;
};
struct redis_batch {
    struct redis_command *command; size_t n, cap;
    uint32_t *slot; size_t slots; /* last command of a key, 1 + its place */
    size_t bytes;
    uint64_t findings;
};
/* kind and id as the caller knows them, key as Redis does. */
WEIR_MUST_USE enum weir_err redis_batch_set(struct redis_batch *b, char kind, const char *id, const char *key, struct slice value, struct fault *fault);
WEIR_MUST_USE enum weir_err redis_batch_delete(struct redis_batch *b, char kind, const char *id, const char *key, struct fault *fault);
/* The last word of the batch about a key, NULL if it has none. */
const struct redis_command *redis_batch_find(const struct redis_batch *b, char kind, const char *id);
static inline struct slice redis_command_value(const struct redis_command *c)
{
    return (struct slice){c->text + c->value_at, c->value_n};
}
void redis_batch_clear(struct redis_batch *b);

#endif
