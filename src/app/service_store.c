/* SPDX-License-Identifier: Apache-2.0 */
/* The store of a service comes and goes, and so does its configuration. Both end in the same place: a run that is opened anew goes on
 * from the last commit, and what was taken from the watch waits to be taken again. */
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "app/context.h"
#include "app/gaps.h"
#include "app/notify.h"
#include "app/open_store.h"
#include "app/service.h"
#include "app/terminal.h"

#define PAUSE_FIRST_NS INT64_C(100000000)
#define PAUSE_MAX_NS INT64_C(20000000000)

/* Half of the pause and up to half by chance: services that lost the same store do not come back in step. */
static void back_off(struct service *s)
{
    s->pause_ns = s->pause_ns ? 2 * s->pause_ns : PAUSE_FIRST_NS;
    s->pause_ns = s->pause_ns < PAUSE_MAX_NS ? s->pause_ns : PAUSE_MAX_NS;
    uint64_t chance = hash_u64x2((uint64_t)clock_monotonic_ns(), (uint64_t)s->metrics.store_failures);
    s->retry_ns = clock_monotonic_ns() + s->pause_ns / 2 + (int64_t)(chance % (uint64_t)(s->pause_ns / 2));
}

static bool passes(enum weir_err err) { return err == WEIR_UNAVAILABLE || err == WEIR_BUSY || err == WEIR_IO || err == WEIR_ROLLBACK; }

static void keep_counts(struct service *s)
{
    if (s->run)
        run_counts_add(&s->before, run_counted(s->run));
}

void service_detach(struct service *s)
{
    run_close(s->run);
    if (s->store)
        store_remember(s->app, s->store);
    store_close(s->store);
    s->run = NULL;
    s->store = NULL;
}

static enum weir_err away(struct service *s, enum weir_err err, struct fault *fault)
{
    if (!passes(err))
        return err;
    back_off(s);
    log_warn(s->app->log, "the store is away, trying again", LOG_TEXT("cause", slice_of(fault->text)), LOG_NUMBER("pause_ms", (uint64_t)s->pause_ns / 1000000));
    return WEIR_OK;
}

/* Objects are read behind walls where this machine has them, else by threads; the unit of systemd stands around both. */
static enum weir_err open_run(struct service *s, struct fault *fault)
{
    enum weir_err err = run_open(s->app, s->store, &s->run, fault);
    s->silence_done = 0;
    if (err || s->unwalled)
        return err;
    err = run_isolate(s->run, fault);
    if (err != WEIR_UNSUPPORTED)
        return err;
    log_warn(s->app->log, "objects are read without a sandbox", LOG_TEXT("cause", slice_of(fault->text)));
    s->unwalled = true;
    return WEIR_OK;
}

enum weir_err service_attach(struct service *s, struct fault *fault)
{
    if (s->run || s->now_ns < s->retry_ns)
        return WEIR_OK;
    struct store_position was;
    bool came = !s->store;
    enum weir_err err = s->store ? WEIR_OK : open_store(s->app, STORE_READ_WRITE, &s->store, fault);
    if (!err && came)
        s->metrics.store_rollbacks += !s->rolled_back && store_went_back(s->app, s->store, &was);
    if (!err)
        s->rolled_back = false;
    if (!err && !s->delivery)
        err = delivery_open(s->app, s->store, false, &s->delivery, fault);
    if (!err)
        err = open_run(s, fault);
    if (!err)
        err = silence_get(s->store, &s->silence_s, fault);
    if (err) {
        service_detach(s);
        return away(s, err, fault);
    }
    s->pause_ns = 0;
    store_remember(s->app, s->store);
    log_info(s->app->log, "store open", LOG_TEXT("backend", slice_of(store_backend(s->store))), LOG_NUMBER("commits", store_position(s->store).seq));
    return WEIR_OK;
}

enum weir_err service_lost(struct service *s, enum weir_err err, struct fault *fault)
{
    s->metrics.store_failures += passes(err);
    s->metrics.fenced += err == WEIR_BUSY;
    s->before = s->metrics.counts; /* as of the last commit: what this run has counted since is counted again */
    service_detach(s);
    s->catching_up = true;
    if (err == WEIR_ROLLBACK) { /* what its ledger lacks is counted again */
        s->metrics.store_rollbacks++;
        s->rolled_back = true;
        source_watch_forget(s->watch);
        delivery_close(s->delivery, NULL); /* its cursors are those of the store that was */
        s->delivery = NULL;
        log_error(s->app->log, "the store is older than it was: everything that lies in the directories is looked at again");
    }
    return away(s, err, fault);
}

enum weir_err service_tell_silence(struct service *s, struct fault *fault)
{
    int64_t newest_s = s->run ? run_watermark_s(s->run) : 0;
    enum weir_err err = WEIR_OK;
    if (newest_s && s->metrics.silent && !s->silence_s) {
        err = silence_tell(s->store, newest_s, fault);
        s->silence_s = err ? 0 : newest_s;
        s->silence_done = run_counted(s->run)->objects_done;
    } else if (newest_s && s->silence_s && run_counted(s->run)->objects_done > s->silence_done) {
        err = silence_end(s->store, s->silence_s, fault);
        s->silence_s = err ? s->silence_s : 0;
    }
    return err ? service_lost(s, err, fault) : WEIR_OK;
}

enum weir_err service_deliver(struct service *s, struct fault *fault)
{
    if (!s->delivery || !s->run)
        return WEIR_OK;
    enum weir_err err = delivery_turn(s->delivery, s->store, service_now_ms(s), fault);
    return err ? service_lost(s, err, fault) : WEIR_OK;
}

/* ---- SIGHUP ---- */

static void refuse(struct service *s, const char *why)
{
    s->metrics.reloads_refused++;
    log_error(s->app->log, "new configuration refused, the old one stays", LOG_TEXT("cause", slice_of(why)));
}

/* NULL: refused, and told. */
static const char *unfit(const struct config *old, const struct config *new, struct fault *fault)
{
    struct context *context = NULL;
    if (strcmp(old->store, new->store) != 0)
        return "'store' cannot change while the service runs";
    if (strcmp(old->serve_listen, new->serve_listen) != 0)
        return "'serve.listen' cannot change while the service runs";
    if (context_open(new, &context, fault))
        return fault->text;
    context_close(context);
    return NULL;
}

static void give_back(struct service *s, struct config *config, struct log *log, const char *why)
{
    config_free(s->app->config);
    log_free(s->app->log);
    s->app->config = config;
    s->app->log = log;
    refuse(s, why);
}

/* The run is closed before the new one is opened: the open windows exist once. */
static void take_over(struct service *s, struct config *config, struct log *log)
{
    struct config *old_config = s->app->config;
    struct log *old_log = s->app->log;
    struct delivery *delivery = NULL;
    struct fault fault = {WEIR_OK, ""};
    s->app->config = config;
    s->app->log = log;
    enum weir_err err = s->store ? delivery_open(s->app, s->store, false, &delivery, &fault) : WEIR_OK;
    if (err) {
        give_back(s, old_config, old_log, fault.text);
        return;
    }
    keep_counts(s);
    run_close(s->run);
    s->run = NULL;
    err = s->store ? open_run(s, &fault) : WEIR_OK;
    if (err && !passes(err)) { /* a file that changed since it was tried */
        run_close(s->run);
        s->run = NULL;
        delivery_close(delivery, NULL);
        give_back(s, old_config, old_log, fault.text);
        return;
    }
    delivery_close(s->delivery, s->store);
    s->delivery = delivery;
    if (err)
        service_detach(s);
    config_free(old_config);
    log_free(old_log);
    s->metrics.reloads++;
    log_info(s->app->log, "new configuration");
}

void service_reload(struct service *s)
{
    struct app next = *s->app;
    struct fault fault = {WEIR_OK, ""};
    next.config = NULL;
    next.log = NULL;
    notify_reloading(s->app->env);
    if (app_load_config(&next)) {
        refuse(s, "see the line above");
    } else {
        const char *why = unfit(s->app->config, next.config, &fault);
        if (!why) {
            take_over(s, next.config, next.log);
        } else {
            refuse(s, why);
            log_free(next.log);
            config_free(next.config);
        }
    }
    notify(s->app->env, "READY=1");
}
