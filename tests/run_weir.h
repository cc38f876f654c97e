/* A whole run inside the test: a private folder, app_main() on it with everything said kept, the counters as JSON, and
 * the law of the counters checked each time. Logs with a known truth come from flowgen, which lies beside the tests.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_RUN_WEIR_H
#define WEIR_TESTS_RUN_WEIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/pipeline.h"
#include "weir/app.h"

#define REAL_LOGS "../shared/data" /* beside the checkout; tests run from its root */

struct run_weir {
    char folder[32], url[64], summary[64];
    char *out, *err; /* of the last run */
    int rc;
    json_t *counts;
};

static inline int run_begin(void **state)
{
    struct run_weir *r = calloc(1, sizeof *r);
    assert_non_null(r);
    snprintf(r->folder, sizeof r->folder, "/tmp/weir-run-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->url, sizeof r->url, "sqlite:%s/weir.db", r->folder);
    snprintf(r->summary, sizeof r->summary, "%s/summary", r->folder);
    *state = r;
    return 0;
}

static inline int run_end(void **state)
{
    struct run_weir *r = *state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", r->folder);
    free(r->out);
    free(r->err);
    json_decref(r->counts);
    free(r);
    return system(command);
}

/* A number of the summary by its path: "records", "read". section may be NULL. */
static inline json_int_t run_count(const struct run_weir *r, const char *section, const char *key)
{
    json_t *in = section ? json_object_get(r->counts, section) : r->counts;
    return json_integer_value(json_object_get(in, key));
}

static inline json_int_t run_total(const struct run_weir *r, const char *section)
{
    json_int_t sum = 0;
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(r->counts, section), key, value) sum += json_integer_value(value);
    return sum;
}

static inline void run_law(struct run_weir *r)
{
    json_decref(r->counts);
    r->counts = json_load_file(r->summary, 0, NULL);
    assert_non_null(r->counts);
    assert_int_equal(run_count(r, "records", "read"),
                     run_count(r, "records", "counted") + run_count(r, "records", "rejected") + run_count(r, "records", "duplicate"));
    assert_int_equal(run_count(r, "records", "rejected"), run_total(r, "rejects"));
    assert_int_equal(run_count(r, "records", "counted"), run_total(r, "log_status"));
    assert_int_equal(run_count(r, "objects", "listed"),
                     run_count(r, "objects", "done") + run_count(r, "objects", "duplicate") + run_count(r, "objects", "rejected"));
    assert_int_equal(run_count(r, "objects", "rejected"), run_total(r, "object_rejects"));
}

/* weir batch on one PATH, the store in the private folder, however it ends; variable: one of the environment, or NULL. */
static inline void run_batch_any(struct run_weir *r, const char *path, char *variable)
{
    char *env[] = {(char *)(uintptr_t)"HOME=/nonexistent", variable, NULL};
    const char *words[] = {"weir", "batch", "--store", r->url, "--summary", r->summary, "--format", "ndjson", path, NULL};
    size_t out_n, err_n;
    free(r->out);
    free(r->err);
    FILE *out = open_memstream(&r->out, &out_n), *err = open_memstream(&r->err, &err_n);
    assert_true(out && err);
    r->rc = app_main(9, (char **)(uintptr_t)words, env, out, err);
    fclose(out);
    fclose(err);
}

/* The same, and it must come to its end. */
static inline void run_batch_on(struct run_weir *r, const char *path, char *variable)
{
    run_batch_any(r, path, variable);
    if (r->rc != APP_DONE && r->rc != APP_REJECTED)
        fail_msg("exit %d: %s", r->rc, r->err);
    run_law(r);
}

/* Logs by flowgen in FOLDER/logs. */
static inline void run_flowgen(const struct run_weir *r, const char *options, char path[PATH_MAX])
{
    char self[PATH_MAX], command[3 * PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = 0;
    for (int up = 0; up < 2; up++) *strrchr(self, '/') = 0;
    snprintf(path, PATH_MAX, "%s/logs", r->folder);
    snprintf(command, sizeof command, "'%s/flowgen' --out '%s' %s 2>'%s/said'", self, path, options, r->folder);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* True if the real logs are there; says so if not, and the test skips. */
static inline bool run_has_real(const char *path)
{
    if (access(path, R_OK) == 0)
        return true;
    print_message("# real logs are absent: %s\n", path);
    return false;
}

#endif
