/* See queue.h. Source: Amazon SQS API Reference, JSON protocol (2026-11). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/queue.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "source/internal.h"
#include "source/s3.h"

#define BATCH 10
#define OPEN_MAX 500     /* messages in flight with us */
#define TICKETS_MAX 1000 /* objects of one message */
#define VISIBLE_S 120    /* how long a message is ours; prolonged after half of that */
#define WAIT_S 20        /* for messages, when none is open; else a second */
#define PAUSE_MAX_S 20

struct message {
    struct message *next;
    char *receipt;
    json_t *body;       /* until it is looked at; a string */
    uint64_t *ticket; size_t tickets, cap; /* of the objects that are not settled */
    bool failed, done, leaving; /* leaving: it is in the request to remove it */
    int64_t prolong_s;
};

struct queue {
    char *url, place[300]; /* scheme and host */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of all below */
    bool quit;
    struct message *first;  /* all that are in flight with us */
    struct queue_state state;
    struct fault trouble; bool told; /* the last answer was a failure */
};

static int64_t prolong_s = 60;

void queue_set_prolong(int64_t s) { prolong_s = s; }

static int64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec;
}

static void message_free(struct message *m)
{
    json_decref(m->body);
    free(m->receipt);
    free(m->ticket);
    free(m);
}

enum weir_err queue_open(const char *url, struct queue **out, struct fault *fault)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    struct queue *q = *out = NULL;
    size_t n = path ? (size_t)(path - url) : 0;
    if (!n || n >= sizeof q->place || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) || strpbrk(url, "@?# \r\n"))
        return fault_set(fault, WEIR_USAGE, "'s3.queue': '%.200s' is no https://HOST/ACCOUNT/NAME", url);
    q = calloc(1, sizeof *q);
    if (!q || !(q->url = strdup(url))) {
        free(q);
        return fault_set(fault, WEIR_NOMEM, "out of memory");
    }
    memcpy(q->place, url, n);
    pthread_mutex_init(&q->lock, NULL);
    *out = q;
    return WEIR_OK;
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->quit = true;
    pthread_mutex_unlock(&q->lock);
    if (q->started)
        pthread_join(q->thread, NULL);
    while (q->first) {
        struct message *m = q->first;
        q->first = m->next;
        message_free(m);
    }
    pthread_mutex_destroy(&q->lock);
    free(q->url);
    free(q);
}

/* ---- the thread that asks ---- */

static enum weir_err call(struct queue *q, struct s3 *s, struct web *w, const char *action, json_t *request, unsigned patience_s, json_t **answer, struct fault *fault)
{
    char *body = request ? json_dumps(request, JSON_COMPACT) : NULL;
    struct sigv4_pair header[] = {{SLICE_LIT("content-type"), SLICE_LIT("application/x-amz-json-1.0")}, {SLICE_LIT("x-amz-target"), slice_of(action)}};
    const struct s3_call c = {.service = "sqs", .method = "POST", .url = q->place, .header = header, .header_n = 2, .body = slice_of(body ? body : "{}"), .tries = 1,
                              .patience_s = patience_s};
    struct web_answer a;
    web_answer_init(&a);
    enum weir_err err = body ? s3_ask(s, w, &c, &a, fault) : fault_set(fault, WEIR_NOMEM, "out of memory");
    if (!err && answer)
        *answer = json_loadb(a.text.p ? a.text.p : "", a.text.n, 0, NULL);
    if (!err && answer && !json_is_object(*answer))
        err = fault_set(fault, WEIR_CORRUPT, "'%.200s': what answers is no queue of SQS", q->url);
    web_answer_fini(&a);
    free(body);
    json_decref(request);
    return err;
}

/* Under the lock: up to BATCH messages that are done, or that want more time. NULL: none. */
static json_t *entries(struct queue *q, bool done)
{
    json_t *all = json_array();
    int64_t now = now_s();
    for (struct message *m = q->first; m && json_array_size(all) < BATCH; m = m->next) {
        if (done ? !m->done : m->done || m->failed || m->prolong_s > now)
            continue;
        char id[2] = {(char)('0' + json_array_size(all)), 0};
        json_array_append_new(all, done ? json_pack("{s:s,s:s}", "Id", id, "ReceiptHandle", m->receipt)
                                        : json_pack("{s:s,s:s,s:i}", "Id", id, "ReceiptHandle", m->receipt, "VisibilityTimeout", VISIBLE_S));
        m->prolong_s = now + prolong_s;
        m->leaving = done;
    }
    if (json_array_size(all))
        return all;
    json_decref(all);
    return NULL;
}

/* A failed one is forgotten here and comes again; one that is done when its removal was asked for. Should that not have worked, it comes again too, and
 * its objects are known by then. */
static void drop(struct queue *q, bool done)
{
    unsigned n = 0;
    for (struct message **at = &q->first; *at && n < BATCH;) {
        struct message *m = *at;
        if (done ? !m->leaving : !m->failed || m->tickets || m->body) {
            at = &m->next;
            continue;
        }
        n++;
        q->state.open--;
        q->state.acknowledged += done;
        *at = m->next;
        message_free(m);
    }
}

static enum weir_err keep_house(struct queue *q, struct s3 *s, struct web *w, struct fault *fault)
{
    pthread_mutex_lock(&q->lock);
    drop(q, false);
    json_t *gone = entries(q, true), *more = gone ? NULL : entries(q, false);
    pthread_mutex_unlock(&q->lock);
    if (!gone && !more)
        return WEIR_OK;
    enum weir_err err = call(q, s, w, gone ? "AmazonSQS.DeleteMessageBatch" : "AmazonSQS.ChangeMessageVisibilityBatch",
                             json_pack("{s:s,s:o}", "QueueUrl", q->url, "Entries", gone ? gone : more), 30, NULL, fault);
    pthread_mutex_lock(&q->lock);
    if (!err && gone)
        drop(q, true);
    for (struct message *m = q->first; m; m = m->next)
        m->leaving = false;
    pthread_mutex_unlock(&q->lock);
    return err;
}

static void take(struct queue *q, json_t *message)
{
    const char *receipt = json_string_value(json_object_get(message, "ReceiptHandle"));
    json_t *body = json_object_get(message, "Body");
    struct message *m = receipt && json_is_string(body) ? calloc(1, sizeof *m) : NULL;
    if (!m)
        return;
    *m = (struct message){.next = q->first, .receipt = strdup(receipt), .body = json_incref(body), .prolong_s = now_s() + prolong_s};
    if (!m->receipt) {
        message_free(m);
        return;
    }
    q->first = m;
    q->state.received++;
    q->state.open++;
}

static enum weir_err receive(struct queue *q, struct s3 *s, struct web *w, struct fault *fault)
{
    json_t *answer = NULL;
    pthread_mutex_lock(&q->lock);
    size_t open = q->state.open;
    pthread_mutex_unlock(&q->lock);
    int64_t began_s = now_s();
    if (open >= OPEN_MAX) {
        sleep(1);
        return WEIR_OK;
    }
    enum weir_err err = call(q, s, w, "AmazonSQS.ReceiveMessage",
                             json_pack("{s:s,s:i,s:i,s:i}", "QueueUrl", q->url, "MaxNumberOfMessages", BATCH, "WaitTimeSeconds", open ? 1 : WAIT_S, "VisibilityTimeout", VISIBLE_S),
                             2 * WAIT_S, &answer, fault);
    const json_t *messages = json_object_get(answer, "Messages");
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < json_array_size(messages); i++)
        take(q, json_array_get(messages, i));
    pthread_mutex_unlock(&q->lock);
    if (!err && !json_array_size(messages) && now_s() == began_s)
        sleep(1); /* a server that does not wait is not asked in a hot loop */
    json_decref(answer);
    return err;
}

static bool goes_on(struct queue *q, enum weir_err err, const struct fault *fault)
{
    pthread_mutex_lock(&q->lock);
    q->told = q->told && err;
    q->trouble = *fault;
    q->trouble.err = err;
    bool going = !q->quit && !source_stopped();
    pthread_mutex_unlock(&q->lock);
    return going;
}

static void *work(void *queue)
{
    struct queue *q = queue;
    struct fault fault = {WEIR_OK, ""};
    struct s3 *s = s3_client(&fault);
    struct web *w = s ? web_new(&fault) : NULL;
    enum weir_err err = w ? WEIR_OK : fault.err;
    for (unsigned pause_s = 1; goes_on(q, err, &fault);) {
        for (unsigned i = 0; err && i < pause_s && goes_on(q, err, &fault); i++)
            sleep(1);
        pause_s = !err ? 1 : pause_s < PAUSE_MAX_S ? 2 * pause_s : PAUSE_MAX_S;
        if (!w) {
            continue;
        }
        err = keep_house(q, s, w, &fault);
        if (!err)
            err = receive(q, s, w, &fault);
    }
    web_free(w);
    return NULL;
}

static bool start(struct queue *q)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    q->started = pthread_create(&q->thread, NULL, work, q) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return q->started;
}

/* ---- the thread that watches ---- */

struct arrival { struct message *message; queue_arrived *arrived; void *ctx; };

static enum weir_err note_object(void *ctx, const struct s3_event *e)
{
    struct arrival *a = ctx;
    struct message *m = a->message;
    uint64_t ticket = 0;
    enum queue_verdict verdict = a->arrived(a->ctx, e, &ticket);
    uint64_t *all = verdict == QUEUE_PENDING && m->tickets < TICKETS_MAX ? array_grow(m->ticket, &m->cap, m->tickets, sizeof *all) : NULL;
    m->failed |= verdict == QUEUE_FAILED || (verdict == QUEUE_PENDING && !all);
    if (all) {
        m->ticket = all;
        all[m->tickets++] = ticket;
    }
    return WEIR_OK;
}

enum weir_err queue_turn(struct queue *q, queue_arrived *arrived, void *ctx, struct fault *fault)
{
    enum weir_err err = WEIR_OK;
    if (!q->started && !start(q))
        return fault_set(fault, WEIR_IO, "cannot start a thread for the queue");
    pthread_mutex_lock(&q->lock);
    for (struct message *m = q->first; m; m = m->next) {
        struct arrival a = {m, arrived, ctx};
        if (!m->body)
            continue;
        if (s3_event_read((struct slice){json_string_value(m->body), json_string_length(m->body)}, note_object, &a)) {
            m->failed = true;
            q->state.refused++;
        }
        json_decref(m->body);
        m->body = NULL;
        m->done = !m->failed && m->tickets == 0;
    }
    if (q->trouble.err && !q->told && q->trouble.err != WEIR_INTERRUPTED) {
        q->told = true;
        *fault = q->trouble;
        err = fault->err = WEIR_IO;
    }
    pthread_mutex_unlock(&q->lock);
    return err;
}

void queue_settle(struct queue *q, uint64_t ticket, bool counted)
{
    pthread_mutex_lock(&q->lock);
    for (struct message *m = q->first; m; m = m->next) {
        bool was_waiting = m->tickets > 0;
        for (size_t i = 0; i < m->tickets;)
            if (m->ticket[i] == ticket) {
                m->ticket[i] = m->ticket[--m->tickets];
                m->failed |= !counted;
            } else {
                i++;
            }
        m->done |= was_waiting && m->tickets == 0 && !m->failed;
    }
    pthread_mutex_unlock(&q->lock);
}

struct queue_state queue_state(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct queue_state state = q->state;
    pthread_mutex_unlock(&q->lock);
    return state;
}
