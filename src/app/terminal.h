/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - private to app: what the terminal is and how the bar reads; the table-driven options. */
#ifndef WEIR_APP_TERMINAL_H
#define WEIR_APP_TERMINAL_H

#include "weir/app.h"

/* The value of a variable, "" when it is not set. */
const char *env_get(char *const *env, const char *name);
/* when: 0 auto, 1 always, 2 never, as output.color. NO_COLOR beats CLICOLOR_FORCE, a clear yes or no beats both. */
bool terminal_colour(unsigned when, FILE *out, char *const *env);
/* Columns when out is a terminal, else 0. */
unsigned terminal_width(FILE *out);
int64_t clock_now_ns(void); /* nanoseconds since 1970 UTC: for log lines only */
int64_t clock_monotonic_ns(void); /* for deadlines and durations */

/* The bar for so many bytes after so many nanoseconds, at most width - 1 columns, ASCII. */
void progress_line(uint64_t done, uint64_t total, uint64_t elapsed_ns, unsigned width, struct buffer *out);
/* Log lines erase the bar first. */
void log_over(struct log *log, struct progress *p);

/* Parse argv[1..argc) by the command's table. *operands: index in argv of the first operand (getopt permutes). *help: --help was given.
 * own: the command's options struct, zeroed. WEIR_USAGE with fault. */
WEIR_MUST_USE enum weir_err options_parse(struct app *app, int argc, char **argv, void *own, int *operands, bool *help, struct fault *fault);
void options_help(const struct command *command, struct buffer *out);
/* "--store", the flag that sets a key; NULL if none does. */
const char *options_flag_of(enum param_id id);

extern const struct command *const commands[];
extern const size_t commands_n;

#endif
