/* See s3.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/s3.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "source/fetch.h"
#include "source/internal.h"

#define URL_MAX (16u << 10)
#define SLOT_NS INT64_C(200000000) /* between two requests to an endpoint that fails */
#define SLICE_NS INT64_C(100000000) /* of a pause, between two looks at the stop */
#define CALM 2                     /* failures in a row from which on requests go one by one */
#define LIST_S 60
#define KEY_LINES 5                /* headers that every request has */

struct s3 {
    char *region, *endpoint, *ca_file;
    struct aws_keys *keys;
    pthread_mutex_t lock; /* of all below */
    unsigned failures, round; /* in a row; the requests of one round fail together */
    int64_t free_ns;          /* no request before */
    int64_t skew_s;           /* of the server's clock against ours */
};

/* One for the process: who we are is one thing, as the standard input is. */
static struct {
    pthread_mutex_t lock;
    bool allowed;
    char *region, *endpoint, *ca_file;
    char *const *env;
    struct s3 *client;
} global = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t pause_first_ns = 100000000, pause_max_ns = 20000000000;

void s3_set_pauses(int64_t first_ns, int64_t max_ns)
{
    pause_first_ns = first_ns;
    pause_max_ns = max_ns;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- open, close ---- */

static void client_free(struct s3 *s)
{
    if (!s)
        return;
    aws_keys_free(s->keys);
    free(s->region);
    free(s->endpoint);
    free(s->ca_file);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void forget_access(void)
{
    free(global.region);
    free(global.endpoint);
    free(global.ca_file);
    global.region = global.endpoint = global.ca_file = NULL;
    global.allowed = false;
}

/* No user, path, query or blank; clear text for this machine only, which is looked at again when the name is resolved. */
static bool is_endpoint(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    const char *host = url + scheme;
    return scheme && *host && strlen(url) < 300 && host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")] == 0;
}

enum weir_err s3_allow(const struct s3_access *access, struct fault *fault)
{
    if (*access->endpoint && !is_endpoint(access->endpoint))
        return fault_set(fault, WEIR_USAGE, "'s3.endpoint': '%.200s' is no https://HOST[:PORT], nor http:// for this machine", access->endpoint);
    pthread_mutex_lock(&global.lock);
    if (!global.client) { /* else it is in use: a service that reads its configuration anew stays who it is */
        forget_access();
        global.region = strdup(access->region);
        global.endpoint = strdup(access->endpoint);
        global.ca_file = strdup(access->ca_file);
        global.env = access->env;
        global.allowed = global.region && global.endpoint && global.ca_file;
    }
    pthread_mutex_unlock(&global.lock);
    return WEIR_OK;
}

static struct s3 *client_new(struct fault *fault)
{
    struct s3 *s = calloc(1, sizeof *s);
    if (!s || !(s->keys = aws_keys_new(global.env))) {
        free(s);
        fault_set(fault, WEIR_NOMEM, "out of memory");
        return NULL;
    }
    const char *found = aws_keys_region(s->keys);
    s->region = strdup(*global.region ? global.region : *found ? found : "us-east-1");
    s->endpoint = strdup(global.endpoint);
    s->ca_file = strdup(global.ca_file);
    pthread_mutex_init(&s->lock, NULL);
    if (s->region && s->endpoint && s->ca_file)
        return s;
    client_free(s);
    fault_set(fault, WEIR_NOMEM, "out of memory");
    return NULL;
}

struct s3 *s3_client(struct fault *fault)
{
    pthread_mutex_lock(&global.lock);
    if (!global.allowed)
        fault_set(fault, WEIR_USAGE, "this command reads no s3://");
    else if (!global.client)
        global.client = client_new(fault);
    struct s3 *s = global.client;
    pthread_mutex_unlock(&global.lock);
    return s;
}

void s3_end(void)
{
    fetch_end();
    pthread_mutex_lock(&global.lock);
    client_free(global.client);
    global.client = NULL;
    forget_access();
    pthread_mutex_unlock(&global.lock);
}

const char *s3_region(const struct s3 *s) { return s->region; }

/* ---- names ---- */

bool path_is_far(struct slice path) { return path.n >= 5 && memcmp(path.p, S3_SCHEME, 5) == 0; }

enum weir_err s3_place_parse(struct slice path, struct s3_place *out, struct fault *fault)
{
    struct slice rest = {path.p + 5, path.n - 5};
    const char *slash = memchr(rest.p, '/', rest.n);
    size_t n = slash ? (size_t)(slash - rest.p) : rest.n;
    bool fits = n >= 3 && n <= 63;
    for (size_t i = 0; fits && i < n; i++) {
        char c = rest.p[i];
        fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i && i + 1 < n && (c == '-' || c == '.'));
    }
    if (!fits)
        return fault_set(fault, WEIR_USAGE, "'%.*s': no bucket can be called so: s3://BUCKET[/PREFIX]", path.n < 200 ? (int)path.n : 200, path.p);
    size_t used = n + (slash != NULL);
    *out = (struct s3_place){{rest.p, n}, {rest.p + used, rest.n - used}};
    return WEIR_OK;
}

/* ---- the pause that all share ---- */

/* The request may go now; it belongs to that round. */
static enum weir_err await_turn(struct s3 *s, unsigned *round, struct fault *fault)
{
    pthread_mutex_lock(&s->lock);
    int64_t now = now_ns(), at = s->free_ns > now ? s->free_ns : now;
    if (s->failures >= CALM)
        s->free_ns = at + SLOT_NS;
    pthread_mutex_unlock(&s->lock);
    while ((now = now_ns()) < at) {
        if (source_stopped())
            return fault_set(fault, WEIR_INTERRUPTED, "interrupted");
        int64_t left = at - now < SLICE_NS ? at - now : SLICE_NS;
        nanosleep(&(struct timespec){.tv_nsec = (long)left}, NULL);
    }
    pthread_mutex_lock(&s->lock);
    *round = s->round;
    pthread_mutex_unlock(&s->lock);
    return WEIR_OK;
}

static void note_outcome(struct s3 *s, bool failed, unsigned round, uint64_t retry_after_s)
{
    pthread_mutex_lock(&s->lock);
    if (!failed) {
        s->failures = 0;
    } else if (round == s->round) {
        int64_t now = now_ns(), most = s->failures < 8 ? pause_first_ns << (s->failures + 1) : pause_max_ns;
        most = most < pause_max_ns ? most : pause_max_ns;
        int64_t pause = (int64_t)(hash_u64x2((uint64_t)now, s->round) % (uint64_t)most), asked = (int64_t)(retry_after_s < 20 ? retry_after_s : 20) * 1000000000;
        pause = pause > asked ? pause : asked;
        s->failures++;
        s->round++;
        s->free_ns = s->free_ns > now + pause ? s->free_ns : now + pause;
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- one request ---- */

/* "Sun, 22 Nov 2026 14:23:48 GMT" */
static bool date_parse(const char *date, int64_t *out_s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[32];
    if (strlen(date) != 29)
        return false;
    for (unsigned m = 0; m < 12; m++)
        if (memcmp(date + 8, months + 3 * m, 3) == 0) {
            snprintf(text, sizeof text, "%.4s-%02u-%.2sT%.8sZ", date + 12, m + 1, date + 5, date + 17);
            return time_parse(slice_of(text), out_s) == WEIR_OK;
        }
    return false;
}

struct attempt {
    struct s3 *s;
    const struct s3_call *call;
    struct web_answer *answer;
    struct aws_key key;
    struct s3_error error;
    struct buffer url, path, lines;
    char host[300];
    bool renewed, reset; /* credentials and clock are made good once */
    bool stale;          /* the key that was used last is no longer taken */
};

/* Scheme and host; the path as bytes. Buckets of AWS stand in the name of the host, where its certificate allows that. */
static void put_place(struct attempt *t)
{
    const struct s3_call *c = t->call;
    const char *region = t->s->region, *end = strncmp(region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
    bool dotted = memchr(c->bucket.p ? c->bucket.p : "", '.', c->bucket.n) != NULL, own = c->url || *t->s->endpoint, in_path = own || dotted;
    if (c->url)
        buffer_puts(&t->url, c->url);
    else if (own)
        buffer_puts(&t->url, t->s->endpoint);
    else
        buffer_printf(&t->url, "https://%.*s%ss3.%s.%s", in_path ? 0 : (int)c->bucket.n, c->bucket.p, in_path ? "" : ".", region, end);
    const char *host = strstr(buffer_cstr(&t->url), "://");
    size_t n = host ? strlen(host + 3) : 0;
    memcpy(t->host, host ? host + 3 : "", n < sizeof t->host ? n : 0);
    t->host[n < sizeof t->host ? n : 0] = 0;
    buffer_puts(&t->path, "/");
    if (in_path && c->bucket.n) {
        buffer_slice(&t->path, c->bucket);
        buffer_puts(&t->path, "/");
    }
    buffer_slice(&t->path, c->key);
}

/* All lines of the head, each ended by a NUL; web_ask wants pointers. */
static enum weir_err put_lines(struct attempt *t, const struct sigv4_pair *header, size_t n, const char *authorization, struct web_request *r)
{
    size_t at[WEB_HEADERS_MAX], lines = 0;
    for (size_t i = 0; i < n && lines + 2 < WEB_HEADERS_MAX; i++) {
        at[lines++] = t->lines.n;
        buffer_slice(&t->lines, header[i].name);
        buffer_puts(&t->lines, ": ");
        buffer_slice(&t->lines, header[i].value);
        buffer_put(&t->lines, "", 1);
    }
    at[lines++] = t->lines.n;
    buffer_printf(&t->lines, "authorization: %s", authorization);
    const char *text = buffer_cstr(&t->lines);
    for (size_t i = 0; i < lines && !t->lines.err; i++)
        r->header[i] = text + at[i];
    return t->lines.err;
}

static enum weir_err sign(struct attempt *t, struct web_request *r, struct fault *fault)
{
    const struct s3_call *c = t->call;
    struct sigv4_pair header[SIGV4_PAIRS_MAX];
    char date[SIGV4_DATE_MAX], hash[2 * SHA256_BYTES + 1];
    struct sha256 digest;
    struct buffer authorization;
    size_t n = 0;
    pthread_mutex_lock(&t->s->lock);
    int64_t now_s = (int64_t)time(NULL) + t->s->skew_s;
    pthread_mutex_unlock(&t->s->lock);
    sha256_of(c->body.p ? c->body.p : "", c->body.n, &digest);
    hex_encode(digest.b, sizeof digest.b, hash);
    sigv4_date(now_s, date);
    header[n++] = (struct sigv4_pair){SLICE_LIT("host"), slice_of(t->host)};
    header[n++] = (struct sigv4_pair){SLICE_LIT("x-amz-content-sha256"), slice_of(hash)};
    header[n++] = (struct sigv4_pair){SLICE_LIT("x-amz-date"), slice_of(date)};
    if (*t->key.token)
        header[n++] = (struct sigv4_pair){SLICE_LIT("x-amz-security-token"), slice_of(t->key.token)};
    for (size_t i = 0; i < c->header_n && n < SIGV4_PAIRS_MAX; i++)
        header[n++] = c->header[i];
    const struct sigv4_request q = {.method = r->method, .path = {t->path.p, t->path.n}, .query = c->query, .query_n = c->query_n, .header = header,
                                    .header_n = n, .payload = slice_of(hash), .region = t->s->region, .service = c->service ? c->service : "s3",
                                    .time_s = now_s};
    const struct sigv4_key key = {slice_of(t->key.id), slice_of(t->key.secret)};
    buffer_init(&authorization, URL_MAX);
    sigv4_target(&q, &t->url);
    enum weir_err err = sigv4_authorize(&q, &key, &authorization);
    if (!err && !(err = t->url.err))
        err = put_lines(t, header, n, buffer_cstr(&authorization), r);
    buffer_fini(&authorization);
    r->url = buffer_cstr(&t->url);
    return err ? fault_set(fault, err, "cannot sign a request: %s", weir_err_text(err)) : WEIR_OK;
}

static enum weir_err try_once(struct attempt *t, struct web *w, struct fault *fault)
{
    const struct s3_call *c = t->call;
    struct web_request r = {.method = c->method ? c->method : "GET", .body = c->body, .ca_file = *t->s->ca_file ? t->s->ca_file : NULL,
                            .patience_s = c->patience_s, .stopped = source_stopped, .take = c->take, .ctx = c->ctx};
    buffer_clear(&t->url);
    buffer_clear(&t->path);
    buffer_clear(&t->lines);
    put_place(t);
    enum weir_err err = sign(t, &r, fault);
    if (!err)
        err = web_ask(w, &r, t->answer, fault);
    t->error = (struct s3_error){.code = ""};
    if (!err && t->answer->status / 100 != 2)
        s3_error_read((struct slice){t->answer->text.p, t->answer->text.n}, &t->error);
    return err;
}

/* What is put right once and tried at once: credentials that are no longer taken, a clock that is off. */
static bool made_good(struct attempt *t)
{
    static const char *const stale[] = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken", "RequestExpired"};
    int64_t theirs_s;
    for (size_t i = 0; i < WEIR_COUNT(stale) && !t->renewed; i++)
        if (strcmp(t->error.code, stale[i]) == 0)
            return t->stale = t->renewed = true;
    if (t->reset || strcmp(t->error.code, "RequestTimeTooSkewed") != 0 || !date_parse(t->answer->date, &theirs_s))
        return false;
    pthread_mutex_lock(&t->s->lock);
    t->s->skew_s = theirs_s - (int64_t)time(NULL);
    pthread_mutex_unlock(&t->s->lock);
    return t->reset = true;
}

static bool passes(unsigned status) { return status == 429 || status == 500 || status == 502 || status == 503 || status == 504; }

/* ---- what a refusal means ---- */

static const char *advice(const struct attempt *t)
{
    const char *code = t->error.code;
    bool lists = t->call->query_n && !t->call->service;
    if (strcmp(code, "SignatureDoesNotMatch") == 0 || strcmp(code, "InvalidAccessKeyId") == 0)
        return ": the access key or its secret is wrong";
    if (strcmp(code, "RequestTimeTooSkewed") == 0)
        return ": the clock of this machine is wrong";
    if (strcmp(code, "InvalidObjectState") == 0)
        return ": it is archived, restore it first";
    if (strncmp(code, "Expired", 7) == 0)
        return ": the credentials have expired, and there are no newer ones";
    if (strncmp(code, "KMS.", 4) == 0)
        return ": the role needs kms:Decrypt for the key of the bucket";
    if (t->answer->status != 403)
        return "";
    if (t->call->service)
        return ": the role needs sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility";
    return lists ? ": the role needs s3:ListBucket" : ": the role needs s3:GetObject, and kms:Decrypt if the bucket is encrypted with a key of KMS";
}

static enum weir_err refused(const struct attempt *t, struct fault *fault)
{
    const struct s3_call *c = t->call;
    const char *region = *t->answer->region ? t->answer->region : t->error.region;
    unsigned status = t->answer->status;
    char name[200];
    struct buffer what;
    buffer_init(&what, 8192);
    if (c->url)
        buffer_puts(&what, c->url);
    else
        buffer_printf(&what, S3_SCHEME "%.*s/%.*s", (int)c->bucket.n, c->bucket.p, (int)c->key.n, c->key.p ? c->key.p : "");
    snprintf(name, sizeof name, "%.180s", buffer_cstr(&what));
    buffer_fini(&what);
    if ((status / 100 == 3 || strcmp(t->error.code, "AuthorizationHeaderMalformed") == 0) && *region && strcmp(region, t->s->region) != 0)
        return fault_set(fault, WEIR_USAGE, "'%s': the bucket is in region %s, and was asked for in %s: set 's3.region' to %s", name, region, t->s->region, region);
    if (status / 100 == 3)
        return fault_set(fault, WEIR_USAGE, "'%s': sent elsewhere (status %u), which is not followed", name, status);
    if (status == 404 && strcmp(t->error.code, "NoSuchBucket") == 0)
        return fault_set(fault, WEIR_USAGE, "'%s': there is no such bucket", name);
    if (status == 404)
        return fault_set(fault, WEIR_NOTFOUND, "'%s': not found", name);
    if (status == 412)
        return fault_set(fault, WEIR_EXISTS, "'%s': it is not what it was when it was listed", name);
    return fault_set(fault, passes(status) ? WEIR_UNAVAILABLE : WEIR_USAGE, "'%s': %u %s%s", name, status, t->error.code, advice(t));
}

static enum weir_err ask(struct attempt *t, struct web *w, struct fault *fault)
{
    unsigned tries = t->call->tries ? t->call->tries : S3_TRIES, round = 0;
    enum weir_err err = WEIR_UNAVAILABLE;
    for (unsigned i = 0; i < tries;) {
        if (!t->call->service && (err = await_turn(t->s, &round, fault)))
            return err;
        if ((err = aws_keys_get(t->s->keys, w, t->stale, &t->key, fault))) {
            if (err == WEIR_UNAVAILABLE && !t->call->service) /* whoever asks again waits, too */
                note_outcome(t->s, true, round, 0);
            return err;
        }
        t->stale = false;
        err = try_once(t, w, fault);
        bool answered = !err, failed = err == WEIR_UNAVAILABLE || (answered && passes(t->answer->status));
        if (answered && !failed && t->answer->status / 100 != 2 && made_good(t))
            continue;
        if (!t->call->service) /* the pause is that of S3 */
            note_outcome(t->s, failed, round, answered ? t->answer->retry_after_s : 0);
        if (answered && t->answer->status / 100 == 2)
            return WEIR_OK;
        if (answered)
            err = refused(t, fault);
        if (!failed)
            return err;
        i++;
    }
    return err;
}

enum weir_err s3_ask(struct s3 *s, struct web *w, const struct s3_call *c, struct web_answer *a, struct fault *fault)
{
    struct attempt t = {.s = s, .call = c, .answer = a};
    buffer_init(&t.url, URL_MAX);
    buffer_init(&t.path, URL_MAX);
    buffer_init(&t.lines, 2 * URL_MAX);
    enum weir_err err = ask(&t, w, fault);
    explicit_bzero(&t.key, sizeof t.key);
    buffer_fini(&t.url);
    buffer_fini(&t.path);
    buffer_fini(&t.lines);
    return err;
}

/* ---- a page of a listing ---- */

enum weir_err s3_list(struct s3 *s, struct web *w, struct s3_listing *l, s3_each *each, void *ctx, struct fault *fault)
{
    struct sigv4_pair query[6];
    struct s3_page page;
    struct web_answer a;
    size_t n = 0;
    query[n++] = (struct sigv4_pair){SLICE_LIT("list-type"), SLICE_LIT("2")};
    query[n++] = (struct sigv4_pair){SLICE_LIT("encoding-type"), SLICE_LIT("url")};
    query[n++] = (struct sigv4_pair){SLICE_LIT("prefix"), l->prefix};
    if (*l->delimiter)
        query[n++] = (struct sigv4_pair){SLICE_LIT("delimiter"), slice_of(l->delimiter)};
    if (*l->token)
        query[n++] = (struct sigv4_pair){SLICE_LIT("continuation-token"), slice_of(l->token)};
    else if (l->after.n)
        query[n++] = (struct sigv4_pair){SLICE_LIT("start-after"), l->after};
    const struct s3_call call = {.bucket = l->bucket, .query = query, .query_n = n, .tries = l->tries, .patience_s = LIST_S};
    web_answer_init(&a);
    enum weir_err err = s3_ask(s, w, &call, &a, fault);
    if (!err)
        err = s3_page_read((struct slice){a.text.p, a.text.n}, each, ctx, &page, fault);
    web_answer_fini(&a);
    if (err)
        return err;
    l->done = !page.more;
    memcpy(l->token, page.token, sizeof l->token);
    return WEIR_OK;
}
