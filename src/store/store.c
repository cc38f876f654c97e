/* The contract of store.h in front of the backends: which backend a url means, and the rules that are the same for all.
 *
 * A batch that once failed stays failed: a caller that overlooks the failure of one put must not commit the rest, since
 * half a checkpoint counts an object whose sums are missing. While a callback of a read runs, another read, a begin
 * or a commit is refused: in Redis the replies that follow are still on the wire. Puts are allowed there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_ops.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store {
    const struct store_ops *ops;
    void *state;
    enum store_mode mode;
    struct store_position position;
    bool in_batch, reading;
    struct fault spoilt; /* the first failure of the open batch */
};

/* ---- open and close ---- */

static const struct scheme {
    const char *prefix;
    const struct store_ops *ops;
} schemes[] = {{"sqlite:", &store_sqlite}, {"redis://", &store_redis}, {"rediss://", &store_redis}, {"unix:", &store_redis},
               {"redis-cluster://", &store_redis}, {"rediss-cluster://", &store_redis}};

static const struct scheme *scheme_of(const char *url)
{
    for (size_t i = 0; i < WEIR_COUNT(schemes); i++)
        if (strncmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return &schemes[i];
    return NULL;
}

static int kind_length(const char *url)
{
    size_t n = strcspn(url, ":");
    return n < 100 ? (int)n : 100;
}

#define KINDS "sqlite:PATH, redis://HOST:PORT, rediss://HOST:PORT, unix:SOCKET or redis-cluster://HOST:PORT,..."

static enum weir_err find_backend(struct store_request *request, const struct store_ops **ops, struct fault *fault)
{
    const struct scheme *scheme = scheme_of(request->url);
    if (!scheme) /* here and below: a url may hold a password, so only what stands before the colon is shown */
        return fault_set(fault, WEIR_USAGE, "no kind of store is called '%.*s': expected " KINDS, kind_length(request->url), request->url);
    request->place = request->url + strlen(scheme->prefix);
    if (!*request->place)
        return fault_set(fault, WEIR_USAGE, "store '%s' names no place: expected " KINDS, scheme->prefix);
    *ops = scheme->ops;
    return WEIR_OK;
}

enum weir_err store_url_check(const char *url, struct fault *fault)
{
    struct store_request request = {.url = url};
    const struct store_ops *ops;
    return find_backend(&request, &ops, fault);
}

enum weir_err store_open_with(const char *url, enum store_mode mode, const struct store_options *options, struct store **out, struct fault *fault)
{
    struct store_request request = {.url = url, .options = options, .mode = mode};
    const struct store_ops *ops;
    *out = NULL;
    enum weir_err err = find_backend(&request, &ops, fault);
    if (err)
        return err;
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return fault_set(fault, WEIR_NOMEM, "cannot open the store: out of memory");
    s->ops = ops;
    s->mode = mode;
    err = s->ops->open(&request, &s->state, &s->position, fault);
    if (err) {
        free(s);
        return err;
    }
    *out = s;
    return WEIR_OK;
}

enum weir_err store_open(const char *url, enum store_mode mode, struct store **out, struct fault *fault)
{
    return store_open_with(url, mode, NULL, out, fault);
}

enum weir_err store_survey(const char *url, const struct store_options *options, store_survey_each *each, void *ctx, struct fault *fault)
{
    struct store_request request = {.url = url, .options = options, .mode = STORE_READ_ONLY};
    const struct store_ops *ops;
    enum weir_err err = find_backend(&request, &ops, fault);
    return err || !ops->survey ? err : ops->survey(&request, each, ctx, fault);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    assert(!s->reading);
    store_abort(s);
    s->ops->close(s->state);
    free(s);
}

const char *store_backend(const struct store *s)
{
    return s->ops->name;
}

bool store_is_far(const struct store *s)
{
    return s->ops->is_far;
}

void store_id(uint64_t number, char out[17]) { snprintf(out, 17, "%016llx", (unsigned long long)number); }

struct store_position store_position(const struct store *s)
{
    return s->position;
}

struct store_stats store_stats(const struct store *s)
{
    return s->ops->stats ? s->ops->stats(s->state) : (struct store_stats){0, 0, 0};
}

/* ---- what every key and value must be ---- */

static bool id_valid(const char *id)
{
    size_t n = strnlen(id, STORE_ID_MAX + 1);
    return n >= 1 && n <= STORE_ID_MAX && strspn(id, "0123456789abcdef") == n;
}

static bool key_valid(char kind, const char *id)
{
    return kind >= 'a' && kind <= 'z' && id_valid(id);
}

static enum weir_err check_key(char kind, const char *id, struct fault *fault)
{
    if (kind < 'a' || kind > 'z')
        return fault_set(fault, WEIR_USAGE, "kind of a stored value is byte 0x%02x, expected a to z", (unsigned)(unsigned char)kind);
    if (!id_valid(id)) /* not shown: what came in place of an id may be anything */
        return fault_set(fault, WEIR_USAGE, "id of a stored value of kind '%c' is not 1 to %d lower-case hex digits", kind, STORE_ID_MAX);
    return WEIR_OK;
}

static enum weir_err check_value(struct slice value, struct fault *fault)
{
    if (value.n > STORE_VALUE_MAX)
        return fault_set(fault, WEIR_LIMIT, "value of %zu bytes is over the limit of a stored value, %u", value.n, STORE_VALUE_MAX);
    return WEIR_OK;
}

static enum weir_err check_idle(const struct store *s, struct fault *fault)
{
    if (s->reading)
        return fault_set(fault, WEIR_USAGE, "the store was called again from the callback of a read");
    return WEIR_OK;
}

/* ---- reading ---- */

enum weir_err store_get_many(struct store *s, char kind, const char *const *ids, size_t n, store_each *each, void *ctx, struct fault *fault)
{
    enum weir_err err = check_idle(s, fault);
    for (size_t i = 0; i < n && !err; i++)
        err = check_key(kind, ids[i], fault);
    if (err || n == 0)
        return err;
    s->reading = true;
    err = s->ops->get_many(s->state, kind, ids, n, each, ctx, fault);
    s->reading = false;
    return err;
}

struct one_value {
    struct buffer *out;
    bool found;
};

static enum weir_err append_value(void *ctx, size_t i, struct slice value)
{
    struct one_value *one = ctx;
    (void)i;
    one->found = true;
    buffer_slice(one->out, value);
    return one->out->err;
}

enum weir_err store_get(struct store *s, char kind, const char *id, struct buffer *out, struct fault *fault)
{
    struct one_value one = {.out = out};
    enum weir_err err = store_get_many(s, kind, &id, 1, append_value, &one, fault);
    if (err && err == out->err)
        return fault_set(fault, err, "value %c:%s does not fit: %s", kind, id, weir_err_text(err));
    if (!err && !one.found)
        return fault_set(fault, WEIR_NOTFOUND, "the store has no value %c:%s", kind, id);
    return err;
}

bool store_has(struct store *s, char kind, const char *id)
{
    return !s->reading && key_valid(kind, id) && s->ops->has(s->state, kind, id);
}

enum weir_err store_outbox(struct store *s, uint64_t after, size_t limit, store_outbox_each *each, void *ctx, struct fault *fault)
{
    enum weir_err err = check_idle(s, fault);
    if (err || limit == 0)
        return err;
    s->reading = true;
    err = s->ops->outbox(s->state, after, limit, each, ctx, fault);
    s->reading = false;
    return err;
}

/* ---- the checkpoint ---- */

enum weir_err store_begin(struct store *s, struct fault *fault)
{
    enum weir_err err = check_idle(s, fault);
    if (err)
        return err;
    if (s->mode != STORE_READ_WRITE)
        return fault_set(fault, WEIR_USAGE, "the store is open for reading only");
    if (s->in_batch)
        return fault_set(fault, WEIR_USAGE, "a batch of the store is open already");
    err = s->ops->begin(s->state, fault);
    s->in_batch = !err;
    s->spoilt = (struct fault){.err = WEIR_OK};
    return err;
}

/* Keep the first failure for the commit, and tell the caller of this one. */
static enum weir_err note(struct store *s, enum weir_err err, const struct fault *mine, struct fault *fault)
{
    if (err && s->in_batch && !s->spoilt.err) {
        s->spoilt = *mine;
        s->spoilt.err = err;
    }
    if (err && fault)
        *fault = *mine;
    return err;
}

static enum weir_err check_write(const struct store *s, char kind, const char *id, struct slice value, struct fault *fault)
{
    if (!s->in_batch)
        return fault_set(fault, WEIR_USAGE, "no batch of the store is open");
    if (s->spoilt.err) {
        *fault = s->spoilt;
        return fault->err;
    }
    enum weir_err err = check_key(kind, id, fault);
    return err ? err : check_value(value, fault);
}

enum weir_err store_put(struct store *s, char kind, const char *id, struct slice value, struct fault *fault)
{
    struct fault mine = {.err = WEIR_OK};
    char place[] = "store-put-?";
    place[sizeof place - 2] = kind;
    failpoint(place);
    enum weir_err err = check_write(s, kind, id, value, &mine);
    if (!err)
        err = s->ops->put(s->state, kind, id, value, &mine);
    return note(s, err, &mine, fault);
}

enum weir_err store_delete(struct store *s, char kind, const char *id, struct fault *fault)
{
    struct fault mine = {.err = WEIR_OK};
    enum weir_err err = check_write(s, kind, id, SLICE_LIT(""), &mine);
    if (!err)
        err = s->ops->del(s->state, kind, id, &mine);
    return note(s, err, &mine, fault);
}

enum weir_err store_put_finding(struct store *s, const char *uid, struct slice json, struct fault *fault)
{
    struct fault mine = {.err = WEIR_OK};
    enum weir_err err = check_write(s, 'q', uid, json, &mine);
    if (!err)
        err = s->ops->append(s->state, uid, json, &mine);
    if (!err)
        err = s->ops->put(s->state, 'q', uid, json, &mine);
    return note(s, err, &mine, fault);
}

enum weir_err store_commit(struct store *s, struct fault *fault)
{
    struct fault mine = {.err = WEIR_OK};
    enum weir_err err = check_idle(s, &mine);
    if (err)
        return note(s, err, &mine, fault);
    if (!s->in_batch)
        return fault_set(fault, WEIR_USAGE, "no batch of the store is open");
    if (s->spoilt.err) {
        if (fault)
            *fault = s->spoilt;
        store_abort(s);
        return s->spoilt.err;
    }
    failpoint("store-before-commit");
    err = s->ops->commit(s->state, &s->position, fault);
    s->in_batch = false;
    if (!err)
        failpoint("store-after-commit");
    return err;
}

void store_abort(struct store *s)
{
    assert(!s->reading);
    if (s->in_batch)
        s->ops->abort(s->state);
    s->in_batch = false;
}
