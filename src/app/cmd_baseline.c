/* SPDX-License-Identifier: Apache-2.0 */
/* `weir baseline`: what is kept of hosts. Only forget and import write to the store, each in one commit. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/audit.h"
#include "app/baseline_tool.h"
#include "app/open_store.h"
#include "app/outbox.h"

#define TEXT_MAX ((size_t)1 << 30)

struct baseline_options { bool yes; };

void day_text(uint16_t day, char out[TIME_TEXT_MAX])
{
    time_format((int64_t)day * DAY_S, out);
    out[10] = 0;
}

static void keep(char *out, size_t cap, struct slice s) { snprintf(out, cap, "%.*s", (int)(s.n < cap ? s.n : cap - 1), s.n ? s.p : ""); }

enum weir_err known_host_get(struct store *s, const struct host_entry *e, struct known_host *out, struct fault *fault)
{
    char key[17];
    struct buffer blob;
    buffer_init(&blob, STORE_VALUE_MAX);
    store_id(e->id, key);
    *out = (struct known_host){.id = e->id};
    keep(out->account, sizeof out->account, e->account);
    keep(out->interface, sizeof out->interface, e->interface);
    enum weir_err err = store_get(s, BASELINE_BLOB, key, &blob, fault);
    if (!err && (err = baseline_decode((struct slice){blob.p, blob.n}, &out->baseline)))
        fault_set(fault, err, "store value 'h:%s', a baseline: %s", key, weir_err_text(err));
    out->bytes = blob.n;
    buffer_fini(&blob);
    return err;
}

/* ---- hosts by what they are called ---- */

struct search {
    struct store *store;
    struct slice wanted;
    struct ip ip; bool by_ip;
    uint64_t id; bool by_id;
    struct known_host *first, **last;
    struct fault *fault;
};

static enum weir_err match(void *ctx, const struct host_entry *e)
{
    struct search *s = ctx;
    if (!(s->by_ip ? ip_eq(s->ip, e->host) : slice_eq(s->wanted, e->interface) || (s->by_id && s->id == e->id)))
        return WEIR_OK;
    struct known_host *h = malloc(sizeof *h);
    enum weir_err err = h ? known_host_get(s->store, e, h, s->fault) : fault_set(s->fault, WEIR_NOMEM, "out of memory");
    if (err) {
        free(h);
        return err == WEIR_NOTFOUND ? WEIR_OK : err;
    }
    *s->last = h;
    s->last = &h->next;
    return WEIR_OK;
}

static enum weir_err name_class(void *ctx, const struct class_name *class)
{
    struct search *s = ctx;
    for (struct known_host *h = s->first; h; h = h->next)
        if (h->baseline.class_id == class->id)
            keep(h->class, sizeof h->class, class->name);
    return WEIR_OK;
}

static enum weir_err find_hosts(struct search *s)
{
    unsigned char id[8];
    s->last = &s->first;
    s->by_ip = ip_parse(s->wanted, &s->ip) == WEIR_OK;
    s->by_id = s->wanted.n == 16 && hex_decode(s->wanted, id, sizeof id) == WEIR_OK;
    for (size_t i = 0; s->by_id && i < sizeof id; i++)
        s->id = s->id << 8 | id[i];
    enum weir_err err = host_index_each(s->store, match, s, s->fault);
    return err ? err : class_index_each(s->store, name_class, s, s->fault);
}

static void hosts_free(struct known_host *h)
{
    while (h) {
        struct known_host *next = h->next;
        free(h);
        h = next;
    }
}

/* ---- forget ---- */

/* A class counts how many of its hosts know a network: no longer this one. */
static enum weir_err forget_in_class(struct store *s, uint64_t class, const struct baseline_changes *gone, struct fault *fault)
{
    char key[17];
    struct buffer blob;
    struct class_state *c = NULL;
    store_id(class, key);
    buffer_init(&blob, STORE_VALUE_MAX);
    enum weir_err err = store_get(s, CLASS_BLOB, key, &blob, fault);
    if (!err)
        err = class_decode((struct slice){blob.p, blob.n}, &c);
    for (size_t i = 0; i < gone->removed_n && !err; i++)
        err = class_change(c, gone->removed[i], -1);
    if (!err)
        err = class_close(c, class_last_day(c)); /* nobody learned: only what changed is settled */
    buffer_clear(&blob);
    if (!err)
        err = class_encode(c, &blob);
    if (!err)
        err = store_put(s, CLASS_BLOB, key, (struct slice){blob.p, blob.n}, fault);
    class_free(c);
    buffer_fini(&blob);
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static enum weir_err forget_one(struct store *s, struct known_host *h, struct fault *fault)
{
    char key[17];
    struct baseline_changes gone;
    uint64_t class = h->baseline.class_id;
    store_id(h->id, key);
    baseline_forget(&h->baseline, &gone);
    enum weir_err err = class ? forget_in_class(s, class, &gone, fault) : WEIR_OK;
    if (!err && class)
        err = forget_in_class(s, CLASS_FLEET, &gone, fault);
    if (!err)
        err = store_delete(s, BASELINE_BLOB, key, fault);
    return err ? err : host_index_remove(s, h->id, fault);
}

static enum weir_err forget_all(struct store *s, struct known_host *hosts, struct fault *fault)
{
    enum weir_err err = store_begin(s, fault);
    if (err)
        return err;
    for (struct known_host *h = hosts; h && !err; h = h->next)
        err = forget_one(s, h, fault);
    if (!err)
        return store_commit(s, fault);
    store_abort(s);
    return fault->text[0] ? err : fault_set(fault, err, "cannot forget: %s", weir_err_text(err));
}

/* ---- the command ---- */

static enum weir_err run_forget(struct app *app, struct search *s, struct buffer *out, struct fault *fault)
{
    const struct baseline_options *o = app->options;
    for (const struct known_host *h = s->first; h; h = h->next) {
        char ip[IP_TEXT_MAX];
        ip_format(h->baseline.host, ip);
        buffer_printf(out, "%s %s, interface ", o->yes ? "forgotten:" : "would forget", ip);
        escape_terminal(out, slice_of(h->interface));
        buffer_printf(out, ", %u learned day%s\n", h->baseline.days, h->baseline.days == 1 ? "" : "s");
    }
    if (!o->yes)
        return WEIR_OK;
    enum weir_err err = audit_add(app, "baseline forget", s->wanted, slice_of(""), NULL, fault);
    return err && err != WEIR_UNAVAILABLE ? err : forget_all(s->store, s->first, fault);
}

static enum weir_err run_on_hosts(struct app *app, struct store *store, const char *word, const char *name, struct buffer *out, struct fault *fault)
{
    struct search s = {.store = store, .wanted = slice_of(name), .fault = fault};
    enum weir_err err = find_hosts(&s);
    if (!err && !s.first)
        err = fault_set(fault, WEIR_NOTFOUND, "no baseline of '%.80s': HOST is an address, an interface or the id of a host that has learned a day", name);
    else if (!err && *word == 'f')
        err = run_forget(app, &s, out, fault);
    else
        for (const struct known_host *h = s.first; h && !err; h = h->next) {
            buffer_puts(out, h == s.first || app->config->format == BASELINE_JSON ? "" : "\n");
            baseline_show(h, app->config->format, out);
        }
    hosts_free(s.first);
    return err;
}

static int write_out(struct app *app, struct buffer *text, bool asked)
{
    if (text->err) {
        app_complain(app, "cannot show baselines: %s", weir_err_text(text->err));
        return APP_FAILED;
    }
    if (fwrite(text->n ? text->p : "", 1, text->n, app->out) != text->n && errno != EPIPE) {
        app_complain(app, "cannot write standard output: %s", strerror(errno));
        return APP_FAILED;
    }
    if (asked)
        app_complain(app, "nothing was changed: give --yes to forget");
    return asked ? APP_USAGE : APP_DONE;
}

static int usage(struct app *app, int argc, char **argv)
{
    static const char *const words[] = {"stats", "list", "show", "forget", "export", "import"}, *const operand[] = {"", "", " HOST", " HOST", " FILE", " FILE"};
    for (size_t i = 0; i < WEIR_COUNT(words); i++) {
        if (strcmp(argv[0], words[i]) != 0)
            continue;
        if (argc == (*operand[i] ? 2 : 1))
            return APP_DONE;
        app_complain(app, "usage: weir baseline %s%s", words[i], operand[i]);
        return APP_USAGE;
    }
    const char *near = nearest_name(slice_of(argv[0]), words, WEIR_COUNT(words));
    app_complain(app, "unknown word '%.80s' after 'baseline'%s%s%s", argv[0], near ? ", the nearest is '" : ": stats, list, show, forget, export or import", near ? near : "", near ? "'" : "");
    return APP_USAGE;
}

/* ---- export and import ---- */

static int end_move(struct app *app, enum weir_err err, struct fault *fault, const struct baseline_moved *moved, const char *done, const char *path)
{
    fault->err = err;
    if (err)
        return app_fail(app, fault);
    app_complain(app, "%s %llu values, %llu damaged and left out: %s", done, (unsigned long long)moved->values, (unsigned long long)moved->damaged, path);
    return moved->damaged ? APP_REJECTED : APP_DONE;
}

/* Under another name until it is whole. */
static int run_export(struct app *app, const char *path)
{
    struct fault fault = {WEIR_OK, ""};
    struct baseline_moved moved;
    char made[PATH_MAX];
    int code = APP_DONE;
    if (snprintf(made, sizeof made, "%s.tmp", path) >= (int)sizeof made) {
        app_complain(app, "the name of the file is too long");
        return APP_USAGE;
    }
    struct store *store = outbox_open(app, &code);
    if (!store)
        return code;
    (void)audit_note(app, "baseline export", slice_of(path), slice_of(""), NULL);
    int fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
    enum weir_err err = to ? baseline_export(app, store, to, &moved, &fault) : fault_set(&fault, WEIR_USAGE, "cannot write '%.200s': %s", made, strerror(errno));
    bool whole = to && !err && fflush(to) == 0 && fsync(fd) == 0;
    whole &= to && fclose(to) == 0;
    if (!err && (!whole || rename(made, path) != 0))
        err = fault_set(&fault, WEIR_IO, "cannot write '%.200s': %s", path, strerror(errno));
    if (err && fd >= 0)
        unlink(made);
    store_close(store);
    return end_move(app, err, &fault, &moved, "exported", path);
}

static int run_import(struct app *app, const char *path)
{
    struct fault fault = {WEIR_OK, ""};
    struct baseline_moved moved;
    struct store *store = NULL;
    FILE *from = fopen(path, "re");
    int code = from ? audit_before(app, "baseline import", slice_of(path), slice_of("")) : APP_DONE;
    if (code) {
        fclose(from);
        return code;
    }
    enum weir_err err = from ? open_store(app, STORE_READ_WRITE, &store, &fault) : fault_set(&fault, WEIR_USAGE, "cannot read '%.200s': %s", path, strerror(errno));
    if (!err)
        err = baseline_import(app, store, from, &moved, &fault);
    if (from)
        fclose(from);
    store_close(store);
    return end_move(app, err, &fault, &moved, "imported", path);
}

static int run_baseline(struct app *app, int argc, char **argv)
{
    const struct baseline_options *o = app->options;
    struct fault fault = {WEIR_OK, ""};
    struct buffer text;
    int code = usage(app, argc, argv);
    if (!code && app->config->format > BASELINE_JSON) {
        app_complain(app, "option '--format': 'baseline' knows table and json");
        code = APP_USAGE;
    }
    if (code)
        return code;
    if (strcmp(argv[0], "export") == 0)
        return run_export(app, argv[1]);
    if (strcmp(argv[0], "import") == 0)
        return run_import(app, argv[1]);
    bool forget = strcmp(argv[0], "forget") == 0;
    struct store *store = (forget && o->yes ? outbox_open_to_write : outbox_open)(app, &code);
    if (!store)
        return code;
    buffer_init(&text, TEXT_MAX);
    enum weir_err err = *argv[0] == 'l' ? baseline_list(store, app->config->format, &text, &fault)
                        : argc == 1     ? baseline_stats(store, app->config->format, &text, &fault)
                                        : run_on_hosts(app, store, argv[0], argv[1], &text, &fault);
    store_close(store);
    if (err && !fault.text[0])
        fault_set(&fault, err, "cannot read baselines: %s", weir_err_text(err));
    fault.err = err;
    code = err ? app_fail(app, &fault) : write_out(app, &text, forget && !o->yes);
    buffer_fini(&text);
    return code;
}

static const struct option_row rows[] = {
    {"yes", NULL, "forget: do it", OPTION_FLAG, offsetof(struct baseline_options, yes)},
};

const struct command command_baseline = {
    .name = "baseline",
    .summary = "show, forget or carry over what is normal for hosts",
    .operands = "stats | list | show HOST | forget HOST | export FILE | import FILE",
    .help = "stats   how many hosts, classes, days and bytes are kept, together and by class\n"
            "list    a line for each host\n"
            "show    what is normal for a host: its days, hours, destinations, countries, and what is in quarantine\n"
            "forget  remove what was learned of a host, so that it begins anew; findings and open days stay\n"
            "export  all of it into one file\n"
            "import  such a file into a new store, which then goes on from the last day that was closed\n"
            "HOST is an address, an interface, or the id that 'show' tells; of several that fit, all.",
    .common = COMMON_STORE | COMMON_OUTPUT,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct baseline_options),
    .operands_min = 1,
    .operands_max = 2,
    .run = run_baseline,
};
