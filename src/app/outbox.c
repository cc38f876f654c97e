/* One walk over the outbox learns when the last version of each finding begins; then each is read by its uid, in the order
 * of event time, which does not depend on how the input was cut into runs. Some bytes a finding, whatever its evidence.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/open_store.h"
#include "app/outbox.h"
#include "weir/app.h"

#define PAGE 1000

static int by_uid(const void *a, const void *b)
{
    const struct outbox_entry *x = a, *y = b;
    int order = strcmp(x->uid, y->uid);
    return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static int by_start(const void *a, const void *b)
{
    const struct outbox_entry *x = a, *y = b;
    return x->start_ms != y->start_ms ? (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms) : strcmp(x->uid, y->uid);
}

/* A damaged finding has no time: it comes first, and the sink says what is wrong. */
static int64_t start_of(struct slice json)
{
    json_t *finding = json_loadb(json.p, json.n, JSON_ALLOW_NUL, NULL);
    int64_t start_ms = json_integer_value(json_object_get(finding, "start_time"));
    json_decref(finding);
    return start_ms;
}

/* Keep the last of each uid. Left in the order of uids. */
static void squeeze(struct outbox *o)
{
    size_t kept = 0;
    if (o->n) qsort(o->entry, o->n, sizeof *o->entry, by_uid);
    for (size_t i = 0; i < o->n; i++)
        if (i + 1 == o->n || strcmp(o->entry[i].uid, o->entry[i + 1].uid) != 0) o->entry[kept++] = o->entry[i];
    o->n = kept;
}

/* Room for one more. Versions of one finding must not fill the list, so they are squeezed out before it grows. */
static enum weir_err make_room(struct outbox *o)
{
    if (o->n < o->cap) return WEIR_OK;
    squeeze(o);
    if (o->n && o->n <= o->cap / 2) return WEIR_OK;
    if (o->n >= OUTBOX_FINDINGS_MAX) return WEIR_LIMIT;
    size_t cap = o->cap ? 2 * o->cap : 256;
    struct outbox_entry *entry = realloc(o->entry, cap * sizeof *entry);
    if (!entry) return WEIR_NOMEM;
    o->entry = entry;
    o->cap = cap;
    return WEIR_OK;
}

struct walk {
    struct outbox *all;
    uint64_t last;
    size_t n; /* entries in this page */
};

static enum weir_err learn(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct walk *w = ctx;
    w->last = seq;
    w->n++;
    enum weir_err err = make_room(w->all);
    if (err) return err;
    struct outbox_entry *e = &w->all->entry[w->all->n++];
    *e = (struct outbox_entry){.seq = seq, .start_ms = start_of(json)};
    size_t n = strnlen(uid, STORE_ID_MAX);
    memcpy(e->uid, uid, n);
    return WEIR_OK;
}

enum weir_err outbox_fold(struct store *s, struct outbox *out, struct fault *fault)
{
    struct walk w = {.all = out, .n = PAGE};
    enum weir_err err = WEIR_OK;
    *out = (struct outbox){NULL, 0, 0};
    while (!err && w.n == PAGE) {
        w.n = 0;
        err = store_outbox(s, w.last, PAGE, learn, &w, fault);
    }
    if (err == WEIR_LIMIT || err == WEIR_NOMEM) return fault_set(fault, err, "cannot list findings: %s", weir_err_text(err));
    squeeze(out);
    if (out->n) qsort(out->entry, out->n, sizeof *out->entry, by_start);
    return err;
}

void outbox_fini(struct outbox *o)
{
    free(o->entry);
    *o = (struct outbox){NULL, 0, 0};
}

enum weir_err outbox_show(struct store *s, const struct outbox *o, outbox_each *each, void *ctx, struct fault *fault)
{
    struct buffer json;
    enum weir_err err = WEIR_OK;
    buffer_init(&json, STORE_VALUE_MAX);
    for (size_t i = 0; i < o->n && !err; i++) {
        buffer_clear(&json);
        err = store_get(s, 'q', o->entry[i].uid, &json, fault);
        if (err == WEIR_NOTFOUND)
            err = WEIR_OK; /* withdrawn since */
        else if (!err)
            err = each(ctx, (struct slice){json.p, json.n});
    }
    buffer_fini(&json);
    return err;
}

struct store *outbox_open(struct app *app, int *code)
{
    struct fault fault = {WEIR_OK, ""};
    struct store *s = NULL;
    enum weir_err err = open_store(app, STORE_READ_ONLY, &s, &fault);
    if (!err) return s;
    if (err == WEIR_NOTFOUND) {
        app_complain(app, "no store at '%s': run 'weir batch PATH...' first, or name another with --store", app->config->store);
        *code = APP_USAGE;
    } else {
        *code = app_fail(app, &fault);
    }
    return NULL;
}

struct store *outbox_open_to_write(struct app *app, int *code)
{
    struct fault fault = {WEIR_OK, ""};
    struct store *s = outbox_open(app, code);
    if (!s) return NULL;
    store_close(s);
    if (open_store(app, STORE_READ_WRITE, &s, &fault) == WEIR_OK) return s;
    *code = app_fail(app, &fault);
    return NULL;
}
