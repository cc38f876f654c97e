/* Two walks over the outbox: the first learns where the last version of each finding stands, the second hands out those.
 * So the memory is some bytes a finding, whatever evidence they carry.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "app/outbox.h"
#include "weir/app.h"

#define PAGE 1000

static int by_uid(const void *a, const void *b)
{
    const struct outbox_entry *x = a, *y = b;
    int order = strcmp(x->uid, y->uid);
    return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static int by_seq(const void *a, const void *b)
{
    const struct outbox_entry *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
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
    (void)json;
    w->last = seq;
    w->n++;
    enum weir_err err = make_room(w->all);
    if (err) return err;
    struct outbox_entry *e = &w->all->entry[w->all->n++];
    *e = (struct outbox_entry){.seq = seq};
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
    if (out->n) qsort(out->entry, out->n, sizeof *out->entry, by_seq);
    return err;
}

void outbox_fini(struct outbox *o)
{
    free(o->entry);
    *o = (struct outbox){NULL, 0, 0};
}

struct hand_out {
    const struct outbox *all;
    size_t next; /* first entry not handed out yet */
    uint64_t last;
    outbox_each *each;
    void *ctx;
};

static enum weir_err hand_out(void *ctx, uint64_t seq, const char *uid, struct slice json)
{
    struct hand_out *h = ctx;
    (void)uid;
    h->last = seq;
    if (h->all->entry[h->next].seq != seq) return WEIR_OK;
    h->next++;
    enum weir_err err = h->each(h->ctx, json);
    return !err && h->next == h->all->n ? WEIR_END : err; /* that was the last one wanted */
}

enum weir_err outbox_show(struct store *s, const struct outbox *o, outbox_each *each, void *ctx, struct fault *fault)
{
    struct hand_out h = {.all = o, .each = each, .ctx = ctx};
    enum weir_err err = WEIR_OK;
    while (!err && h.next < o->n) {
        uint64_t wanted = o->entry[h.next].seq, before = h.last;
        if (wanted > h.last + 1) h.last = wanted - 1; /* pass over what is not wanted */
        err = store_outbox(s, h.last, PAGE, hand_out, &h, fault);
        if (!err && h.last <= before) return fault_set(fault, WEIR_CORRUPT, "the findings in the store changed while they were read");
    }
    return err == WEIR_END ? WEIR_OK : err;
}

struct store *outbox_open(struct app *app, int *code)
{
    struct fault fault = {WEIR_OK, ""};
    struct store *s = NULL;
    enum weir_err err = store_open(app->config->store, STORE_READ_ONLY, &s, &fault);
    if (!err) return s;
    if (err == WEIR_NOTFOUND) {
        app_complain(app, "no store at '%s': run 'weir batch PATH...' first, or name another with --store", app->config->store);
        *code = APP_USAGE;
    } else {
        *code = app_fail(app, &fault);
    }
    return NULL;
}
