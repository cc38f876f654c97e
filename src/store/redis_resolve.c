/* Names to addresses, with a deadline: getaddrinfo has none, and a name server that is away holds it for half a minute. It runs in a
 * thread of its own, which is left behind when it is late; whoever of the two comes last frees what they shared. An address needs no
 * name server and no thread. Rejected: getaddrinfo_a, whose requests cannot be given up while they run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis_private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct redis_node node;
    struct addrinfo *found;
    int rc;
    bool done, left;
};

static int look_up(const struct redis_node *node, int flags, struct addrinfo **out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | flags};
    return getaddrinfo(node->host, node->port, &hints, out);
}

static void lookup_free(struct lookup *l)
{
    if (l->found)
        freeaddrinfo(l->found);
    pthread_cond_destroy(&l->change);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void *run(void *of)
{
    struct lookup *l = of;
    struct addrinfo *found = NULL;
    int rc = look_up(&l->node, 0, &found);
    pthread_mutex_lock(&l->lock);
    l->rc = rc;
    l->found = rc ? NULL : found;
    l->done = true;
    bool left = l->left;
    pthread_cond_signal(&l->change);
    pthread_mutex_unlock(&l->lock);
    if (left)
        lookup_free(l);
    return NULL;
}

static struct lookup *lookup_new(const struct redis_node *node)
{
    struct lookup *l = calloc(1, sizeof *l);
    pthread_condattr_t monotonic;
    if (!l)
        return NULL;
    l->node = *node;
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&l->change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return l;
}

/* Signals are for the threads that expect them. */
static bool start(struct lookup *l)
{
    pthread_t thread;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    bool ok = pthread_create(&thread, NULL, run, l) == 0 && pthread_detach(thread) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return ok;
}

/* True: it is ours again. */
static bool wait_for(struct lookup *l, unsigned ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += (long)(ms % 1000) * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    pthread_mutex_lock(&l->lock);
    while (!l->done && pthread_cond_timedwait(&l->change, &l->lock, &end) != ETIMEDOUT) {}
    bool done = l->done;
    l->left = !done;
    pthread_mutex_unlock(&l->lock);
    return done;
}

int redis_resolve(const struct redis_node *node, unsigned ms, struct addrinfo **out)
{
    *out = NULL;
    int rc = look_up(node, AI_NUMERICHOST, out);
    if (rc != EAI_NONAME)
        return rc;
    struct lookup *l = lookup_new(node);
    if (!l || !start(l)) {
        if (l)
            lookup_free(l);
        return EAI_MEMORY;
    }
    if (!wait_for(l, ms))
        return EAI_AGAIN;
    rc = l->rc;
    *out = l->found;
    l->found = NULL;
    lookup_free(l);
    return rc;
}
