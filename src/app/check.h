/* SPDX-License-Identifier: Apache-2.0 */
/* What `weir check` has to say: one row a subject, what was found and what that costs. */
#ifndef WEIR_APP_CHECK_H
#define WEIR_APP_CHECK_H

#include "weir/app.h"

/* MISSING: optional and not there. OLD: there, and due for renewal. POOR: usable, with a cost. BAD: configured and unusable. */
enum check_state { CHECK_FINE, CHECK_MISSING, CHECK_OLD, CHECK_POOR, CHECK_BAD };

#define CHECK_ROWS_MAX 40
struct check_row {
    const char *subject; /* a key of the configuration, or "logs" */
    enum check_state state;
    char found[640];     /* may hold text of files: escape it */
    const char *cost;    /* "" nothing */
};
struct check {
    struct app *app;
    int64_t now_s;
    int code;            /* to exit with */
    bool learned;        /* the store holds baselines, grouped so: */
    unsigned grouping;
    struct check_row row[CHECK_ROWS_MAX];
    size_t n;
};
void check_add(struct check *c, const char *subject, enum check_state state, const char *cost, const char *format, ...) WEIR_PRINTF(5, 6);
/* The worse of the codes stays: usage before unavailable before rejected. */
void check_code(struct check *c, int code);

void check_data(struct check *c);                           /* networks, databases, lists, inventory */
void check_logs(struct check *c, int argc, char **argv);    /* headers of a sample of the objects */

#endif
