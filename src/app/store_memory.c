/* SPDX-License-Identifier: Apache-2.0 */
/* How far a shared store was when this machine last wrote to it. A server that was flushed or restored while no weir ran looks like any
 * other store: only a memory outside of it can tell. One small file a store, beside where the embedded store would be. */
#include "app/open_store.h"
#include "app/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEME "sqlite:"
#define TEXT_MAX 64
#define KIND "store-rollback"
#define ROLLBACK_SEVERITY 4 /* high: an emptied baseline sees nothing */

/* DIR/store-HASH: a url in a file name would not do. False: nothing tells where state lives, or the store tells its age itself. */
static bool path_of(const struct app *app, const struct store *s, char out[PATH_MAX])
{
    const char *place = app->config->default_store, *url = app->config->store, *slash = strrchr(place, '/');
    struct sha256 digest;
    char name[17];
    if (strcmp(store_backend(s), "redis") != 0 || strncmp(place, SCHEME, sizeof SCHEME - 1) != 0 || !slash)
        return false;
    sha256_of(url, strlen(url), &digest);
    hex_encode(digest.b, 8, name);
    place += sizeof SCHEME - 1;
    return snprintf(out, PATH_MAX, "%.*s/store-%s", (int)(slash - place), place, name) < PATH_MAX;
}

static bool read_position(const char *path, struct store_position *out)
{
    char text[TEXT_MAX];
    FILE *in = fopen(path, "re");
    size_t n = in ? fread(text, 1, sizeof text, in) : 0;
    if (in)
        fclose(in);
    const char *blank = n ? memchr(text, ' ', n) : NULL;
    size_t epoch = blank ? (size_t)(blank - text) : 0;
    return epoch && text[n - 1] == '\n' && parse_u64((struct slice){text, epoch}, UINT64_MAX, &out->epoch) == WEIR_OK &&
           parse_u64((struct slice){blank + 1, n - epoch - 2}, UINT64_MAX, &out->seq) == WEIR_OK;
}

bool store_went_back(const struct app *app, const struct store *s, struct store_position *was)
{
    char path[PATH_MAX];
    struct store_position is = store_position(s);
    return path_of(app, s, path) && read_position(path, was) && (was->epoch != is.epoch || was->seq > is.seq);
}

/* The same loss has the same id, whoever notices it and however often. */
void store_rollback_uid(const struct store_position *was, const struct store *s, char out[FINDING_UID_MAX])
{
    char key[64];
    snprintf(key, sizeof key, "%llu %llu %llu", (unsigned long long)was->epoch, (unsigned long long)was->seq, (unsigned long long)store_position(s).epoch);
    finding_notice_uid(KIND, slice_of(key), out);
}

static enum weir_err rollback_notice(const struct store_position *was, const struct store_position *is, const char *uid, struct buffer *json)
{
    struct buffer sentence;
    const struct finding_fact facts[] = {{"commits_before", was->seq}, {"commits_found", is->seq}, {"replaced", was->epoch != is->epoch}};
    buffer_init(&sentence, 1024);
    buffer_printf(&sentence, "the store went back in time: it was at commit %llu, and is %sat commit %llu", (unsigned long long)was->seq,
                  was->epoch != is->epoch ? "another store now, " : "", (unsigned long long)is->seq);
    const struct finding_notice n = {
        .uid = uid, .kind = KIND, .title = "The store went back in time", .about = "store",
        .advice = "Baselines, marks and findings since then are lost. Feed again the logs that its ledger lacks, and find out who flushed, restored or replaced it.",
        .sentence = {sentence.p, sentence.n},
        .severity = ROLLBACK_SEVERITY, .time_s = clock_now_ns() / 1000000000, .fact = facts, .facts = WEIR_COUNT(facts),
    };
    enum weir_err err = sentence.err ? sentence.err : finding_notice_encode(&n, json);
    buffer_fini(&sentence);
    return err;
}

enum weir_err store_file_rollback(struct store *s, const struct store_position *was, struct fault *fault)
{
    struct store_position is = store_position(s);
    struct buffer json;
    char uid[FINDING_UID_MAX];
    buffer_init(&json, STORE_VALUE_MAX);
    store_rollback_uid(was, s, uid);
    enum weir_err err = rollback_notice(was, &is, uid, &json);
    const char *id = uid + sizeof "wf1-" - 1;
    if (err)
        fault_set(fault, err, "cannot file a finding: %s", weir_err_text(err));
    else if (!store_has(s, 'q', id) && !(err = store_begin(s, fault))) {
        err = store_put_finding(s, id, (struct slice){json.p, json.n}, fault);
        if (err)
            store_abort(s);
        else
            err = store_commit(s, fault);
    }
    buffer_fini(&json);
    return err;
}

void state_folders(char *path)
{
    for (char *p = path + 1; *path == '/' && *p; p++)
        if (*p == '/') {
            *p = '\0';
            (void)mkdir(path, 0700);
            *p = '/';
        }
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t n = strlen(text);
    if (fd < 0)
        return false;
    bool ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

void store_remember(const struct app *app, const struct store *s)
{
    char path[PATH_MAX], made[PATH_MAX + 8], text[TEXT_MAX];
    struct store_position is = store_position(s);
    if (!path_of(app, s, path))
        return;
    state_folders(path);
    snprintf(made, sizeof made, "%s.tmp", path);
    snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)is.epoch, (unsigned long long)is.seq);
    if (write_file(made, text) && rename(made, path) == 0)
        return;
    log_warn(app->log, "cannot remember how far the store is: if it goes back in time, the next run will not notice", LOG_TEXT("cause", slice_of(strerror(errno))));
    (void)unlink(made);
}
