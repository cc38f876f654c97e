/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c - weir config show|keys|check: what is configured and where it came from, what can be configured, and
 * whether a file would be taken. */
#include "app/config.h"
#include "app/terminal.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

/* table (YAML), json, ndjson, csv: as output.format; ocsf makes no sense of a configuration. */
enum { FORMAT_TABLE, FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV, FORMAT_OCSF };

struct value {
    struct buffer text, origin;
    char variable[CONFIG_NAME_MAX];
};

static void value_of(const struct config *c, enum param_id id, struct value *v)
{
    buffer_init(&v->text, TEXT_MAX);
    buffer_init(&v->origin, 8192);
    config_value(c, id, &v->text);
    config_put_origin(&c->origin[id], &v->origin);
}

static struct slice slice_of_buffer(const struct buffer *b)
{
    return (struct slice){b->n ? b->p : "", b->n};
}

static void put_json(const struct config *c, enum param_id id, struct buffer *out)
{
    struct value v;
    value_of(c, id, &v);
    buffer_printf(out, "{\"key\":\"%s\",\"value\":", config_params[id].key);
    escape_json(out, slice_of_buffer(&v.text));
    buffer_puts(out, ",\"from\":");
    escape_json(out, slice_of_buffer(&v.origin));
    buffer_puts(out, "}");
    buffer_fini(&v.text);
    buffer_fini(&v.origin);
}

static void put_csv(const struct config *c, enum param_id id, struct buffer *out)
{
    struct value v;
    value_of(c, id, &v);
    escape_csv(out, slice_of(config_params[id].key));
    buffer_puts(out, ",");
    escape_csv(out, slice_of_buffer(&v.text));
    buffer_puts(out, ",");
    escape_csv(out, slice_of_buffer(&v.origin));
    buffer_fini(&v.text);
    buffer_fini(&v.origin);
}

static void show_rows(const struct config *c, unsigned format, struct buffer *out)
{
    if (format == FORMAT_JSON)
        buffer_puts(out, "[\n");
    if (format == FORMAT_CSV)
        buffer_puts(out, "\"key\",\"value\",\"from\"\r\n");
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        if (format == FORMAT_CSV)
            put_csv(c, id, out);
        else
            put_json(c, id, out);
        buffer_puts(out, format == FORMAT_CSV ? "\r\n" : format == FORMAT_JSON && id + 1 < PARAM_COUNT ? ",\n" : "\n");
    }
    if (format == FORMAT_JSON)
        buffer_puts(out, "]\n");
}

static int write_out(struct app *app, struct buffer *text)
{
    const char *why = text->err ? weir_err_text(text->err) : NULL;
    if (!why && (fputs(buffer_cstr(text), app->out) == EOF || fflush(app->out) != 0)) {
        if (errno == EPIPE)
            clearerr(app->out); /* the reader had enough */
        else
            why = strerror(errno);
    }
    if (why)
        app_complain(app, "cannot show the configuration: %s", why);
    buffer_fini(text);
    return why ? APP_FAILED : APP_DONE;
}

static int show(struct app *app)
{
    struct buffer text;
    enum weir_err err = app_load_config(app);
    if (err)
        return (int)app_exit_of(err);
    if (app->config->format == FORMAT_OCSF) {
        app_complain(app, "option '--format': 'config show' knows table, json, ndjson and csv");
        return APP_USAGE;
    }
    buffer_init(&text, TEXT_MAX);
    if (app->config->format == FORMAT_TABLE)
        config_show(app->config, &text);
    else
        show_rows(app->config, app->config->format, &text);
    return write_out(app, &text);
}

static void put_key_row(enum param_id id, struct buffer *out)
{
    const struct param *p = &config_params[id];
    buffer_printf(out, "%s\n  %s\n  ", p->key, p->text);
    param_range(p, out);
    buffer_printf(out, "; default %s\n", p->def[0] ? p->def : "empty");
}

static int keys(struct app *app)
{
    const char *format = app->flag[PARAM_format] ? app->flag[PARAM_format] : "table";
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    if (strcmp(format, "markdown") == 0)
        config_manual(&text);
    else if (strcmp(format, "table") == 0)
        for (enum param_id id = 0; id < PARAM_COUNT; id++)
            put_key_row(id, &text);
    else {
        app_complain(app, "option '--format': 'config keys' knows table and markdown, not '%.80s'", format);
        buffer_fini(&text);
        return APP_USAGE;
    }
    return write_out(app, &text);
}

static int check(struct app *app, const char *path)
{
    struct fault fault = {WEIR_NOMEM, "configuration: out of memory"};
    struct config *c = config_new(app->env);
    bool loose = false;
    enum weir_err err = c ? config_read_file(c, path, &loose, &fault) : WEIR_NOMEM;
    if (!err)
        err = config_finish(c, &fault);
    unsigned set = 0;
    for (enum param_id id = 0; !err && id < PARAM_COUNT; id++)
        set += c->origin[id].from == FROM_FILE;
    config_free(c);
    if (err)
        return app_fail(app, &fault);
    if (loose)
        app_complain(app, "warning: config '%s' can be changed by others than its owner, root and you: chmod go-w", path);
    struct buffer line;
    buffer_init(&line, 65536);
    buffer_puts(&line, "config '");
    escape_terminal(&line, slice_of(path));
    buffer_printf(&line, "': fine, %u of %u keys set\n", set, (unsigned)PARAM_COUNT);
    return write_out(app, &line);
}

static int run_config(struct app *app, int argc, char **argv)
{
    static const char *const words[] = {"show", "keys", "check"};
    const char *word = argv[0], *near;
    if (strcmp(word, "check") == 0 && argc == 2)
        return check(app, argv[1]);
    if (strcmp(word, "show") == 0 && argc == 1)
        return show(app);
    if (strcmp(word, "keys") == 0 && argc == 1)
        return keys(app);
    near = nearest_name(slice_of(word), words, WEIR_COUNT(words));
    if (near && strcmp(near, word) == 0)
        app_complain(app, strcmp(word, "check") == 0 ? "'config check' needs one FILE" : "'config %s' takes no operand", word);
    else
        app_complain(app, "unknown word '%.80s' after 'config'%s%s%s", word, near ? ", the nearest is '" : ": show, keys or check FILE",
                     near ? near : "", near ? "'" : "");
    return APP_USAGE;
}

const struct command command_config = {
    .name = "config",
    .summary = "show what is configured and from where, list the keys, check a file",
    .operands = "show | keys | check FILE",
    .help = "show        every key, its value and where it came from, as YAML that can be used as a file\n"
            "keys        every key with its meaning, range and default; --format=markdown makes the manual page\n"
            "check FILE  say whether FILE would be taken, without reading anything else",
    .common = COMMON_STORE | COMMON_OUTPUT | COMMON_INPUT | COMMON_GEO | COMMON_RUN,
    .operands_min = 1,
    .operands_max = 2,
    .loads_own_config = true,
    .run = run_config,
};
