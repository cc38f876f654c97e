/* SPDX-License-Identifier: Apache-2.0 */
/* command.c - the list of commands and the way into one: options, configuration, log, run, and the last flush. */
#include "app/config.h"
#include "app/terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weir/source_s3.h"

#include <jansson.h>
#include <maxminddb.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <yaml.h>

#define COMMAND_ADDRESS(name) &command_##name,
const struct command *const commands[] = {COMMAND_LIST(COMMAND_ADDRESS)};
const size_t commands_n = WEIR_COUNT(commands);

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < commands_n; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* ---- words ---- */
static void put_usage(FILE *to)
{
    fputs("usage: weir COMMAND [OPTIONS] [FILE...]\n\n"
          "Finds hosts that send out what they never did, in VPC flow logs.\n\ncommands:\n", to);
    for (size_t i = 0; i < commands_n; i++)
        fprintf(to, "  %-12s  %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n'weir COMMAND --help' tells the options of a command, 'weir --version' the version.\n", to);
}

static void put_version(FILE *to)
{
    fprintf(to, "weir %s\n", WEIR_PROGRAM_VERSION);
    fprintf(to, "inflate: %s\n", inflate_engine_name(INFLATE_BEST));
    fprintf(to, "libraries: sqlite %s, libyaml %s, jansson %s, libmaxminddb %s, libcrypto %s\n", sqlite3_libversion(), yaml_get_version_string(),
            jansson_version_str(), MMDB_lib_version(), OpenSSL_version(OPENSSL_VERSION_STRING));
}

static int unknown_command(struct app *app, const char *name)
{
    if (name[0] == '-') {
        app_complain(app, "'%.80s' stands before a command: weir COMMAND [OPTIONS], see 'weir --help'", name);
        return APP_USAGE;
    }
    const char *names[WEIR_COUNT(commands)];
    for (size_t i = 0; i < commands_n; i++)
        names[i] = commands[i]->name;
    const char *near = nearest_name(slice_of(name), names, commands_n);
    app_complain(app, "unknown command '%.80s'%s%s%s", name, near ? ", the nearest is '" : ", see 'weir --help'", near ? near : "", near ? "'" : "");
    return APP_USAGE;
}

/* ---- configuration ---- */
static enum weir_err read_file(struct app *app, struct config *c, const char *path, struct fault *fault)
{
    bool loose = false;
    enum weir_err err = config_read_file(c, path, &loose, fault);
    if (!err && loose)
        app_complain(app, "warning: config '%s' can be changed by others than its owner, root and you: chmod go-w", path);
    return err;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || errno != ENOENT;
}

/* --config, else WEIR_CONFIG: must be there. Else the first that exists of the user's file and the system's. */
static enum weir_err read_files(struct app *app, struct config *c, struct fault *fault)
{
    const char *named = app->config_path ? app->config_path : env_get(app->env, "WEIR_CONFIG");
    const char *xdg = env_get(app->env, "XDG_CONFIG_HOME"), *home = env_get(app->env, "HOME");
    char path[4200] = "";
    if (app->config_path || *named)
        return read_file(app, c, named, fault);
    if (xdg[0] == '/')
        snprintf(path, sizeof path, "%.4096s/weir/config.yaml", xdg);
    else if (home[0] == '/')
        snprintf(path, sizeof path, "%.4096s/.config/weir/config.yaml", home);
    if (*path && exists(path))
        return read_file(app, c, path, fault);
    return exists("/etc/weir/weir.yaml") ? read_file(app, c, "/etc/weir/weir.yaml", fault) : WEIR_OK;
}

static enum weir_err read_flags(struct app *app, struct config *c, struct fault *fault)
{
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        char name[CONFIG_NAME_MAX];
        if (!app->flag[id])
            continue;
        snprintf(name, sizeof name, "--%s", options_flag_of(id));
        enum weir_err err = config_set(c, id, slice_of(app->flag[id]), FROM_FLAG, name, fault);
        if (err)
            return err;
    }
    return WEIR_OK;
}

static enum weir_err fill(struct app *app, struct config *c, struct fault *fault)
{
    enum weir_err err = read_files(app, c, fault);
    if (!err)
        err = config_read_env(c, app->env, fault);
    if (!err)
        err = read_flags(app, c, fault);
    if (!err)
        err = config_finish(c, fault);
    if (!err && (app->command->common & COMMON_STORE) && !*c->store)
        err = fault_set(fault, WEIR_USAGE, "no place for the store: give --store, or set HOME, XDG_STATE_HOME or STATE_DIRECTORY");
    return err;
}

enum weir_err app_load_config(struct app *app)
{
    struct fault fault = {WEIR_NOMEM, "configuration: out of memory"};
    struct config *c = config_new(app->env);
    enum weir_err err = c ? fill(app, c, &fault) : WEIR_NOMEM;
    if (err) {
        app_fail(app, &fault);
        config_free(c);
        return err;
    }
    app->config = c;
    app->colour = terminal_colour(c->color, app->out, app->env);
    app->width = terminal_width(app->out);
    enum log_level level = (enum log_level)c->log_level;
    app->log = log_new(app->err, app->quiet && level > LOG_LEVEL_WARN ? LOG_LEVEL_WARN : level, (enum log_format)c->log_format, clock_now_ns);
    if (*env_get(app->env, "JOURNAL_STREAM"))
        log_for_journal(app->log);
    const struct s3_access access = {c->s3_region, c->s3_endpoint, c->s3_ca_file, app->env};
    err = s3_allow(&access, &fault);
    return err ? (app_fail(app, &fault), err) : WEIR_OK;
}

/* ---- the way in ---- */
static int show_help(struct app *app)
{
    struct buffer text;
    buffer_init(&text, 65536);
    options_help(app->command, &text);
    fputs(buffer_cstr(&text), app->out);
    buffer_fini(&text);
    return APP_DONE;
}

static int run_command(struct app *app, int argc, char **argv)
{
    const struct command *command = app->command;
    size_t n = (size_t)argc;
    if (n < command->operands_min || n > command->operands_max) {
        const char *what = n < command->operands_min ? "an operand is missing" : "too many operands";
        app_complain(app, "%s: usage: weir %s [OPTIONS]%s%s", what, command->name, command->operands[0] ? " " : "", command->operands);
        return APP_USAGE;
    }
    enum weir_err err = command->loads_own_config ? WEIR_OK : app_load_config(app);
    return err ? (int)app_exit_of(err) : command->run(app, argc, argv);
}

static int enter(struct app *app, int argc, char **argv)
{
    struct fault fault = {0};
    int operands = argc, rc;
    bool help = false;
    void *own = calloc(1, app->command->options_bytes + 1);
    app->options = own;
    enum weir_err err = own ? options_parse(app, argc, argv, own, &operands, &help, &fault) : WEIR_NOMEM;
    if (err) {
        fault.err = err;
        rc = app_fail(app, &fault);
    } else {
        rc = help ? show_help(app) : run_command(app, argc - operands, argv + operands);
    }
    s3_end();
    log_free(app->log);
    config_free(app->config);
    free(own);
    return rc;
}

static int dispatch(struct app *app, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name) {
        put_usage(app->err);
        return APP_USAGE;
    }
    if (strcmp(name, "help") == 0 && argc > 2) {
        app->command = command_find(argv[2]);
        return app->command ? show_help(app) : unknown_command(app, argv[2]);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        put_usage(app->out);
    else if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0)
        put_version(app->out);
    else if (!(app->command = command_find(name)))
        return unknown_command(app, name);
    else
        return enter(app, argc - 1, argv + 1);
    return APP_DONE;
}

/* A full disk shows at the last flush only: then nothing is promised. A reader that closed its pipe had enough. What went wrong
 * before has its complaint and its code already. */
int app_main(int argc, char **argv, char *const *env, FILE *out, FILE *err)
{
    struct app app = {.out = out, .err = err, .env = env};
    int rc = dispatch(&app, argc, argv);
    errno = 0; /* an error that is not of this flush has none */
    bool failed = fflush(out) != 0 || ferror(out);
    if (!failed || errno == EPIPE || rc == APP_FAILED || rc == APP_USAGE || rc == APP_UNAVAILABLE)
        return rc;
    app_complain(&app, "cannot write standard output%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
    return APP_FAILED;
}
