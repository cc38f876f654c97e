/* SPDX-License-Identifier: Apache-2.0 */
/* config_sinks.c - sinks and suppressions: their fields and what makes one whole. A suppression without an owner, a reason, an end
 * and an amount is none: who reads it in six years must see who approved what. */
#include "app/config.h"

#include <string.h>

#include "weir/score.h"
#include "weir/sink_channel.h"

#define TEXT_MAX 500
#define PATH_TEXT_MAX 4000
#define NAME_MAX_BYTES 64

/* ---- what fits ---- */
static bool is_word(struct slice s) { return s.n <= NAME_MAX_BYTES && entry_name_fits(s); }
static bool is_path(struct slice s) { return s.n && s.n <= PATH_TEXT_MAX && config_is_plain_text(s); }
static bool is_text(struct slice s) { return s.n && s.n <= TEXT_MAX && config_is_plain_text(s); }

static bool is_url(struct slice s)
{
    return s.n <= PATH_TEXT_MAX && config_is_plain_text(s) && s.n > 3 && memmem(s.p, s.n, "://", 3) && !memchr(s.p, ' ', s.n);
}

static bool is_network(struct slice s)
{
    struct ip first, last;
    return cidr_parse(s, &first, &last) == WEIR_OK;
}

static bool is_hosts(struct slice s) { return is_network(s) || entry_name_fits(s); }

static bool is_day(struct slice s)
{
    int64_t at_s;
    return day_parse(s, &at_s) == WEIR_OK;
}

static bool is_test(struct slice s)
{
    for (enum score_test t = 0; t < SCORE_TEST_COUNT; t++)
        if (slice_eq(s, slice_of(score_test_word(t)))) return true;
    return false;
}

static const char *const types[] = {"file", "stdout", "syslog", "webhook"};

static bool is_type(struct slice s)
{
    for (size_t i = 0; i < WEIR_COUNT(types); i++)
        if (slice_eq(s, slice_of(types[i]))) return true;
    return false;
}

#define WANT_WORD "a name of letters, digits, '-', '_' and '.' that begins with a letter, at most 64 bytes, and is not any, ours, internet or other"
#define WANT_PATH "a path"
#define WANT_TEXT "text of 1 to 500 bytes"

static const struct entry_field sink_fields[] = {
    {"name", ENTRY_TEXT, offsetof(struct config_entry, name), is_word, WANT_WORD, "what the log and the metrics call it; what it has got so far is kept under this name"},
    {"type", ENTRY_TEXT, offsetof(struct config_sink, type), is_type, "file, stdout, syslog or webhook", "`file`, `stdout`, `syslog` or `webhook`"},
    {"path", ENTRY_TEXT, offsetof(struct config_sink, path), is_path, WANT_PATH, "of a file: where it is"},
    {"rotate", ENTRY_BYTES, offsetof(struct config_sink, rotate), NULL, "bytes, as 100MiB", "of a file: its size when a new one is begun; default 100MiB"},
    {"url", ENTRY_TEXT, offsetof(struct config_sink, url), is_url, "a URL, as https://hooks.example.org/weir",
     "of syslog: `tls://HOST:PORT`, or `tcp://` on this machine; of a webhook: `https://`, or `http://` on this machine"},
    {"secret_file", ENTRY_TEXT, offsetof(struct config_sink, secret_file), is_path, WANT_PATH,
     "of a webhook: the file with the key of the signature; a name without `/` is looked for in `$CREDENTIALS_DIRECTORY`"},
    {"ca_file", ENTRY_TEXT, offsetof(struct config_sink, ca_file), is_path, WANT_PATH, "authorities that the receiver's certificate may come from, PEM; default those of the system"},
    {"cert_file", ENTRY_TEXT, offsetof(struct config_sink, cert_file), is_path, WANT_PATH, "our certificate, PEM, for receivers that ask for one. Needs `key_file`"},
    {"key_file", ENTRY_TEXT, offsetof(struct config_sink, key_file), is_path, WANT_PATH, "its key"},
    {"max_message", ENTRY_BYTES, offsetof(struct config_sink, max_message), NULL, "bytes, as 8KiB",
     "of syslog: what the receiver takes in one message; a longer finding is sent as a summary; from 2KiB to 16MiB, default 8KiB"},
    {"suppressed", ENTRY_FLAG, offsetof(struct config_sink, suppressed), NULL, "true or false", "suppressed findings go there too, with `status_id` 3; default false"},
};

static const struct entry_field suppression_fields[] = {
    {"name", ENTRY_TEXT, offsetof(struct config_entry, name), is_word, WANT_WORD, "what findings call it"},
    {"owner", ENTRY_TEXT, offsetof(struct config_suppression, owner), is_text, WANT_TEXT, "who approved it and answers for it"},
    {"reason", ENTRY_TEXT, offsetof(struct config_suppression, reason), is_text, WANT_TEXT, "why, for who reads it in six years"},
    {"expires", ENTRY_TEXT, offsetof(struct config_suppression, expires), is_day, "a day, as \"2026-12-31\"", "the last day for which it holds, in quotes"},
    {"up_to", ENTRY_BYTES, offsetof(struct config_suppression, up_to), NULL, "bytes, as 60GB", "what one host may send so in a day; a finding that claims more is not hidden"},
    {"hosts", ENTRY_LIST, offsetof(struct config_suppression, hosts), is_hosts, "a role, an address or a network", "roles, addresses or networks that send; default any"},
    {"peers", ENTRY_LIST, offsetof(struct config_suppression, peers), is_network, "an address or a network",
     "addresses or networks that receive; a finding that has bytes for any other is not hidden; default any"},
    {"tests", ENTRY_LIST, offsetof(struct config_suppression, tests), is_test, "a test, as new-destination",
     "tests and rules that may have raised it; a finding that any other has raised too is not hidden; default any"},
};

const struct entry_kind entry_kind_sink = {"sink", false, sizeof(struct config_sink), sink_fields, WEIR_COUNT(sink_fields)};
const struct entry_kind entry_kind_suppression = {"suppression", false, sizeof(struct config_suppression), suppression_fields, WEIR_COUNT(suppression_fields)};
_Static_assert(WEIR_COUNT(sink_fields) <= ENTRY_FIELDS_MAX && WEIR_COUNT(suppression_fields) <= ENTRY_FIELDS_MAX, "names offered");

/* ---- whole ones ---- */
/* What a type takes besides name, type and suppressed; those in capitals it needs. */
static const char *const takes[][8] = {
    {"PATH", "rotate"},
    {NULL},
    {"URL", "ca_file", "cert_file", "key_file", "max_message"},
    {"URL", "SECRET_FILE", "ca_file", "cert_file", "key_file"},
};

static bool same_word(const char *row, const char *key) { return slice_eq_nocase(slice_of(row), slice_of(key)); }

static bool taken(size_t type, const char *key)
{
    for (size_t i = 0; takes[type][i]; i++)
        if (same_word(takes[type][i], key)) return true;
    return strcmp(key, "name") == 0 || strcmp(key, "type") == 0 || strcmp(key, "suppressed") == 0;
}

static const char *needed(const struct config_entry *e, size_t type)
{
    for (size_t i = 0; takes[type][i]; i++)
        for (size_t k = 0; k < WEIR_COUNT(sink_fields); k++)
            if (same_word(takes[type][i], sink_fields[k].key) && takes[type][i][0] < 'a' && !(e->given >> k & 1)) return sink_fields[k].key;
    return NULL;
}

static enum weir_err check_values(const struct config_sink *s, size_t type, struct fault *fault)
{
    const char *name = s->entry.name;
    struct channel_url url;
    struct fault why = {WEIR_OK, ""};
    if (!s->cert_file != !s->key_file) return fault_set(fault, WEIR_USAGE, "sink '%s' needs both of 'cert_file' and 'key_file', or none", name);
    if (entry_has(&s->entry, &entry_kind_sink, "rotate") && s->rotate < 4096) return fault_set(fault, WEIR_USAGE, "sink '%s': 'rotate' must be at least 4KiB", name);
    if (entry_has(&s->entry, &entry_kind_sink, "max_message") && (s->max_message < 2048 || s->max_message > 16u << 20))
        return fault_set(fault, WEIR_USAGE, "sink '%s': 'max_message' must be from 2KiB to 16MiB", name);
    if (s->url && channel_url_parse((enum channel_kind)type, s->url, &url, &why)) return fault_set(fault, WEIR_USAGE, "sink '%s': 'url' %s", name, why.text);
    return WEIR_OK;
}

enum weir_err sink_entry_check(const struct config_entry *e, struct fault *fault)
{
    const struct config_sink *s = (const struct config_sink *)e;
    size_t type = 0;
    if (!s->type) return fault_set(fault, WEIR_USAGE, "sink '%s' needs a 'type': file, stdout, syslog or webhook", e->name);
    while (strcmp(types[type], s->type) != 0) type++;
    for (size_t k = 0; k < WEIR_COUNT(sink_fields); k++)
        if ((e->given >> k & 1) && !taken(type, sink_fields[k].key))
            return fault_set(fault, WEIR_USAGE, "sink '%s' is a %s: it takes no '%s'", e->name, s->type, sink_fields[k].key);
    const char *missing = needed(e, type);
    if (missing) return fault_set(fault, WEIR_USAGE, "sink '%s' is a %s: it needs '%s'", e->name, s->type, missing);
    return check_values(s, type, fault);
}

enum weir_err suppression_entry_check(const struct config_entry *e, struct fault *fault)
{
    static const char *const must[] = {"owner", "reason", "expires", "up_to"};
    const struct config_suppression *s = (const struct config_suppression *)e;
    for (size_t i = 0; i < WEIR_COUNT(must); i++)
        if (!entry_has(e, &entry_kind_suppression, must[i])) return fault_set(fault, WEIR_USAGE, "suppression '%s' needs '%s'", e->name, must[i]);
    if (!s->hosts.n && !s->peers.n && !s->tests.n)
        return fault_set(fault, WEIR_USAGE, "suppression '%s' would hide everything: say which 'hosts', 'peers' or 'tests'", e->name);
    return WEIR_OK;
}
