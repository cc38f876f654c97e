/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - our own log: one line an event, logfmt or JSON, msg fixed so that it can be searched for.
 *
 * A message that comes more than 10 times within a minute is held back and summed up in one line when its minute is over, or
 * at the end: hostile input cannot fill a disk with complaints about itself. Messages are told apart by their text; the
 * table holds more of them than the program has, and what does not fit is written unlimited rather than lost. */
#include "app/terminal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 10
#define MINUTE_NS INT64_C(60000000000)
#define MESSAGES_MAX 128
#define LINE_MAX_BYTES 65536

struct message {
    const char *text; /* a literal of the caller */
    int64_t since_ns;
    uint64_t written, held;
    enum log_level level;
};

struct log {
    FILE *out;
    enum log_level level;
    enum log_format format;
    log_clock *clock;
    struct progress *over;
    bool journal;
    pthread_mutex_t lock;
    struct message message[MESSAGES_MAX];
    size_t messages;
    struct buffer line;
};

struct log *log_new(FILE *out, enum log_level level, enum log_format format, log_clock *clock)
{
    struct log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    log->out = out;
    log->level = level;
    log->format = format;
    log->clock = clock;
    pthread_mutex_init(&log->lock, NULL);
    buffer_init(&log->line, LINE_MAX_BYTES);
    return log;
}

void log_for_journal(struct log *log)
{
    if (log)
        log->journal = true;
}

void log_over(struct log *log, struct progress *p)
{
    if (log)
        log->over = p;
}

static const char *level_word(enum log_level level)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    return words[level];
}

static void put_field(const struct log *log, const struct log_field *f, struct buffer *b)
{
    bool json = log->format == LOG_FORMAT_JSON;
    buffer_printf(b, json ? ",\"%s\":" : " %s=", f->key);
    if (!f->text.p)
        buffer_printf(b, "%llu", (unsigned long long)f->number);
    else if (json)
        escape_json(b, f->text);
    else
        escape_logfmt(b, f->text);
}

static void write_line(struct log *log, int64_t now_ns, enum log_level level, const char *msg, const struct log_field *fields)
{
    static const int priority[] = {3, 4, 6, 7}; /* syslog's err, warning, info, debug */
    struct buffer *b = &log->line;
    char ts[TIME_TEXT_MAX];
    time_format(now_ns / 1000000000, ts);
    buffer_clear(b);
    if (log->journal)
        buffer_printf(b, "<%d>", priority[level]);
    buffer_printf(b, log->format == LOG_FORMAT_JSON ? "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":\"%s\"" : "ts=%s level=%s msg=\"%s\"", ts, level_word(level), msg);
    for (; fields->key; fields++)
        put_field(log, fields, b);
    buffer_puts(b, log->format == LOG_FORMAT_JSON ? "}\n" : "\n");
    flockfile(log->out);
    progress_hide(log->over);
    fputs(b->err ? "level=error msg=\"a log line was too long\"\n" : buffer_cstr(b), log->out);
    fflush(log->out);
    funlockfile(log->out);
}

static void sum_up(struct log *log, struct message *m, int64_t now_ns)
{
    if (m->held)
        write_line(log, now_ns, m->level, m->text, LOG_FIELDS(LOG_NUMBER("held_back", m->held)));
    m->held = m->written = 0;
    m->since_ns = now_ns;
}

static struct message *message_of(struct log *log, enum log_level level, const char *msg, int64_t now_ns)
{
    struct message *found = NULL;
    for (size_t i = 0; i < log->messages; i++) {
        struct message *m = &log->message[i];
        int64_t age = now_ns - m->since_ns;
        if (age >= MINUTE_NS || age < 0) /* the clock may be set back */
            sum_up(log, m, now_ns);
        if (m->text == msg || strcmp(m->text, msg) == 0)
            found = m;
    }
    if (!found && log->messages < MESSAGES_MAX) {
        found = &log->message[log->messages++];
        *found = (struct message){msg, now_ns, 0, 0, level};
    }
    return found;
}

void log_write(struct log *log, enum log_level level, const char *msg, const struct log_field *fields)
{
    if (!log || level > log->level)
        return;
    pthread_mutex_lock(&log->lock);
    int64_t now_ns = log->clock();
    struct message *m = message_of(log, level, msg, now_ns);
    if (m && m->written >= LIMIT) {
        m->held++;
    } else {
        write_line(log, now_ns, level, msg, fields);
        if (m)
            m->written++;
    }
    pthread_mutex_unlock(&log->lock);
}

void log_free(struct log *log)
{
    if (!log)
        return;
    int64_t now_ns = log->messages ? log->clock() : 0;
    for (size_t i = 0; i < log->messages; i++)
        sum_up(log, &log->message[i], now_ns);
    buffer_fini(&log->line);
    pthread_mutex_destroy(&log->lock);
    free(log);
}
