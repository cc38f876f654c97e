/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - a bar on the terminal of stderr: how far, how fast, how long still; erased at the end.
 *
 * Workers add bytes with one atomic; whoever finds that 100 ms have passed draws. The lock of the stream (flockfile) is the
 * only one: a log line holds it while it erases the bar and writes. ASCII, so that any terminal shows it. */
#include "app/terminal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DRAW_NS UINT64_C(100000000)
#define BAR_MAX 40

struct progress {
    struct app *app;
    uint64_t total, began_ns;
    _Atomic uint64_t done, drawn_ns;
    bool shown; /* under the lock of the stream */
};

static void put_bar(unsigned cells, unsigned percent, struct buffer *out)
{
    unsigned filled = cells * percent / 100;
    buffer_u8(out, '[');
    for (unsigned i = 0; i < cells; i++)
        buffer_u8(out, i < filled ? '#' : '-');
    buffer_puts(out, "] ");
}

/* Bytes a second from the whole run: steady, and honest when the work slows down for good. */
void progress_line(uint64_t done, uint64_t total, uint64_t elapsed_ns, unsigned width, struct buffer *out)
{
    struct buffer text;
    char read[BYTES_TEXT_MAX], all[BYTES_TEXT_MAX], rate[BYTES_TEXT_MAX], left[BYTES_TEXT_MAX];
    double seconds = (double)(elapsed_ns ? elapsed_ns : 1) / 1e9, speed = (double)done / seconds;
    unsigned percent = total == 0 ? 0 : done >= total ? 100 : (unsigned)((double)done * 100.0 / (double)total);
    bytes_format(done, read);
    bytes_format(total, all);
    bytes_format((uint64_t)speed, rate);
    buffer_init(&text, 256);
    buffer_printf(&text, "%3u %%  %s of %s  %s/s", percent, read, all, rate);
    if (speed >= 1.0 && done < total) {
        duration_format((uint64_t)((double)(total - done) / speed) + 1, left);
        buffer_printf(&text, "  %s left", left);
    }
    size_t room = width > 1 ? width - 1 : 0, used = text.n + 3;
    unsigned cells = room > used + 4 ? (unsigned)(room - used) : 0;
    if (cells)
        put_bar(cells > BAR_MAX ? BAR_MAX : cells, percent, out);
    buffer_put(out, text.p, text.n < room ? text.n : room);
    buffer_fini(&text);
}

struct progress *progress_new(struct app *app, uint64_t total_bytes)
{
    const char *term = env_get(app->env, "TERM");
    if (app->quiet || !terminal_width(app->err) || !*term || strcmp(term, "dumb") == 0)
        return NULL;
    struct progress *p = calloc(1, sizeof *p);
    if (!p)
        return NULL; /* a run without a bar is still a run */
    p->app = app;
    p->total = total_bytes;
    p->began_ns = (uint64_t)clock_monotonic_ns();
    atomic_init(&p->done, 0);
    atomic_init(&p->drawn_ns, p->began_ns);
    app->progress = p;
    log_over(app->log, p);
    return p;
}

static void draw(struct progress *p, uint64_t now_ns)
{
    struct buffer line;
    buffer_init(&line, 1024);
    buffer_puts(&line, "\r");
    progress_line(atomic_load(&p->done), p->total, now_ns - p->began_ns, terminal_width(p->app->err), &line);
    buffer_puts(&line, "\033[K");
    flockfile(p->app->err);
    fputs(buffer_cstr(&line), p->app->err);
    fflush(p->app->err);
    p->shown = true;
    funlockfile(p->app->err);
    buffer_fini(&line);
}

void progress_add(struct progress *p, uint64_t bytes)
{
    if (!p)
        return;
    atomic_fetch_add_explicit(&p->done, bytes, memory_order_relaxed);
    uint64_t now_ns = (uint64_t)clock_monotonic_ns(), drawn_ns = atomic_load_explicit(&p->drawn_ns, memory_order_relaxed);
    if (now_ns - drawn_ns >= DRAW_NS && now_ns > drawn_ns && atomic_compare_exchange_strong(&p->drawn_ns, &drawn_ns, now_ns))
        draw(p, now_ns);
}

void progress_hide(struct progress *p)
{
    if (!p)
        return;
    flockfile(p->app->err);
    if (p->shown) {
        fputs("\r\033[K", p->app->err);
        fflush(p->app->err);
        p->shown = false;
    }
    funlockfile(p->app->err);
}

void progress_done(struct progress *p)
{
    if (!p)
        return;
    progress_hide(p);
    log_over(p->app->log, NULL);
    p->app->progress = NULL;
    free(p);
}
