/* SPDX-License-Identifier: Apache-2.0 */
/* One object through source and decode. With `ahead`, a second thread inflates into a ring of buffers while this one
 * decodes: for the last or only objects of a run, when another processor would be idle. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "app/pipeline.h"
#include "app/spool.h"

#define CHUNK (128u << 10)
#define RING 4

struct chunk {
    char *memory; /* headroom, then data */
    size_t n;
    enum weir_err err;
};

struct object_reader {
    struct source *source;
    struct decoder *decoder;
    struct chunk ring[RING];
    pthread_mutex_t lock;
    pthread_cond_t change;
    unsigned filled, taken; /* chunks so far */
    bool stop;
    struct fault fault; /* of the reading side */
    struct spool spool;
};

struct object_reader *object_reader_new(const struct source_limits *limits, struct decoder *d)
{
    struct object_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->decoder = d;
    r->spool.fd = -1;
    r->source = source_new(limits, INFLATE_BEST);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->change, NULL);
    if (!r->source) {
        object_reader_free(r);
        return NULL;
    }
    return r;
}

void object_reader_free(struct object_reader *r)
{
    if (!r)
        return;
    source_free(r->source);
    spool_fini(&r->spool);
    for (unsigned i = 0; i < RING; i++)
        free(r->ring[i].memory);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->change);
    free(r);
}

static bool room(struct object_reader *r, unsigned chunks)
{
    for (unsigned i = 0; i < chunks; i++)
        if (!r->ring[i].memory && !(r->ring[i].memory = malloc(DECODE_HEADROOM + CHUNK)))
            return false;
    return true;
}

static void fill(struct object_reader *r, struct chunk *c)
{
    c->err = source_read(r->source, c->memory + DECODE_HEADROOM, CHUNK, &c->n, &r->fault);
}

static void *read_ahead(void *reader)
{
    struct object_reader *r = reader;
    for (;;) {
        pthread_mutex_lock(&r->lock);
        while (r->filled - r->taken == RING && !r->stop)
            pthread_cond_wait(&r->change, &r->lock);
        bool stop = r->stop;
        pthread_mutex_unlock(&r->lock);
        if (stop)
            return NULL;
        struct chunk *c = &r->ring[r->filled % RING];
        fill(r, c);
        pthread_mutex_lock(&r->lock);
        r->filled++;
        pthread_cond_signal(&r->change);
        pthread_mutex_unlock(&r->lock);
        if (c->err)
            return NULL;
    }
}

static struct chunk *take(struct object_reader *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->filled == r->taken)
        pthread_cond_wait(&r->change, &r->lock);
    pthread_mutex_unlock(&r->lock);
    return &r->ring[r->taken % RING];
}

static void give_back(struct object_reader *r)
{
    pthread_mutex_lock(&r->lock);
    r->taken++;
    pthread_cond_signal(&r->change);
    pthread_mutex_unlock(&r->lock);
}

/* ---- what the decoder draws from ---- */

struct passage { /* of one object */
    struct object_reader *r;
    bool ahead, taken; /* taken: a chunk of the ring is with the decoder */
    struct progress *progress;
    uint64_t stored;
};

static void tell_progress(struct passage *p)
{
    uint64_t now = source_stored_bytes(p->r->source);
    progress_add(p->progress, now - p->stored);
    p->stored = now;
}

/* Called for the next chunk when the last one is decoded. */
static enum weir_err next_chunk(void *ctx, char **out, size_t *n, struct fault *fault)
{
    struct passage *p = ctx;
    struct object_reader *r = p->r;
    struct chunk *c = &r->ring[0];
    if (p->taken && p->ahead)
        give_back(r);
    else if (p->taken && p->progress)
        tell_progress(p);
    if (p->taken && app_interrupted())
        return WEIR_INTERRUPTED;
    if (p->ahead)
        c = take(r);
    else
        fill(r, c);
    p->taken = !c->err;
    *out = c->memory + DECODE_HEADROOM;
    *n = c->n;
    if (c->err && c->err != WEIR_END)
        *fault = r->fault;
    return c->err;
}

static enum weir_err spool(void *ctx, const char *bytes, size_t n, struct fault *fault)
{
    struct passage *p = ctx;
    return spool_add(&p->r->spool, bytes, n, fault);
}

static enum weir_err spooled(void *ctx, uint64_t at, void *out, size_t n, struct fault *fault)
{
    struct passage *p = ctx;
    return spool_read(&p->r->spool, at, out, n, fault);
}

/* The verdict of the source beats that of the text. */
static enum weir_err decode_all(struct object_reader *r, bool ahead, struct progress *progress, struct object_outcome *out)
{
    struct passage p = {.r = r, .ahead = ahead, .progress = progress};
    const struct decode_input input = {&p, next_chunk, spool, spooled};
    spool_clear(&r->spool);
    return decoder_run(r->decoder, &input, &out->fault);
}

static enum weir_err decode_ahead(struct object_reader *r, struct progress *progress, struct object_outcome *out)
{
    pthread_t thread;
    r->filled = r->taken = 0;
    r->stop = false;
    if (pthread_create(&thread, NULL, read_ahead, r) != 0)
        return decode_all(r, false, progress, out);
    enum weir_err err = decode_all(r, true, progress, out);
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->change);
    pthread_mutex_unlock(&r->lock);
    pthread_join(thread, NULL);
    progress_add(progress, source_stored_bytes(r->source));
    return err;
}

void object_read(struct object_reader *r, const struct object *o, bool ahead, struct progress *progress, struct object_outcome *out)
{
    memset(out, 0, sizeof *out);
    decoder_begin(r->decoder); /* should it never come to be read */
    decoder_pass_over(r->decoder, o->counted);
    if (!room(r, ahead ? RING : 1)) {
        out->err = fault_set(&out->fault, WEIR_NOMEM, "out of memory");
        return;
    }
    out->err = source_open(r->source, o, &out->fault);
    if (!out->err)
        out->err = ahead ? decode_ahead(r, progress, out) : decode_all(r, false, progress, out);
    out->why = source_why(r->source);
    out->bad = out->why ? BAD_NONE : decoder_bad(r->decoder);
    out->notes = source_notes(r->source);
    out->stored = source_stored_bytes(r->source);
    out->inflated = source_inflated_bytes(r->source);
    if (!out->err)
        source_id(r->source, &out->id);
}
