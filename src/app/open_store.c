/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a Redis store: as configured, and the password else from the credentials that systemd hands a service. */
#include "app/open_store.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CREDENTIAL "redis-password"

struct files {
    struct store_options options;
    char credential[PATH_MAX];
};

static const char *variable(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
            return *env + n + 1;
    return "";
}

static void find_files(const struct app *app, struct files *f)
{
    const struct config *c = app->config;
    const char *credentials = variable(app->env, "CREDENTIALS_DIRECTORY");
    f->options = (struct store_options){c->redis_password_file, c->redis_ca_file, c->redis_cert_file, c->redis_key_file};
    snprintf(f->credential, sizeof f->credential, "%.4000s/%s", credentials, CREDENTIAL);
    if (!*c->redis_password_file && credentials[0] == '/' && access(f->credential, F_OK) == 0)
        f->options.password_file = f->credential;
}

static const char *url_of(const struct app *app)
{
    return *app->config->store ? app->config->store : app->config->default_store;
}

enum weir_err open_store(const struct app *app, enum store_mode mode, struct store **out, struct fault *fault)
{
    struct files f;
    struct store_position was;
    find_files(app, &f);
    enum weir_err err = store_open_with(url_of(app), mode, &f.options, out, fault);
    if (err || mode != STORE_READ_WRITE || !store_went_back(app, *out, &was))
        return err;
    log_error(app->log, "the store went back in time since the last run: it was flushed, replaced or restored; feed again the logs that its ledger lacks",
              LOG_NUMBER("commits", store_position(*out).seq), LOG_NUMBER("commits_before", was.seq));
    err = store_file_rollback(*out, &was, fault);
    if (err) {
        store_close(*out);
        *out = NULL;
    }
    return err;
}

enum weir_err survey_store(const struct app *app, store_survey_each *each, void *ctx, struct fault *fault)
{
    struct files f;
    find_files(app, &f);
    return store_survey(url_of(app), &f.options, each, ctx, fault);
}
