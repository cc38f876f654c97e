/* Lines to objects: the S3 layouts of AWS, split at a size, gzip without time or name so that the same input gives the same bytes.
 * The main thread fills chunks; workers compress, hash and write. An object belongs to one worker, so its chunks stay in order, and
 * nothing in its bytes depends on how many workers there are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flowgen.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define CHUNK (256u << 10)
#define QUEUE 32
#define MAX_WORKERS 64
#define KEY_MAX 384

struct object {
    char key[KEY_MAX];
    char *chunk;
    size_t fill;
    uint64_t records, raw, size; /* size: of the file */
    int64_t bucket, delivered;
    uint32_t worker, part;
    FILE *fp; /* from here on the worker's */
    z_stream zs;
    EVP_MD_CTX *md;
    unsigned char sha256[32];
    struct object *next;
};

struct job {
    struct object *object;
    char *chunk;
    size_t n;
    bool last;
};

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job queue[QUEUE];
    size_t head, n;
    const struct config *cfg;
    unsigned char buffer[CHUNK];
};

struct sink {
    const struct world *w; /* NULL: only count */
    uint64_t raw, records;
    struct object *first, *last, *open[MAX_VPCS][2];
    uint64_t nobjects;
    struct worker *workers;
    char header[4096], made[KEY_MAX];
    size_t header_n;
};

/* ---- workers ---- */

static void file_write(const struct worker *k, struct object *o, const void *bytes, size_t n)
{
    if (n && fwrite(bytes, 1, n, o->fp) != n) fatal("cannot write '%s/%s': %s", k->cfg->out, o->key, strerror(errno));
    if (EVP_DigestUpdate(o->md, bytes, n) != 1) fatal("cannot hash '%s'", o->key);
    o->size += n;
}

static void file_open(const struct worker *k, struct object *o)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", k->cfg->out, o->key);
    o->fp = fopen(path, "wb");
    if (!o->fp) fatal("cannot create '%s': %s", path, strerror(errno));
    o->md = need(EVP_MD_CTX_new());
    if (EVP_DigestInit_ex(o->md, EVP_sha256(), NULL) != 1) fatal("no SHA-256");
    if (!k->cfg->plain && deflateInit2(&o->zs, (int)k->cfg->level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) fatal("cannot start zlib");
}

static void file_close(struct object *o)
{
    struct timespec times[2] = {{.tv_sec = o->delivered}, {.tv_sec = o->delivered}};
    if (EVP_DigestFinal_ex(o->md, o->sha256, NULL) != 1) fatal("cannot hash '%s'", o->key);
    EVP_MD_CTX_free(o->md);
    if (fflush(o->fp) || futimens(fileno(o->fp), times) || fclose(o->fp)) fatal("cannot write '%s': %s", o->key, strerror(errno));
}

static void job_run(struct worker *k, struct job *j)
{
    struct object *o = j->object;
    if (!o->fp) file_open(k, o);
    if (k->cfg->plain) {
        file_write(k, o, j->chunk, j->n);
    } else {
        o->zs.next_in = (unsigned char *)j->chunk;
        o->zs.avail_in = (unsigned)j->n;
        do {
            o->zs.next_out = k->buffer;
            o->zs.avail_out = CHUNK;
            if (deflate(&o->zs, j->last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR) fatal("zlib failed on '%s'", o->key);
            file_write(k, o, k->buffer, CHUNK - o->zs.avail_out);
        } while (!o->zs.avail_out);
        if (j->last) deflateEnd(&o->zs);
    }
    free(j->chunk);
    if (j->last) file_close(o);
}

static void *worker_main(void *argument)
{
    struct worker *k = argument;
    for (;;) {
        pthread_mutex_lock(&k->lock);
        while (!k->n) pthread_cond_wait(&k->changed, &k->lock);
        struct job j = k->queue[k->head];
        k->head = (k->head + 1) % QUEUE;
        k->n--;
        pthread_cond_signal(&k->changed);
        pthread_mutex_unlock(&k->lock);
        if (!j.object) return NULL;
        job_run(k, &j);
    }
}

static void worker_push(struct worker *k, struct job j)
{
    pthread_mutex_lock(&k->lock);
    while (k->n == QUEUE) pthread_cond_wait(&k->changed, &k->lock);
    k->queue[(k->head + k->n++) % QUEUE] = j;
    pthread_cond_signal(&k->changed);
    pthread_mutex_unlock(&k->lock);
}

/* ---- objects ---- */

struct sink *sink_new_count(void)
{
    return need(calloc(1, sizeof(struct sink)));
}

struct sink *sink_new_objects(const struct world *w)
{
    struct sink *s = sink_new_count();
    s->w = w;
    if (!w->cfg.cloudwatch) s->header_n = header_print(&w->cfg, s->header, sizeof s->header);
    s->workers = need(calloc(w->cfg.threads, sizeof *s->workers));
    for (uint32_t i = 0; i < w->cfg.threads; i++) {
        struct worker *k = &s->workers[i];
        k->cfg = &w->cfg;
        if (pthread_mutex_init(&k->lock, NULL) || pthread_cond_init(&k->changed, NULL) || pthread_create(&k->thread, NULL, worker_main, k))
            fatal("cannot start a thread");
    }
    return s;
}

static void object_flush(struct sink *s, struct object *o, bool last)
{
    worker_push(&s->workers[o->worker], (struct job){o, o->chunk, o->fill, last});
    o->chunk = last ? NULL : need(malloc(CHUNK));
    o->fill = 0;
}

static void object_write(struct sink *s, struct object *o, const char *bytes, size_t n)
{
    if (o->fill + n > CHUNK) object_flush(s, o, false);
    memcpy(o->chunk + o->fill, bytes, n);
    o->fill += n;
    o->raw += n;
}

static void folder_print(const struct config *c, const char *account, struct date d, char *out, size_t size)
{
    const char *slash = *c->prefix ? "/" : "";
    int n;
    if (c->layout == LAYOUT_HIVE || c->layout == LAYOUT_HIVE_HOURLY)
        n = snprintf(out, size, "%s%sAWSLogs/aws-account-id=%s/aws-service=vpcflowlogs/aws-region=%s/year=%04u/month=%02u/day=%02u/", c->prefix, slash,
                     account, c->region, d.year, d.month, d.day);
    else
        n = snprintf(out, size, "%s%sAWSLogs/%s/vpcflowlogs/%s/%04u/%02u/%02u/", c->prefix, slash, account, c->region, d.year, d.month, d.day);
    if (n > 0 && (size_t)n < size && c->layout == LAYOUT_HOURLY) snprintf(out + n, size - (size_t)n, "%02u/", d.hour);
    if (n > 0 && (size_t)n < size && c->layout == LAYOUT_HIVE_HOURLY) snprintf(out + n, size - (size_t)n, "hour=%02u/", d.hour);
}

static void key_print(const struct world *w, uint32_t vpc, uint32_t subscription, struct object *o)
{
    const struct config *c = &w->cfg;
    const char *suffix = c->plain ? ".log" : ".log.gz";
    struct date d = date_of(o->bucket);
    char account[16], log[24], folder[KEY_MAX - 128];
    if (c->single) {
        snprintf(o->key, sizeof o->key, "flows%s%.0u%s", subscription ? "-again" : "", o->part, suffix);
        return;
    }
    account_print(w, vpc, account);
    flow_log_print(w, vpc, subscription, log);
    folder_print(c, account, d, folder, sizeof folder);
    uint64_t hash = hash4(c->seed ^ o->part ^ (uint64_t)c->variant << 32 ^ (uint64_t)c->attacks_only << 63, vpc, subscription, (uint64_t)o->bucket);
    snprintf(o->key, sizeof o->key, "%s%s_vpcflowlogs_%s_%s_%04u%02u%02uT%02u%02uZ_%08x%s", folder, account, c->region, log, d.year, d.month, d.day,
             d.hour, d.minute, (unsigned)(hash >> 32), suffix);
}

/* mkdir -p for the folders of a key; the last one made is remembered. */
static void folders_make(struct sink *s, const char *key)
{
    const char *end = strrchr(key, '/');
    size_t n = end ? (size_t)(end - key) : 0;
    if (!n || (strlen(s->made) == n && !memcmp(s->made, key, n))) return;
    char path[4096];
    for (size_t i = 1; i <= n; i++) {
        if (key[i] != '/') continue;
        snprintf(path, sizeof path, "%s/%.*s", s->w->cfg.out, (int)i, key);
        if (mkdir(path, 0777) && errno != EEXIST) fatal("cannot create '%s': %s", path, strerror(errno));
    }
    memcpy(s->made, key, n);
    s->made[n] = '\0';
}

/* Objects come some minutes after their five minutes; a few come hours late. */
static int64_t delivery_time(const struct config *c, uint64_t hash, int64_t bucket)
{
    int64_t at = bucket + (int64_t)c->period + 240 + (int64_t)(hash % 240);
    if ((hash >> 32) % 1000 < c->late_pm) at += 3600 + (int64_t)((hash >> 8) % (25 * 3600));
    return at;
}

static struct object *object_open(struct sink *s, uint32_t vpc, uint32_t subscription, int64_t bucket, uint32_t part)
{
    const struct config *c = &s->w->cfg;
    struct object *o = need(calloc(1, sizeof *o));
    o->bucket = bucket;
    o->part = part;
    key_print(s->w, vpc, subscription, o);
    o->delivered = c->single ? s->w->end + 600 : delivery_time(c, hash4(c->seed, 'D', vpc * 2 + subscription, (uint64_t)bucket + part), bucket);
    o->worker = (uint32_t)(s->nobjects++ % c->threads);
    o->chunk = need(malloc(CHUNK));
    folders_make(s, o->key);
    if (s->last) s->last->next = o;
    else s->first = o;
    s->last = o;
    object_write(s, o, s->header, s->header_n);
    return o;
}

static void line_deliver(struct sink *s, uint32_t vpc, uint32_t subscription, int64_t tick, const char *line, size_t n)
{
    const struct config *c = &s->w->cfg;
    struct object **slot = &s->open[c->single ? 0 : vpc][subscription], *o = *slot;
    int64_t bucket = c->single ? 0 : tick - tick % (int64_t)c->period;
    bool full = o && c->object_cap && o->raw + n > c->object_cap;
    if (!o || o->bucket != bucket || full) {
        uint32_t part = o && o->bucket == bucket ? o->part + 1 : 0;
        if (o) object_flush(s, o, true);
        *slot = o = object_open(s, vpc, subscription, bucket, part);
    }
    object_write(s, o, line, n);
    o->records++;
}

void sink_line(struct sink *s, uint32_t vpc, int64_t tick, const char *line, size_t n)
{
    s->raw += n;
    s->records++;
    if (!s->w) return;
    line_deliver(s, vpc, 0, tick, line, n);
    if (s->w->cfg.double_subscription) line_deliver(s, vpc, 1, tick, line, n);
}

uint64_t sink_bytes(const struct sink *s)
{
    return s->raw;
}

uint64_t sink_records(const struct sink *s)
{
    return s->records;
}

/* ---- manifest ---- */

static void manifest_write(const struct sink *s)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/manifest.json", s->w->cfg.out);
    FILE *fp = fopen(path, "w");
    if (!fp) fatal("cannot create '%s': %s", path, strerror(errno));
    uint64_t records = 0, raw = 0, bytes = 0;
    fprintf(fp, "{\"generator\": \"flowgen\", \"seed\": %llu,\n \"files\": [", (unsigned long long)s->w->cfg.seed);
    for (const struct object *o = s->first; o; o = o->next) {
        fprintf(fp, "%s\n  {\"key\": \"%s\", \"records\": %llu, \"bytes\": %llu, \"raw_bytes\": %llu, \"delivered_epoch\": %lld, \"sha256\": \"",
                o == s->first ? "" : ",", o->key, (unsigned long long)o->records, (unsigned long long)o->size, (unsigned long long)o->raw,
                (long long)o->delivered);
        for (int i = 0; i < 32; i++) fprintf(fp, "%02x", o->sha256[i]);
        fprintf(fp, "\"}");
        records += o->records, raw += o->raw, bytes += o->size;
    }
    fprintf(fp, "],\n \"objects\": %llu, \"records\": %llu, \"bytes\": %llu, \"raw_bytes\": %llu}\n", (unsigned long long)s->nobjects,
            (unsigned long long)records, (unsigned long long)bytes, (unsigned long long)raw);
    if (fclose(fp)) fatal("cannot write '%s': %s", path, strerror(errno));
}

void sink_close(struct sink *s)
{
    for (int v = 0; s->w && v < MAX_VPCS; v++)
        for (int k = 0; k < 2; k++)
            if (s->open[v][k]) object_flush(s, s->open[v][k], true);
    for (uint32_t i = 0; s->w && i < s->w->cfg.threads; i++) {
        worker_push(&s->workers[i], (struct job){0});
        pthread_join(s->workers[i].thread, NULL);
    }
    if (s->w) manifest_write(s);
    for (struct object *o = s->first, *next; o; o = next) {
        next = o->next;
        free(o);
    }
    free(s->workers);
    free(s);
}
