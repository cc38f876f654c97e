/* SPDX-License-Identifier: Apache-2.0 */
/* One sink: from its entry in the configuration to a channel, and the thread that sends. Secrets come from files only. */
#include "app/delivery_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROTATE_BYTES ((uint64_t)100 << 20)
#define MESSAGE_BYTES 8192u /* what rsyslog takes unless told otherwise */
#define DEADLINE_S 15
#define QUIT_S 2
#define SECRET_FILE_MAX 4096

/* ---- secrets ---- */
static const char *variable(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') return *env + n + 1;
    return NULL;
}

/* A name alone is that of a credential. */
static enum weir_err secret_path(const struct app *app, const struct config_sink *c, struct buffer *out, struct fault *fault)
{
    const char *folder = variable(app->env, "CREDENTIALS_DIRECTORY");
    if (strchr(c->secret_file, '/')) buffer_puts(out, c->secret_file);
    else if (folder) buffer_printf(out, "%s/%s", folder, c->secret_file);
    else return fault_set(fault, WEIR_USAGE, "sink '%s': 'secret_file' is a name without '/', and $CREDENTIALS_DIRECTORY is not set", c->entry.name);
    return out->err ? fault_set(fault, out->err, "out of memory") : WEIR_OK;
}

/* systemd gives credentials the mode 0440 and an access list. */
static const char *why_not_secret(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return strerror(errno);
    if (!S_ISREG(st.st_mode)) return "it is no regular file";
    if (st.st_uid != 0 && st.st_uid != geteuid()) return "it belongs to somebody else";
    if (st.st_mode & (S_IWGRP | S_IRWXO)) return "others than its owner may read or change it: chmod 600";
    return NULL;
}

static enum weir_err read_secret(const char *path, struct buffer *out, struct fault *fault)
{
    char text[SECRET_FILE_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const char *wrong = fd < 0 ? strerror(errno) : why_not_secret(fd);
    ssize_t n = wrong ? -1 : read(fd, text, sizeof text);
    if (!wrong && n < 0) wrong = strerror(errno);
    if (fd >= 0) close(fd);
    struct fault why = {WEIR_OK, ""};
    if (!wrong && webhook_secret((struct slice){text, (size_t)n}, out, &why)) wrong = why.text;
    explicit_bzero(text, sizeof text);
    return wrong ? fault_set(fault, WEIR_USAGE, "%s", wrong) : WEIR_OK;
}

static enum weir_err take_secret(const struct app *app, struct outlet *o, struct fault *fault)
{
    struct buffer path;
    struct fault why = {WEIR_OK, ""};
    buffer_init(&path, 8192);
    enum weir_err err = secret_path(app, o->config, &path, fault);
    if (!err && (err = read_secret(buffer_cstr(&path), &o->secret, &why)))
        fault_set(fault, err, "sink '%s': cannot use the secret in '%.100s': %s", o->config->entry.name, buffer_cstr(&path), why.text);
    buffer_fini(&path);
    o->place.secret = (struct slice){o->secret.p, o->secret.n};
    return err;
}

/* ---- the thread ---- */
static void *send_bursts(void *outlet)
{
    struct outlet *o = outlet;
    pthread_mutex_lock(&o->lock);
    while (!o->quit) {
        if (o->phase != BURST_GIVEN) {
            pthread_cond_wait(&o->given, &o->lock);
            continue;
        }
        pthread_mutex_unlock(&o->lock);
        channel_send(o->channel, o->parcel + o->from, o->n - o->from, &o->outcome);
        pthread_mutex_lock(&o->lock);
        o->phase = BURST_BACK;
        (void)!eventfd_write(o->shared.told_fd, 1);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

/* Signals are for the thread that turns. */
static bool start(struct outlet *o)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    o->started = pthread_create(&o->thread, NULL, send_bursts, o) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return o->started;
}

bool outlet_give(struct outlet *o)
{
    if (!o->started && !start(o)) return false;
    pthread_mutex_lock(&o->lock);
    o->phase = BURST_GIVEN;
    pthread_cond_signal(&o->given);
    pthread_mutex_unlock(&o->lock);
    return true;
}

bool outlet_is_back(struct outlet *o)
{
    pthread_mutex_lock(&o->lock);
    bool back = o->phase == BURST_BACK;
    pthread_mutex_unlock(&o->lock);
    return back;
}

void outlet_empty(struct outlet *o)
{
    arena_free(o->arena);
    o->arena = NULL;
    o->n = o->bytes = o->from = 0;
    o->phase = BURST_EMPTY;
}

/* ---- open and close ---- */
static enum channel_kind kind_of(const char *type)
{
    static const char *const types[] = {"file", "stdout", "syslog", "webhook"}; /* as enum channel_kind */
    enum channel_kind kind = CHANNEL_FILE;
    while (strcmp(types[kind], type) != 0) kind++;
    return kind;
}

static uint64_t hash_place(const struct config_sink *c)
{
    struct buffer b;
    buffer_init(&b, 16384);
    buffer_printf(&b, "%s %s %s", c->type, c->path ? c->path : "", c->url ? c->url : "");
    uint64_t hash = stable_hash(b.p, b.n);
    buffer_fini(&b);
    return hash;
}

enum weir_err outlet_open(struct app *app, const struct config_sink *config, struct sink_shared shared, struct outlet *o, struct fault *fault)
{
    struct fault why = {WEIR_OK, ""};
    o->config = config;
    o->shared = shared;
    o->place_hash = hash_place(config);
    o->place = (struct channel_place){.kind = kind_of(config->type), .path = config->path, .url = config->url, .ca_file = config->ca_file,
        .cert_file = config->cert_file, .key_file = config->key_file, .out = app->out, .stop_fd = shared.stop_fd, .deadline_s = DEADLINE_S,
        .rotate_bytes = config->rotate ? config->rotate : ROTATE_BYTES, .message_bytes = config->max_message ? config->max_message : MESSAGE_BYTES};
    buffer_init(&o->secret, SECRET_FILE_MAX);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->given, NULL);
    enum weir_err err = config->secret_file ? take_secret(app, o, fault) : WEIR_OK;
    if (!err && (err = channel_new(&o->place, &o->channel, &why))) fault_set(fault, err, "sink '%s': %s", config->entry.name, why.text);
    return err;
}

/* A thread may hang in the resolver, which cannot be told to stop. */
bool outlet_stop(struct outlet *o)
{
    struct timespec until;
    if (!o->started) return true;
    pthread_mutex_lock(&o->lock);
    o->quit = true;
    pthread_cond_signal(&o->given);
    pthread_mutex_unlock(&o->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += QUIT_S;
    o->started = pthread_timedjoin_np(o->thread, NULL, &until) != 0;
    return !o->started;
}

void outlet_free(struct outlet *o)
{
    if (!o->config) return;
    channel_free(o->channel);
    if (o->secret.p) explicit_bzero(o->secret.p, o->secret.n);
    buffer_fini(&o->secret);
    arena_free(o->arena);
    pthread_cond_destroy(&o->given);
    pthread_mutex_destroy(&o->lock);
}
