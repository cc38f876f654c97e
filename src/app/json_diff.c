/* SPDX-License-Identifier: Apache-2.0 */
/* Two documents walked side by side. */
#include "app/json_diff.h"

#include <jansson.h>
#include <string.h>

#define DEPTH_MAX 32
#define PATH_MAX_BYTES 512
#define VALUE_BYTES 120

struct walk {
    struct buffer *out;
    size_t n, most;
    char path[PATH_MAX_BYTES];
};

static void put_value(struct buffer *out, const json_t *v)
{
    char *text = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    struct slice s = slice_of(text ? text : "nothing");
    bool cut = s.n > VALUE_BYTES;
    escape_terminal(out, (struct slice){s.p, cut ? VALUE_BYTES : s.n});
    buffer_puts(out, cut ? "..." : "");
    free(text);
}

static void differs(struct walk *w, const json_t *a, const json_t *b)
{
    if (w->n++ >= w->most)
        return;
    buffer_puts(w->out, "  ");
    escape_terminal(w->out, slice_of(w->path));
    buffer_puts(w->out, *w->path ? ": " : "the whole: ");
    put_value(w->out, a);
    buffer_puts(w->out, " -> ");
    put_value(w->out, b);
    buffer_puts(w->out, "\n");
}

static void compare(struct walk *w, const json_t *a, const json_t *b, unsigned depth);

static void step(struct walk *w, const char *name, size_t index, const json_t *a, const json_t *b, unsigned depth)
{
    size_t n = strlen(w->path);
    if (name)
        snprintf(w->path + n, sizeof w->path - n, "%s%.64s", n ? "." : "", name);
    else
        snprintf(w->path + n, sizeof w->path - n, "[%zu]", index);
    compare(w, a, b, depth + 1);
    w->path[n] = 0;
}

static void compare_objects(struct walk *w, const json_t *a, const json_t *b, unsigned depth)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)a, key, v) step(w, key, 0, v, json_object_get(b, key), depth);
    json_object_foreach((json_t *)(uintptr_t)b, key, v) if (!json_object_get(a, key)) step(w, key, 0, NULL, v, depth);
}

static void compare(struct walk *w, const json_t *a, const json_t *b, unsigned depth)
{
    if (a && b && json_is_object(a) && json_is_object(b) && depth < DEPTH_MAX) {
        compare_objects(w, a, b, depth);
    } else if (a && b && json_is_array(a) && json_is_array(b) && depth < DEPTH_MAX) {
        size_t n = json_array_size(a) > json_array_size(b) ? json_array_size(a) : json_array_size(b);
        for (size_t i = 0; i < n; i++)
            step(w, NULL, i, json_array_get(a, i), json_array_get(b, i), depth);
    } else if (!a || !b || !json_equal(a, b)) {
        differs(w, a, b);
    }
}

size_t json_diff(struct slice before, struct slice after, size_t most, struct buffer *out)
{
    struct walk w = {.out = out, .most = most};
    json_t *a = json_loadb(before.p, before.n, JSON_ALLOW_NUL, NULL), *b = json_loadb(after.p, after.n, JSON_ALLOW_NUL, NULL);
    compare(&w, a, b, 0);
    json_decref(a);
    json_decref(b);
    return w.n;
}
