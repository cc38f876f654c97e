/* SPDX-License-Identifier: Apache-2.0 */
/* `weir policy propose|check PATH...`: what the logs show as a policy to start from, and what in them breaks the one that is
 * configured. Neither reads nor writes the store. */
#include <errno.h>
#include <string.h>

#include "app/context.h"
#include "app/policy.h"
#include "app/policy_tool.h"

#define TEXT_MAX ((size_t)1 << 30)
enum { FORMAT_TABLE = 0, FORMAT_OCSF = 4 };

static enum weir_err list_objects(int n, char **path, struct object_list **out, struct fault *fault)
{
    struct source_limits limits = source_default_limits;
    struct object_list *list = *out = object_list_new(&limits);
    enum weir_err err = list ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    for (int i = 0; i < n && !err; i++)
        if ((err = object_list_add(list, path[i], fault)))
            fault->err = err = err == WEIR_NOTFOUND ? WEIR_USAGE : err;
    if (!err)
        object_list_sort(list);
    return err;
}

static int write_out(struct app *app, struct buffer *text)
{
    if (text->err) {
        app_complain(app, "cannot write the policy: %s", weir_err_text(text->err));
        return APP_FAILED;
    }
    if (fwrite(text->n ? text->p : "", 1, text->n, app->out) != text->n && errno != EPIPE) {
        app_complain(app, "cannot write standard output: %s", strerror(errno));
        return APP_FAILED;
    }
    return APP_DONE;
}

static int run_on(struct app *app, bool check, struct object_list *list)
{
    struct run_counts counts = {0};
    struct fault fault = {WEIR_OK, ""};
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    struct context *context = NULL;
    enum weir_err err = context_open(app->config, &context, &fault);
    struct policy_tool tool = {app, list, err ? NULL : context_inventory(context)};
    if (!err)
        err = (check ? policy_check : policy_propose)(&tool, &counts, &text, &fault);
    if (!err && !counts.objects_listed)
        log_warn(app->log, "no objects in the paths given");
    int code = err ? app_fail(app, &fault) : write_out(app, &text);
    buffer_fini(&text);
    context_close(context);
    if (err || code)
        return code;
    return run_records_rejected(&counts) || run_objects_rejected(&counts) ? APP_REJECTED : APP_DONE;
}

static int run_policy(struct app *app, int argc, char **argv)
{
    static const char *const words[] = {"propose", "check"};
    bool check = strcmp(argv[0], "check") == 0;
    if (!check && strcmp(argv[0], "propose") != 0) {
        const char *near = nearest_name(slice_of(argv[0]), words, WEIR_COUNT(words));
        app_complain(app, "unknown word '%.80s' after 'policy'%s%s%s", argv[0], near ? ", the nearest is '" : ": propose or check", near ? near : "",
                     near ? "'" : "");
        return APP_USAGE;
    }
    if (check && !app->config->policy_rules) {
        app_complain(app, "no policy is configured: 'weir policy propose PATH...' writes one to start from");
        return APP_USAGE;
    }
    if (app->config->format == FORMAT_OCSF && check) {
        app_complain(app, "option '--format': 'policy check' knows table, json, ndjson and csv");
        return APP_USAGE;
    }
    if (app->flag[PARAM_format] && app->config->format != FORMAT_TABLE && !check) {
        app_complain(app, "option '--format': 'policy propose' writes YAML for the configuration file, and nothing else");
        return APP_USAGE;
    }
    struct fault fault = {WEIR_OK, ""};
    struct object_list *list = NULL;
    enum weir_err err = list_objects(argc - 1, argv + 1, &list, &fault);
    int code = err ? app_fail(app, &fault) : run_on(app, check, list);
    object_list_free(list);
    return code;
}

const struct command command_policy = {
    .name = "policy",
    .summary = "write the observed connections as a policy, or check logs against the one configured",
    .operands = "propose PATH... | check PATH...",
    .help = "propose  write roles and rules that allow what these logs show and nothing else, as YAML for the configuration file:\n"
            "         the roles that are configured, a role for each other subnet of ours, and rules for who calls whom on\n"
            "         which ports, with the bytes, records and days of each as comments\n"
            "check    print the connections in these logs that the configured policy does not allow\n"
            "PATH is as for 'weir batch'. The store is neither read nor written. Exit code: 0 done, whatever was found, 4 done but\n"
            "some input was rejected, 2 usage, 1 failed.",
    .common = COMMON_OUTPUT | COMMON_INPUT | COMMON_RUN,
    .operands_min = 2,
    .operands_max = SIZE_MAX,
    .run = run_policy,
};
