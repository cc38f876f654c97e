/* SPDX-License-Identifier: Apache-2.0 */
/* What the store holds of findings, marks and host-days, counted. Host-days are those that the calibration judged: the first day of
 * a host, on which nothing can be raised by a test, is none of them. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/budget_tool.h"
#include "app/host_index.h"
#include "app/marks.h"
#include "app/outbox.h"

struct counting {
    struct store *store;
    struct budget_report *out;
    struct marks *marks;
    struct fault *fault;
};

/* ---- host-days, from the classes ---- */

/* Of one test whose two histories share the host-days among them. */
static enum weir_err host_days_of(const struct class_state *c, uint16_t day, uint64_t *out)
{
    *out = 0;
    for (unsigned stratum = 0; stratum < SCORE_STRATA; stratum++) {
        struct class_history h;
        enum weir_err err = class_history(c, SCORE_STRATA * SCORE_HOUR_VOLUME + stratum, (uint16_t)(day + 1), &h);
        if (err)
            return err;
        *out += h.host_days;
        free(h.excess);
    }
    return WEIR_OK;
}

static enum weir_err read_class(struct counting *n, uint64_t id, uint64_t *host_days, uint16_t *days)
{
    char key[17];
    struct buffer blob;
    struct class_state *c = NULL;
    store_id(id, key);
    buffer_init(&blob, STORE_VALUE_MAX);
    *host_days = 0;
    enum weir_err err = store_get(n->store, CLASS_BLOB, key, &blob, n->fault);
    if (!err && (err = class_decode((struct slice){blob.p, blob.n}, &c)))
        fault_set(n->fault, err, "store value 'f:%s': %s", key, weir_err_text(err));
    if (!err && id == CLASS_FLEET) {
        n->out->last_day = class_last_day(c);
        *days = class_days(c);
    }
    if (!err)
        err = host_days_of(c, n->out->last_day, host_days);
    class_free(c);
    buffer_fini(&blob);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static enum weir_err add_class(void *ctx, const struct class_name *class)
{
    struct counting *n = ctx;
    struct budget_report *r = n->out;
    struct budget_class *all = array_grow(r->class, &r->classes_cap, r->classes, sizeof *all);
    if (!all)
        return fault_set(n->fault, WEIR_NOMEM, "out of memory");
    r->class = all;
    struct budget_class *c = &all[r->classes++];
    *c = (struct budget_class){.id = class->id};
    snprintf(c->name, sizeof c->name, "%.*s", (int)(class->name.n < sizeof c->name ? class->name.n : sizeof c->name - 1), class->name.p);
    return WEIR_OK;
}

static enum weir_err read_classes(struct counting *n)
{
    uint64_t grown, young;
    uint16_t days = 0, none;
    enum weir_err err = read_class(n, CLASS_FLEET, &grown, &days);
    if (!err)
        err = read_class(n, CLASS_YOUNG, &young, &none);
    if (err)
        return err;
    n->out->days = days < CALIBRATION_DAYS ? days : CALIBRATION_DAYS;
    n->out->host_days = grown + young;
    err = class_index_each(n->store, add_class, n, n->fault);
    for (size_t i = 0; i < n->out->classes && !err; i++)
        err = read_class(n, n->out->class[i].id, &n->out->class[i].host_days, &none);
    return err;
}

/* ---- findings ---- */

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct budget_class *)a)->id, y = ((const struct budget_class *)b)->id;
    return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
    const struct budget_class *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : by_id(a, b);
}

static enum weir_err class_of(struct counting *n, const char *uid, struct budget_class **out)
{
    struct budget_class key = {.id = 0};
    struct buffer blob;
    struct baseline b;
    char id[17];
    uint64_t host_id;
    *out = NULL;
    enum weir_err err = held_host(n->store, uid, &host_id, n->fault);
    if (err)
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    store_id(host_id, id);
    buffer_init(&blob, STORE_VALUE_MAX);
    err = store_get(n->store, BASELINE_BLOB, id, &blob, n->fault);
    if (!err && baseline_decode((struct slice){blob.p, blob.n}, &b) == WEIR_OK && n->out->classes) {
        key.id = b.class_id;
        *out = bsearch(&key, n->out->class, n->out->classes, sizeof key, by_id);
    }
    buffer_fini(&blob);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

/* A finding of a day that is not learned yet has no host-days to be divided by. */
static void count_in(struct budget_counts *c, uint16_t last_day, int64_t start_s, const struct mark *mark)
{
    bool open = start_s >= ((int64_t)last_day + 1) * DAY_S || !last_day;
    bool recent = !open && start_s >= ((int64_t)last_day - CALIBRATION_DAYS + 1) * DAY_S;
    c->ever++;
    c->open += open;
    c->recent += recent;
    c->benign += recent && mark && mark->verdict == MARK_BENIGN;
    c->confirmed += recent && mark && mark->verdict == MARK_TRUE;
}

static enum score_test lead_of(const json_t *finding)
{
    const char *word = json_string_value(json_object_get(json_object_get(json_object_get(finding, "finding_info"), "analytic"), "name"));
    for (unsigned t = 0; word && t < SCORE_TEST_COUNT; t++)
        if (strcmp(word, score_test_word((enum score_test)t)) == 0)
            return (enum score_test)t;
    return SCORE_TEST_COUNT;
}

static enum weir_err count_finding(struct counting *n, const char *uid, const json_t *finding)
{
    if (json_object_get(json_object_get(json_object_get(finding, "unmapped"), "weir"), "operational"))
        return WEIR_OK; /* about the store, not about a host-day */
    const struct mark *mark = marks_find(n->marks, uid);
    int64_t start_s = json_integer_value(json_object_get(finding, "start_time")) / 1000;
    enum score_test lead = lead_of(finding);
    struct budget_class *class;
    enum weir_err err = class_of(n, uid, &class);
    bool rule = lead < SCORE_TEST_COUNT && score_test_is_rule(lead); /* rules own no budget */
    count_in(rule ? &n->out->rules : &n->out->found, n->out->last_day, start_s, mark);
    if (lead < SCORE_TEST_COUNT)
        count_in(&n->out->test[lead], n->out->last_day, start_s, mark);
    if (class && !rule)
        count_in(&class->found, n->out->last_day, start_s, mark);
    return err;
}

static enum weir_err read_findings(struct counting *n)
{
    struct outbox all;
    struct buffer text;
    buffer_init(&text, STORE_VALUE_MAX);
    enum weir_err err = outbox_fold(n->store, &all, n->fault);
    for (size_t i = 0; i < all.n && !err; i++) {
        buffer_clear(&text);
        enum weir_err got = store_get(n->store, 'q', all.entry[i].uid, &text, n->fault);
        json_t *finding = got ? NULL : json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);
        err = got == WEIR_NOTFOUND ? WEIR_OK : got ? got : count_finding(n, all.entry[i].uid, finding); /* not found: withdrawn */
        json_decref(finding);
    }
    outbox_fini(&all);
    buffer_fini(&text);
    return err;
}

enum weir_err budget_count(struct store *s, struct budget_report *out, struct fault *fault)
{
    struct counting n = {.store = s, .out = out, .fault = fault};
    *out = (struct budget_report){0};
    enum weir_err err = marks_load(s, &n.marks, fault);
    if (!err)
        err = read_classes(&n);
    if (!err)
        err = read_findings(&n);
    if (!err && out->classes)
        qsort(out->class, out->classes, sizeof *out->class, by_name);
    marks_free(n.marks);
    return err;
}

void budget_report_fini(struct budget_report *r)
{
    free(r->class);
    r->class = NULL;
    r->classes = r->classes_cap = 0;
}
