/* SPDX-License-Identifier: Apache-2.0 */
/* `weir mark ID benign|true --reason TEXT`, `weir mark ID --clear`: what a person found out about a finding. */
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "app/audit.h"
#include "app/marks.h"
#include "app/outbox.h"
#include "weir/app.h"

struct mark_options {
    const char *reason, *at;
    bool clear;
};

/* ---- what was asked ---- */

static int take_verdict(struct app *app, const char *word, uint8_t *out)
{
    static const char *const words[] = {"benign", "true"};
    for (uint8_t i = 0; i < WEIR_COUNT(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *out = (uint8_t)(MARK_BENIGN + i);
            return APP_DONE;
        }
    const char *near = nearest_name(slice_of(word), words, WEIR_COUNT(words));
    app_complain(app, "a finding is 'benign' or 'true', not '%.80s'%s%s%s", word, near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
    return APP_USAGE;
}

static int wrong(struct app *app, const char *text)
{
    app_complain(app, "%s", text);
    return APP_USAGE;
}

static int take_words(struct app *app, int argc, char **argv, struct mark *out)
{
    const struct mark_options *o = app->options;
    if (o->clear)
        return argc == 1 && !o->reason && !o->at ? APP_DONE : wrong(app, "option '--clear' stands alone: weir mark ID --clear");
    if (argc != 2)
        return wrong(app, "say what it is: weir mark ID benign|true --reason TEXT, or weir mark ID --clear");
    int code = take_verdict(app, argv[1], &out->verdict);
    if (code)
        return code;
    if (!o->reason || !*o->reason)
        return wrong(app, "option '--reason' is missing: why is it so, for who reads it in six years");
    if (strlen(o->reason) > MARK_REASON_MAX) {
        app_complain(app, "option '--reason': %zu bytes, at most %d are kept", strlen(o->reason), MARK_REASON_MAX);
        return APP_USAGE;
    }
    out->reason = slice_of(o->reason);
    out->at_s = (int64_t)time(NULL);
    if (o->at && (time_parse(slice_of(o->at), &out->at_s) || out->at_s < 0)) {
        app_complain(app, "option '--at': '%.80s' is no time such as 2026-03-02T09:10:00Z", o->at);
        return APP_USAGE;
    }
    return APP_DONE;
}

/* ---- which finding ---- */

/* The last of its days: what is said holds up to there. */
static enum weir_err last_day(struct store *s, const char *uid, uint16_t *out, struct fault *fault)
{
    struct buffer text;
    int64_t at_s;
    buffer_init(&text, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, 'q', uid, &text, fault);
    json_t *finding = err ? NULL : json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);
    const json_t *days = json_object_get(json_object_get(json_object_get(finding, "unmapped"), "weir"), "days");
    size_t n = json_array_size(days);
    const char *day = n ? json_string_value(json_object_get(json_array_get(days, n - 1), "day")) : NULL;
    if (!err && day_parse(slice_of(day ? day : ""), &at_s))
        err = fault_set(fault, WEIR_CORRUPT, "finding 'wf1-%s' is damaged: it tells no day", uid);
    if (!err)
        *out = (uint16_t)(at_s / DAY_S);
    json_decref(finding);
    buffer_fini(&text);
    return err == WEIR_NOTFOUND ? fault_set(fault, err, "finding 'wf1-%s' was withdrawn", uid) : err;
}

static enum weir_err place_mark(struct store *s, struct marks *marks, const char *uid, struct mark *mark, struct fault *fault)
{
    const struct mark *old = marks_find(marks, uid);
    memcpy(mark->uid, uid, UID_DIGITS);
    enum weir_err err = last_day(s, uid, &mark->through, fault);
    if (!err)
        err = held_host(s, uid, &mark->host_id, fault);
    if (err == WEIR_NOTFOUND && !fault->text[0])
        return fault_set(fault, err, "finding 'wf1-%s' was made by an older weir: it cannot be marked", uid);
    if (!err && old && old->verdict == mark->verdict)
        mark->applied = old->applied;
    return err ? err : marks_set(marks, mark, fault);
}

static enum weir_err change(struct store *s, const char *uid, struct mark *mark, bool clear, bool *learned, struct fault *fault)
{
    struct marks *marks;
    enum weir_err err = marks_load(s, &marks, fault);
    if (err)
        return err;
    const struct mark *old = marks_find(marks, uid);
    *learned = old && old->applied;
    if (!clear)
        err = place_mark(s, marks, uid, mark, fault);
    else if (!marks_clear(marks, uid))
        err = fault_set(fault, WEIR_NOTFOUND, "finding 'wf1-%s' has no mark", uid);
    if (!err)
        err = store_begin(s, fault);
    if (!err && (err = marks_put(marks, s, fault)))
        store_abort(s);
    else if (!err)
        err = store_commit(s, fault);
    marks_free(marks);
    return err;
}

/* ---- the command ---- */

static void tell(struct app *app, const char *uid, const struct mark *mark, bool clear, bool learned)
{
    fprintf(app->out, "wf1-%s: %s%s\n", uid, clear ? "mark cleared" : "marked ", clear ? "" : mark_word(mark->verdict));
    if (clear && learned)
        fputs("its days were learned as benign before: that stays; 'weir baseline forget HOST' lets the host begin anew\n", app->out);
    else if (!clear)
        fputs(mark->verdict == MARK_BENIGN ? "its destinations are learned in full for the days that are judged from now on\n"
                                           : "its destinations are never learned\n", app->out);
}

/* Before it is done: what was tried stands there, too. */
static int note_mark(struct app *app, const char *digits, const struct mark *mark, bool clear)
{
    char uid[STORE_ID_MAX + 8];
    snprintf(uid, sizeof uid, "wf1-%s", digits);
    const char *what = clear ? "mark --clear" : mark->verdict == MARK_BENIGN ? "mark benign" : "mark true";
    return audit_before(app, what, slice_of(uid), clear ? slice_of("") : mark->reason);
}

static int mark_one(struct app *app, struct store *store, const char *id, struct mark *mark)
{
    const struct mark_options *o = app->options;
    struct outbox all;
    struct outbox_entry *entry = NULL;
    struct fault fault = {WEIR_OK, ""};
    bool learned = false;
    int code = outbox_fold(store, &all, &fault) ? app_fail(app, &fault) : outbox_find(app, &all, id, &entry);
    if (!code && strlen(entry->uid) != UID_DIGITS)
        code = wrong(app, "this finding has no id that can be marked");
    if (!code)
        code = note_mark(app, entry->uid, mark, o->clear);
    if (!code && change(store, entry->uid, mark, o->clear, &learned, &fault))
        code = app_fail(app, &fault);
    if (!code)
        tell(app, entry->uid, mark, o->clear, learned);
    outbox_fini(&all);
    return code;
}

static int run_mark(struct app *app, int argc, char **argv)
{
    struct mark mark = {.host_id = 0};
    int code = outbox_id_check(app, argv[0]);
    if (!code)
        code = take_words(app, argc, argv, &mark);
    struct store *store = code ? NULL : outbox_open_to_write(app, &code);
    if (!store)
        return code;
    code = mark_one(app, store, argv[0], &mark);
    store_close(store);
    return code;
}

static const struct option_row rows[] = {
    {"reason", "TEXT", "why, in a sentence; it stands with the finding", OPTION_TEXT, offsetof(struct mark_options, reason)},
    {"at", "TIME", "when it was found out, as 2026-03-02T09:10:00Z; default now", OPTION_TEXT, offsetof(struct mark_options, at)},
    {"clear", NULL, "take the mark back", OPTION_FLAG, offsetof(struct mark_options, clear)},
};

const struct command command_mark = {
    .name = "mark",
    .summary = "say of a finding that it was benign, or true",
    .operands = "ID benign|true --reason TEXT | ID --clear",
    .help = "benign  its destinations leave quarantine, are familiar to the host from now on, and what they got is normal\n"
            "true    its destinations stay out of what is normal for ever\n"
            "ID is that of 'weir findings', or its beginning. A mark stands with the finding, counts in 'weir budget', and changes\n"
            "days that are judged later, never what was judged before. Cleared before the next day closes it leaves no trace.",
    .common = COMMON_STORE,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct mark_options),
    .operands_min = 1,
    .operands_max = 2,
    .run = run_mark,
};
