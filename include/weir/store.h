/* SPDX-License-Identifier: Apache-2.0 */
/* store - beside the path: values under keys, and one atomic commit. Knows nothing of what the values mean.
 *
 * Two backends behind one struct of functions: SQLite (one file) and Redis (one server, or a cluster); one conformance test for both.
 * Keys are (kind, id): kind one lower-case letter, id 1 to 64 lower-case hex digits, never text from a log. In Redis they
 * become weir:{SHARD}:KIND:ID. Values are blobs (base: blob_begin) or, for findings, JSON; the store does not look inside.
 * Nothing enumerates keys (Redis Cluster has no cheap way): what must be listed has an index value of its own; the one
 * exception is the findings outbox, an ordered sequence.
 *
 * Kinds: m meta · o ledger entry by object id · s object id by the place where it lies, if that is far · l ledger index by day · w open window by day and bucket · h host baseline ·
 *        c dossier of a host's finding (days, scores, evidence) · q finding by uid · f class of hosts · i index of hosts and classes ·
 *        v what the logs of a day covered · g objects that grow ·
 *        k marks, and what findings kept from being learned · d how far sinks have got.
 *
 * Invariants: a commit is all or nothing, also when the process is killed at any point; a reader sees a commit whole.
 * One writer: a commit is fenced by the sequence number read when the store was opened; if somebody else committed
 * since, it fails with BUSY and nothing is written. */
#ifndef WEIR_STORE_H
#define WEIR_STORE_H

#include "weir/base.h"

#define STORE_ID_MAX 64
#define STORE_VALUE_MAX (64u << 20)
#define STORE_SCHEMA 1

enum store_mode { STORE_READ_ONLY, STORE_READ_WRITE };

struct store; /* not thread-safe: one thread at a time */

/* What a url must not or cannot tell. All may be NULL or "". */
struct store_options {
    const char *password_file;               /* Redis: read at every connection */
    const char *ca_file, *cert_file, *key_file; /* TLS: who is trusted (NULL: as the system does), and who we are */
};

/* url: "sqlite:PATH" (created with 0600 in a directory created with 0700), "sqlite::memory:" for tests, "sqlite::temporary:" and "sqlite::temporary:PATH": a
 * file without a name that is gone when it is closed, empty or a copy of the store at PATH; "redis://[USER@]HOST[:PORT]",
 * "rediss://" (TLS), "unix:SOCKET", "redis-cluster://HOST:PORT,HOST:PORT..." and "rediss-cluster://", each with "?shard=NAME" for one of
 * several stores (default "0"). Anything else is USAGE, so is a password in a url. Read-only on a missing store: NOTFOUND. BUSY when another
 * writer holds it, VERSION when it was written by a newer weir, CORRUPT when it is no weir store, UNAVAILABLE when it cannot be reached; USAGE also
 * for a server that would lose state. *out is owned. */
WEIR_MUST_USE enum weir_err store_open_with(const char *url, enum store_mode mode, const struct store_options *options, struct store **out, struct fault *fault);
/* Whether a store can be called so. Opens nothing. */
WEIR_MUST_USE enum weir_err store_url_check(const char *url, struct fault *fault);
WEIR_MUST_USE enum weir_err store_open(const char *url, enum store_mode mode, struct store **out, struct fault *fault); /* without options */
void store_close(struct store *s);
const char *store_backend(const struct store *s); /* "sqlite", "redis" */

/* What is looked at before a server is trusted, each with what was found and, when it is not fine, the reason and the fix. The
 * store need not exist yet: then the result is NOTFOUND, as of store_open. SQLite has nothing to say. */
typedef void store_survey_each(void *ctx, const char *subject, bool fine, const char *found, const char *fix);
WEIR_MUST_USE enum weir_err store_survey(const char *url, const struct store_options *options, store_survey_each *each, void *ctx, struct fault *fault);

/* Since it was opened. unreplicated: commits that no replica had taken over within a second, though there was one. */
struct store_stats { uint64_t waited_us, reconnects, unreplicated; };
struct store_stats store_stats(const struct store *s);

bool store_is_far(const struct store *s); /* each read is a round trip: ask for many at once */

/* The id of a value that goes by a number: its 16 digits. */
void store_id(uint64_t number, char out[17]);

/* epoch: random at creation, tells a recreated store; seq: number of commits. */
struct store_position { uint64_t epoch, seq; };
struct store_position store_position(const struct store *s);

/* Read one value into *out (appended; caller's buffer). NOTFOUND leaves it untouched. */
WEIR_MUST_USE enum weir_err store_get(struct store *s, char kind, const char *id, struct buffer *out, struct fault *fault);
/* Many at once, in one round trip where the backend can: each(i, value) is called in order of ids for those that exist; value borrowed until return.
 * A non-OK result of each stops and is returned. */
typedef enum weir_err store_each(void *ctx, size_t i, struct slice value);
WEIR_MUST_USE enum weir_err store_get_many(struct store *s, char kind, const char *const *ids, size_t n, store_each *each, void *ctx, struct fault *fault);
bool store_has(struct store *s, char kind, const char *id); /* false also on failure: use where a re-check follows */

/* ---- the checkpoint ---- */
/* Begin collects; nobody else sees anything before commit, but reads of this store between begin and commit see the batch's own puts and
 * deletes (the outbox excepted). Values are copied. One batch at a time. */
WEIR_MUST_USE enum weir_err store_begin(struct store *s, struct fault *fault);
WEIR_MUST_USE enum weir_err store_put(struct store *s, char kind, const char *id, struct slice value, struct fault *fault);
WEIR_MUST_USE enum weir_err store_delete(struct store *s, char kind, const char *id, struct fault *fault);
/* Append to the findings outbox (ordered, never rewritten); the value also stands under kind q. */
WEIR_MUST_USE enum weir_err store_put_finding(struct store *s, const char *uid, struct slice json, struct fault *fault);
/* All or nothing. On any error nothing was written and the batch is gone. Failpoints: store-put-KIND (at a put), store-before-commit, store-mid-commit
 * (half of the writes done), store-after-commit; Redis also store-connected, -fence-watched, -fenced, -before-read, -watched, -before-exec, -exec-sent,
 * -exec-answered, -resumed. BUSY: another writer was faster. UNAVAILABLE:
 * disk or memory full, locked, away for longer than half a minute: try again. ROLLBACK: the store is older than it was (flushed, restored, a
 * replica that lagged): open it again, and feed again what its ledger lacks. */
WEIR_MUST_USE enum weir_err store_commit(struct store *s, struct fault *fault);
void store_abort(struct store *s);

/* The outbox from after cursor (0 = start), oldest first, at most limit; each gets the sequence number of the entry through *cursor.
 * The same uid may come again (updates); the last one is the present state. */
typedef enum weir_err store_outbox_each(void *ctx, uint64_t seq, const char *uid, struct slice json);
WEIR_MUST_USE enum weir_err store_outbox(struct store *s, uint64_t after, size_t limit, store_outbox_each *each, void *ctx, struct fault *fault);

#endif
