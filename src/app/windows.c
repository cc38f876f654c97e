/* SPDX-License-Identifier: Apache-2.0 */
/* The open windows in the store: value 'w <day><bucket>', a blob of the room window for each of 256 buckets of hosts, so that a
 * checkpoint writes only what changed. Buckets are encoded by several threads: of a commit this is most of the work. */
#include <pthread.h>
#include <stdatomic.h>

#include "app/pipeline.h"

#define THREADS_MAX 64

static void bucket_id(uint16_t day, unsigned bucket, char id[8])
{
    unsigned char b[3] = {(unsigned char)(day >> 8), (unsigned char)day, (unsigned char)bucket};
    hex_encode(b, sizeof b, id);
}

struct loading {
    struct window *w;
    size_t bucket;     /* the last one that was looked at, and how that went */
    enum weir_err err;
};

static enum weir_err load_one(void *loading, size_t i, struct slice value)
{
    struct loading *l = loading;
    l->bucket = i;
    return l->err = window_decode(l->w, value);
}

/* The ledger says that these records are counted, so going on without them would be a silent hole. */
static enum weir_err load_fault(enum weir_err err, const char *id, struct fault *fault)
{
    if (err == WEIR_CORRUPT || err == WEIR_TRUNCATED)
        return fault_set(fault, WEIR_CORRUPT, "store value 'w:%s', sums of an open day, is damaged: restore a copy of the store, or begin a new "
                         "one and read the logs again", id);
    if (err == WEIR_LIMIT)
        return fault_set(fault, WEIR_USAGE, "the open days in the store have more host-days than 'window.max_hosts': set it as high as it was "
                         "when they were counted");
    return fault_set(fault, err, "cannot load the open windows: %s", weir_err_text(err));
}

enum weir_err windows_load(struct store *s, const struct run_state *st, struct window *w, struct fault *fault)
{
    struct loading l = {.w = w};
    for (size_t d = 0; d < st->open_days; d++) {
        char id[WINDOW_BUCKETS][8];
        const char *ids[WINDOW_BUCKETS];
        for (unsigned b = 0; b < WINDOW_BUCKETS; b++) {
            bucket_id(st->open_day[d], b, id[b]);
            ids[b] = id[b];
        }
        enum weir_err err = store_get_many(s, 'w', ids, WINDOW_BUCKETS, load_one, &l, fault);
        if (err)
            return l.err ? load_fault(l.err, id[l.bucket], fault) : err;
    }
    window_clean(w);
    return WEIR_OK;
}

struct writing {
    struct store *store;
    struct window *window;
    int64_t day_s;
    atomic_uint next;     /* bucket */
    atomic_bool failed;
    pthread_mutex_t lock; /* of the store and the fault */
    enum weir_err err;
    struct fault *fault;
};

static enum weir_err write_bucket(struct writing *wr, unsigned bucket, struct buffer *b)
{
    char id[8];
    bucket_id((uint16_t)(wr->day_s / DAY_S), bucket, id);
    buffer_clear(b);
    enum weir_err err = window_encode(wr->window, wr->day_s, bucket, b);
    pthread_mutex_lock(&wr->lock);
    if (!wr->err)
        wr->err = err ? fault_set(wr->fault, err, "cannot encode window '%s': %s", id, weir_err_text(err))
                      : store_put(wr->store, 'w', id, (struct slice){b->p, b->n}, wr->fault);
    err = wr->err;
    pthread_mutex_unlock(&wr->lock);
    return err;
}

static void *write_buckets(void *writing)
{
    struct writing *wr = writing;
    struct buffer b;
    enum weir_err err = WEIR_OK;
    buffer_init(&b, STORE_VALUE_MAX);
    for (unsigned bucket; !err && !atomic_load(&wr->failed) && (bucket = atomic_fetch_add(&wr->next, 1)) < WINDOW_BUCKETS;)
        if (window_bucket_dirty(wr->window, wr->day_s, bucket))
            err = write_bucket(wr, bucket, &b);
    if (err)
        atomic_store(&wr->failed, true);
    buffer_fini(&b);
    return NULL;
}

/* A thread that cannot be made is not missed: this one does all that is left. */
static enum weir_err write_day(struct store *s, struct window *w, int64_t day_s, unsigned threads, struct fault *fault)
{
    enum weir_err err = window_arrange(w, day_s);
    if (err)
        return fault_set(fault, err, "cannot encode the open windows: %s", weir_err_text(err));
    struct writing wr = {.store = s, .window = w, .day_s = day_s, .fault = fault};
    pthread_t thread[THREADS_MAX];
    unsigned started = 0;
    pthread_mutex_init(&wr.lock, NULL);
    while (started + 1 < threads && started < THREADS_MAX && pthread_create(&thread[started], NULL, write_buckets, &wr) == 0)
        started++;
    write_buckets(&wr);
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&wr.lock);
    return wr.err;
}

enum weir_err windows_put(struct store *s, struct window *w, unsigned threads, struct fault *fault)
{
    int64_t day[RUN_OPEN_DAYS_MAX];
    enum weir_err err = WEIR_OK;
    size_t days = window_days(w, day, RUN_OPEN_DAYS_MAX);
    for (size_t d = 0; d < days && !err; d++)
        err = write_day(s, w, day[d], threads, fault);
    return err;
}

enum weir_err windows_delete(struct store *s, uint16_t day, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    for (unsigned bucket = 0; bucket < WINDOW_BUCKETS && !err; bucket++) {
        char id[8];
        bucket_id(day, bucket, id);
        err = store_delete(s, 'w', id, fault);
    }
    return err;
}
