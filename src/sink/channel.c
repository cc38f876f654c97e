/* A channel is one of four ways out behind one struct of functions; what all of them need stands here: places as URLs,
 * waiting that ends, and the words of failures.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sink/channel_private.h"

struct channel {
    const struct channel_ops *ops;
    void *state;
};

const char *channel_failure_word(enum channel_failure f)
{
#define CHANNEL_FAILURE_WORD(name, word) word,
    static const char *const words[] = {CHANNEL_FAILURES(CHANNEL_FAILURE_WORD)};
    return words[f];
}

enum weir_err channel_new(const struct channel_place *place, struct channel **out, struct fault *fault)
{
    static const struct channel_ops *const all[] = {&channel_file, &channel_stdout, &channel_syslog, &channel_webhook};
    struct channel *c = *out = calloc(1, sizeof *c);
    if (!c) return fault_set(fault, WEIR_NOMEM, "out of memory");
    c->ops = all[place->kind];
    enum weir_err err = c->ops->open(place, &c->state, fault);
    if (err) {
        free(c);
        *out = NULL;
    }
    return err;
}

void channel_free(struct channel *c)
{
    if (!c) return;
    c->ops->close(c->state);
    free(c);
}

void channel_send(struct channel *c, const struct parcel *parcel, size_t n, struct channel_outcome *out)
{
    *out = (struct channel_outcome){.done = 0};
    if (n) c->ops->send(c->state, parcel, n, out);
}

void channel_fail(struct channel_outcome *out, enum channel_failure why, const char *format, ...)
{
    char text[sizeof out->fault.text];
    va_list args;
    if (out->why != CHANNEL_NONE_FAILURE) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    out->why = why;
    fault_set(&out->fault, WEIR_UNAVAILABLE, "%s", text);
}

/* ---- waiting ---- */
static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct deadline deadline_in(unsigned seconds, int stop_fd) { return (struct deadline){now_ms() + (int64_t)seconds * 1000, stop_fd}; }

bool deadline_stopped(int stop_fd)
{
    struct pollfd p = {stop_fd, POLLIN, 0};
    return stop_fd >= 0 && poll(&p, 1, 0) > 0;
}

enum channel_failure deadline_wait(const struct deadline *d, int fd, short events)
{
    for (;;) {
        struct pollfd p[2] = {{fd, events, 0}, {d->stop_fd, POLLIN, 0}};
        int64_t left = d->at_ms - now_ms();
        int ready = left > 0 ? poll(p, d->stop_fd >= 0 ? 2 : 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return CHANNEL_IO_FAILURE;
        if (d->stop_fd >= 0 && p[1].revents) return CHANNEL_STOPPED_FAILURE;
        return ready ? CHANNEL_NONE_FAILURE : CHANNEL_TIMEOUT_FAILURE;
    }
}

/* ---- places ---- */
static const struct scheme {
    enum channel_kind kind;
    const char *prefix, *port;
    bool encrypted;
} schemes[] = {{CHANNEL_SYSLOG, "tls://", "6514", true},
               {CHANNEL_SYSLOG, "tcp://", "601", false},
               {CHANNEL_WEBHOOK, "https://", "443", true},
               {CHANNEL_WEBHOOK, "http://", "80", false}};

static const struct scheme *scheme_of(enum channel_kind kind, const char *url)
{
    for (size_t i = 0; i < WEIR_COUNT(schemes); i++)
        if (schemes[i].kind == kind && strncmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) return &schemes[i];
    return NULL;
}

static bool is_host(struct slice s, bool bracketed)
{
    struct ip ip;
    if (!s.n || s.n > 253) return false;
    if (bracketed) return ip_parse(s, &ip) == WEIR_OK && memchr(s.p, ':', s.n);
    for (size_t i = 0; i < s.n; i++) {
        bool word = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9');
        if (!word && (!i || !memchr("-._", s.p[i], 3))) return false;
    }
    return true;
}

static bool take_port(struct slice s, char out[6])
{
    uint64_t port = 0;
    if (s.n > 5 || parse_u64(s, 65535, &port) || !port) return false;
    memcpy(out, s.p, s.n);
    out[s.n] = 0;
    return true;
}

/* HOST, HOST:PORT or [ADDRESS]:PORT up to the first slash. */
static bool take_authority(struct slice s, struct channel_url *out)
{
    bool bracketed = s.n && s.p[0] == '[';
    const char *end = s.n ? memchr(s.p, bracketed ? ']' : ':', s.n) : NULL;
    size_t n = end ? (size_t)(end - s.p) : s.n, skip = bracketed;
    if (bracketed && !end) return false;
    struct slice host = {s.p + skip, n - skip}, rest = {s.p + n + (bracketed ? 1 : 0), s.n - n - (bracketed ? 1 : 0)};
    if (!is_host(host, bracketed)) return false;
    memcpy(out->host, host.p, host.n);
    if (!rest.n) return true;
    return rest.p[0] == ':' && rest.n > 1 && take_port((struct slice){rest.p + 1, rest.n - 1}, out->port);
}

enum weir_err channel_url_parse(enum channel_kind kind, const char *url, struct channel_url *out, struct fault *fault)
{
    const struct scheme *scheme = scheme_of(kind, url);
    *out = (struct channel_url){.encrypted = false};
    if (!scheme)
        return fault_set(fault, WEIR_USAGE, "must begin with %s", kind == CHANNEL_SYSLOG ? "tls:// (or tcp:// on this machine)" : "https:// (or http:// on this machine)");
    const char *rest = url + strlen(scheme->prefix);
    size_t n = strcspn(rest, "/?#");
    out->encrypted = scheme->encrypted;
    memcpy(out->port, scheme->port, strlen(scheme->port));
    if (!take_authority((struct slice){rest, n}, out)) /* also a password before the host: those stand in files */
        return fault_set(fault, WEIR_USAGE, "must name a host and perhaps a port, as %slogs.example.org:6514", scheme->prefix);
    out->path = rest[n] ? rest + n : "/";
    if (rest[n] && rest[n] != '/') return fault_set(fault, WEIR_USAGE, "must have a '/' behind the host");
    for (const char *p = out->path; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == '#') return fault_set(fault, WEIR_USAGE, "must be ASCII without blanks and without '#'");
    if (kind == CHANNEL_SYSLOG && rest[n]) return fault_set(fault, WEIR_USAGE, "must end after host and port");
    return WEIR_OK;
}
