/* See aws_keys.h. Sources: "AWS SDKs and Tools Reference Guide" (standardized credential providers, shared config files), "Use IMDS"
 * (EC2 User Guide). Keys in shared files are read again now and then, since tools put new ones there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/aws_keys.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "source/internal.h"

#define EARLY_S 600       /* asked anew so long before they expire */
#define FILE_S 600        /* read anew after so long */
#define AGAIN_S 30        /* a renewal that failed is tried again, while the old ones hold */
#define FILE_MAX (1 << 20)
#define ANSWER_S 5        /* of an endpoint on this machine */
#define TRIES 3

enum name { ID, SECRET, TOKEN, REGION, DEFAULT_REGION, PROFILE, FILE_CREDENTIALS, FILE_CONFIG, HOME, RELATIVE, FULL, AUTHORIZATION, AUTHORIZATION_FILE, NO_IMDS,
            IMDS, NAMES };
static const char *const variable[NAMES] = {
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE", "HOME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
};

struct aws_keys {
    pthread_mutex_t lock;
    char *value[NAMES]; /* NULL: not set, or empty */
    char region[64];
    struct aws_key *key; /* on a page of its own */
    int64_t next_s;      /* when to ask again; 0: there is none yet */
};

/* ---- open, close ---- */

static char *value_of(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
            return (*env)[n + 1] ? strdup(*env + n + 1) : NULL;
    return NULL;
}

/* A secret that is handed on is wiped by who got it. */
static bool own_page(struct aws_keys *k)
{
    void *page = mmap(NULL, sizeof *k->key, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    (void)madvise(page, sizeof *k->key, MADV_WIPEONFORK);
    (void)madvise(page, sizeof *k->key, MADV_DONTDUMP);
    k->key = page;
    return true;
}

static void find_region(struct aws_keys *k);

struct aws_keys *aws_keys_new(char *const *env)
{
    struct aws_keys *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    pthread_mutex_init(&k->lock, NULL);
    for (size_t i = 0; i < NAMES; i++)
        k->value[i] = value_of(env, variable[i]);
    if (!own_page(k)) {
        aws_keys_free(k);
        return NULL;
    }
    find_region(k);
    return k;
}

void aws_keys_free(struct aws_keys *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < NAMES; i++) {
        if (k->value[i])
            explicit_bzero(k->value[i], strlen(k->value[i]));
        free(k->value[i]);
    }
    if (k->key) {
        explicit_bzero(k->key, sizeof *k->key);
        munmap(k->key, sizeof *k->key);
    }
    pthread_mutex_destroy(&k->lock);
    free(k);
}

const char *aws_keys_region(const struct aws_keys *k) { return k->region; }

/* Anything but visible ASCII would be a header of its own. */
static bool take(char *out, size_t cap, struct slice s)
{
    bool fits = s.n > 0 && s.n < cap;
    for (size_t i = 0; fits && i < s.n; i++)
        fits = s.p[i] > ' ' && s.p[i] < 0x7f;
    memcpy(out, s.p ? s.p : "", fits ? s.n : 0);
    out[fits ? s.n : 0] = 0;
    return fits;
}

/* ---- shared files ---- */

static bool read_file(const char *path, struct buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t n = 1;
    while (fd >= 0 && n > 0) {
        char *room = buffer_reserve(out, 4096);
        n = room ? read(fd, room, 4096) : -1;
        out->n += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0 && n == 0;
}

static struct slice trim(struct slice s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ')
        s.n--;
    return s;
}

static bool cut_line(struct slice *rest, struct slice *line)
{
    if (!rest->n)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    line->p = rest->p;
    line->n = end ? (size_t)(end - rest->p) : rest->n;
    size_t used = line->n + (end != NULL);
    rest->p += used;
    rest->n -= used;
    *line = trim(*line);
    return true;
}

/* The last value of that name in [section]; empty if there is none. */
static struct slice setting(struct slice text, const char *section, const char *name)
{
    struct slice line, found = {NULL, 0}, wanted = slice_of(section), key = slice_of(name);
    bool inside = false;
    while (cut_line(&text, &line)) {
        const char *equals = line.n ? memchr(line.p, '=', line.n) : NULL;
        if (line.n > 1 && line.p[0] == '[' && line.p[line.n - 1] == ']')
            inside = slice_eq(trim((struct slice){line.p + 1, line.n - 2}), wanted);
        else if (inside && equals && line.p[0] != '#' && slice_eq(trim((struct slice){line.p, (size_t)(equals - line.p)}), key))
            found = trim((struct slice){equals + 1, line.n - (size_t)(equals - line.p) - 1});
    }
    return found;
}

static bool open_shared(const struct aws_keys *k, enum name file, struct buffer *text, char section[256])
{
    const char *profile = k->value[PROFILE] ? k->value[PROFILE] : "default";
    struct buffer path;
    buffer_init(&path, 8192);
    if (k->value[file])
        buffer_puts(&path, k->value[file]);
    else if (k->value[HOME])
        buffer_printf(&path, "%s/.aws/%s", k->value[HOME], file == FILE_CONFIG ? "config" : "credentials");
    bool ok = !path.err && path.n && strlen(profile) < 200 && read_file(buffer_cstr(&path), text);
    struct buffer name;
    buffer_init(&name, 255); /* and its NUL */
    buffer_printf(&name, "%s%s", file == FILE_CONFIG && strcmp(profile, "default") != 0 ? "profile " : "", profile);
    memcpy(section, buffer_cstr(&name), name.n + 1);
    buffer_fini(&name);
    buffer_fini(&path);
    return ok;
}

static void forget_text(struct buffer *text)
{
    if (text->p)
        explicit_bzero(text->p, text->n);
    buffer_fini(text);
}

static bool from_shared(const struct aws_keys *k, enum name file, struct aws_key *out)
{
    char section[256];
    struct buffer b;
    buffer_init(&b, FILE_MAX);
    bool ok = open_shared(k, file, &b, section);
    struct slice text = {b.p, b.n};
    ok = ok && take(out->id, sizeof out->id, setting(text, section, "aws_access_key_id")) &&
         take(out->secret, sizeof out->secret, setting(text, section, "aws_secret_access_key"));
    if (ok)
        (void)take(out->token, sizeof out->token, setting(text, section, "aws_session_token"));
    forget_text(&b);
    return ok;
}

static void find_region(struct aws_keys *k)
{
    char section[256];
    struct buffer b;
    const char *told = k->value[REGION] ? k->value[REGION] : k->value[DEFAULT_REGION];
    if (told) {
        (void)take(k->region, sizeof k->region, slice_of(told));
        return;
    }
    buffer_init(&b, FILE_MAX);
    if (open_shared(k, FILE_CONFIG, &b, section))
        (void)take(k->region, sizeof k->region, setting((struct slice){b.p, b.n}, section, "region"));
    forget_text(&b);
}

/* ---- endpoints ---- */

static enum weir_err ask(struct web *w, const char *method, const char *url, const char *header, struct web_answer *a, struct fault *fault)
{
    const struct web_request r = {.method = method, .url = url, .header = {header}, .patience_s = ANSWER_S, .stopped = source_stopped,
                                  .reach = strncmp(url, "https:", 6) == 0 ? WEB_OPEN : WEB_METADATA};
    enum weir_err err = WEIR_UNAVAILABLE;
    for (unsigned i = 0; i < TRIES && err == WEIR_UNAVAILABLE; i++) {
        err = web_ask(w, &r, a, fault);
        if (!err && a->status >= 500)
            err = fault_set(fault, WEIR_UNAVAILABLE, "'%.200s': status %u", url, a->status);
    }
    return !err && a->status != 200 ? fault_set(fault, WEIR_UNAVAILABLE, "'%.200s': status %u", url, a->status) : err;
}

static bool take_member(const json_t *o, const char *name, char *out, size_t cap)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text && take(out, cap, slice_of(text));
}

static enum weir_err take_json(const struct web_answer *a, struct aws_key *out, struct fault *fault)
{
    json_t *o = json_loadb(a->text.p ? a->text.p : "", a->text.n, 0, NULL);
    const char *expires = json_string_value(json_object_get(o, "Expiration"));
    bool ok = take_member(o, "AccessKeyId", out->id, sizeof out->id) && take_member(o, "SecretAccessKey", out->secret, sizeof out->secret) &&
              take_member(o, "Token", out->token, sizeof out->token) && expires && time_parse(slice_of(expires), &out->expires_s) == WEIR_OK;
    json_decref(o);
    return ok ? WEIR_OK : fault_set(fault, WEIR_UNAVAILABLE, "what gives out credentials answered something else");
}

static enum weir_err put_authorization(const struct aws_keys *k, struct buffer *header, struct fault *fault)
{
    struct buffer token;
    buffer_init(&token, AWS_TOKEN_MAX);
    bool ok = true;
    if (k->value[AUTHORIZATION_FILE])
        ok = read_file(k->value[AUTHORIZATION_FILE], &token);
    else if (k->value[AUTHORIZATION])
        buffer_puts(&token, k->value[AUTHORIZATION]);
    char value[AWS_TOKEN_MAX];
    struct slice s = trim((struct slice){token.p, token.n});
    if (s.n && take(value, sizeof value, s))
        buffer_printf(header, "Authorization: %s", value);
    forget_text(&token);
    explicit_bzero(value, sizeof value);
    return ok ? WEIR_OK : fault_set(fault, WEIR_USAGE, "cannot read '%.200s' (%s)", k->value[AUTHORIZATION_FILE], variable[AUTHORIZATION_FILE]);
}

static enum weir_err from_container(const struct aws_keys *k, struct web *w, struct aws_key *out, struct fault *fault)
{
    struct buffer url, header;
    struct web_answer a;
    web_answer_init(&a);
    buffer_init(&url, 4096);
    buffer_init(&header, 2 * AWS_TOKEN_MAX);
    if (k->value[FULL])
        buffer_puts(&url, k->value[FULL]);
    else
        buffer_printf(&url, "http://169.254.170.2%s", k->value[RELATIVE]);
    enum weir_err err = put_authorization(k, &header, fault);
    if (!err)
        err = ask(w, "GET", buffer_cstr(&url), header.n ? buffer_cstr(&header) : NULL, &a, fault);
    if (!err)
        err = take_json(&a, out, fault);
    forget_text(&header);
    forget_text(&a.text);
    buffer_fini(&url);
    return err;
}

static enum weir_err from_instance(const struct aws_keys *k, struct web *w, struct aws_key *out, struct fault *fault)
{
    const char *base = k->value[IMDS] ? k->value[IMDS] : "http://169.254.169.254";
    struct buffer url, header;
    struct web_answer a;
    char word[AWS_TOKEN_MAX];
    web_answer_init(&a);
    buffer_init(&url, 4096);
    buffer_init(&header, 2 * AWS_TOKEN_MAX);
    buffer_printf(&url, "%s/latest/api/token", base);
    enum weir_err err = ask(w, "PUT", buffer_cstr(&url), "X-aws-ec2-metadata-token-ttl-seconds: 21600", &a, fault);
    if (!err && take(word, sizeof word, trim((struct slice){a.text.p, a.text.n})))
        buffer_printf(&header, "X-aws-ec2-metadata-token: %s", word);
    buffer_clear(&url);
    buffer_printf(&url, "%s/latest/meta-data/iam/security-credentials/", base);
    if (!err)
        err = ask(w, "GET", buffer_cstr(&url), buffer_cstr(&header), &a, fault);
    if (!err && !take(word, sizeof word, trim((struct slice){a.text.p, a.text.n})))
        err = fault_set(fault, WEIR_UNAVAILABLE, "the instance has no role");
    buffer_puts(&url, err ? "" : word);
    if (!err)
        err = ask(w, "GET", buffer_cstr(&url), buffer_cstr(&header), &a, fault);
    if (!err)
        err = take_json(&a, out, fault);
    explicit_bzero(word, sizeof word);
    forget_text(&header);
    forget_text(&a.text);
    buffer_fini(&url);
    return err;
}

/* ---- in their order ---- */

static enum weir_err find(const struct aws_keys *k, struct web *w, struct aws_key *out, struct fault *fault)
{
    struct fault why = {WEIR_OK, ""};
    *out = (struct aws_key){.expires_s = INT64_MAX};
    if (k->value[ID] && k->value[SECRET]) {
        bool ok = take(out->id, sizeof out->id, slice_of(k->value[ID])) && take(out->secret, sizeof out->secret, slice_of(k->value[SECRET]));
        ok = ok && (!k->value[TOKEN] || take(out->token, sizeof out->token, slice_of(k->value[TOKEN])));
        return ok ? WEIR_OK : fault_set(fault, WEIR_USAGE, "the AWS credentials in the environment are too long, or hold blanks");
    }
    if (from_shared(k, FILE_CREDENTIALS, out) || from_shared(k, FILE_CONFIG, out))
        return WEIR_OK;
    if (k->value[RELATIVE] || k->value[FULL])
        return from_container(k, w, out, fault);
    bool may = !k->value[NO_IMDS] || !slice_eq_nocase(slice_of(k->value[NO_IMDS]), SLICE_LIT("true"));
    if (may && from_instance(k, w, out, &why) == WEIR_OK)
        return WEIR_OK;
    if (why.err == WEIR_INTERRUPTED)
        return WEIR_INTERRUPTED;
    return fault_set(fault, WEIR_USAGE, "no AWS credentials: not in %s and %s, not in the shared files (profile '%.60s'), no container's, and %s",
                     variable[ID], variable[SECRET], k->value[PROFILE] ? k->value[PROFILE] : "default", may ? "no instance role answers" : "instance roles are turned off");
}

static enum weir_err renew(struct aws_keys *k, struct web *w, int64_t now_s, struct fault *fault)
{
    struct aws_key fresh;
    enum weir_err err = find(k, w, &fresh, fault);
    if (!err) {
        *k->key = fresh;
        bool in_file = !(k->value[ID] && k->value[SECRET]) && fresh.expires_s == INT64_MAX;
        k->next_s = in_file ? now_s + FILE_S : fresh.expires_s == INT64_MAX ? INT64_MAX : fresh.expires_s - EARLY_S;
        if (k->next_s <= now_s) /* given out for less than that: once each while */
            k->next_s = now_s + AGAIN_S;
    } else if (k->next_s && now_s < k->key->expires_s) {
        k->next_s = now_s + AGAIN_S;
        err = WEIR_OK;
    } else if (k->next_s && err == WEIR_USAGE) { /* there were some, so whoever gave them out is away */
        err = fault->err = WEIR_UNAVAILABLE;
    }
    explicit_bzero(&fresh, sizeof fresh);
    return err;
}

enum weir_err aws_keys_get(struct aws_keys *k, struct web *w, bool refused, struct aws_key *out, struct fault *fault)
{
    int64_t now_s = (int64_t)time(NULL);
    pthread_mutex_lock(&k->lock);
    enum weir_err err = refused || now_s >= k->next_s ? renew(k, w, now_s, fault) : WEIR_OK;
    if (!err)
        *out = *k->key;
    pthread_mutex_unlock(&k->lock);
    return err;
}
