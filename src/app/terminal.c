/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - the terminal, the signals and the complaints: what stands between the program and a person. */
#include "app/terminal.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

const char *env_get(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
            return *env + n + 1;
    return "";
}

static bool is_terminal(FILE *f)
{
    int fd = fileno(f); /* -1 for a stream in memory */
    return fd >= 0 && isatty(fd);
}

bool terminal_colour(unsigned when, FILE *out, char *const *env)
{
    const char *force = env_get(env, "CLICOLOR_FORCE"), *term = env_get(env, "TERM");
    if (when != 0)
        return when == 1;
    if (*env_get(env, "NO_COLOR"))
        return false;
    if (*force && strcmp(force, "0") != 0)
        return true;
    return is_terminal(out) && *term && strcmp(term, "dumb") != 0;
}

unsigned terminal_width(FILE *out)
{
    struct winsize size;
    if (!is_terminal(out))
        return 0;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int64_t clock_monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- complaints ---- */
void app_complain(struct app *app, const char *format, ...)
{
    char text[1024];
    struct buffer line;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    buffer_init(&line, 65536);
    buffer_puts(&line, "weir: ");
    escape_terminal(&line, (struct slice){text, length});
    buffer_puts(&line, "\n");
    flockfile(app->err);
    progress_hide(app->progress);
    fputs(buffer_cstr(&line), app->err);
    fflush(app->err);
    funlockfile(app->err);
    buffer_fini(&line);
}

int app_fail(struct app *app, const struct fault *fault)
{
    app_complain(app, "%s", fault->text[0] ? fault->text : weir_err_text(fault->err));
    return (int)app_exit_of(fault->err);
}

enum app_exit app_exit_of(enum weir_err err)
{
    switch (err) {
    case WEIR_OK:
    case WEIR_INTERRUPTED: return APP_DONE;
    case WEIR_VERSION: /* nothing was read or written: use the newer weir */
    case WEIR_USAGE: return APP_USAGE;
    case WEIR_UNAVAILABLE:
    case WEIR_ROLLBACK: /* another run heals it */
    case WEIR_BUSY: return APP_UNAVAILABLE;
    default: return APP_FAILED;
    }
}

unsigned app_threads(const struct app *app)
{
    long n = app->config->threads ? (long)app->config->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

/* ---- signals ---- */
static atomic_bool interrupted; /* lock-free: safe in a handler */

static void on_signal(int number)
{
    if (atomic_exchange(&interrupted, true) && number == SIGINT) {
        signal(SIGINT, SIG_DFL); /* the shell then sees a death by SIGINT, as it should */
        raise(SIGINT);
    }
}

bool app_interrupted(void)
{
    return atomic_load_explicit(&interrupted, memory_order_relaxed);
}

void app_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static atomic_bool hangup;

static void on_hangup(int number)
{
    (void)number;
    atomic_store(&hangup, true);
}

void app_catch_hangup(void)
{
    struct sigaction action = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGHUP, &action, NULL);
}

bool app_take_hangup(void) { return atomic_exchange(&hangup, false); }
