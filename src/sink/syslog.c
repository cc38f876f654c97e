/* Findings as syslog messages: RFC 5424, facility 13 (log audit), framed by octet counting (RFC 5425, RFC 6587 3.4.1).
 *
 * Syslog has no answer, so each burst is a connection of its own, and a burst counts as received when the other end, having read all of
 * it, has ended too (wire.c). Rejected: one connection kept open. What a write has given to a connection that died since is lost, and
 * nobody is told.
 * The message is the finding as JSON. Receivers cut what is too long for them (rsyslog at 8 KiB unless told otherwise), and half a
 * JSON text is none: a longer finding is sent as its summary, which names the command that shows the whole.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/channel_private.h"
#include "sink/sink_private.h"

#define FACILITY_LOG_AUDIT 13
#define SEQUENCE_MAX 2147483647u /* RFC 5424 7.3.1: then it begins with 1 again */
#define SUMMARY_PEERS 5
#define HOST_NAME_MAX_BYTES 255

struct syslog {
    const struct channel_place *place;
    struct channel_url url;
    struct wire_keys *keys;
    char hostname[HOST_NAME_MAX_BYTES + 1];
    struct buffer frame;
};

/* ---- the message ---- */
/* OCSF 1 to 5 (informational .. critical) as syslog's 6 to 2. */
static unsigned priority_of(unsigned severity) { return FACILITY_LOG_AUDIT * 8 + 7 - (severity < 1 ? 1 : severity > 5 ? 5 : severity); }

static const char *activity_word(unsigned activity)
{
    static const char *const words[] = {"finding", "finding-create", "finding-update", "finding-close"};
    return words[activity < WEIR_COUNT(words) ? activity : 0];
}

static void take(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value) json_object_set(to, key, value);
}

/* A peer without its places. */
static json_t *short_peer(const json_t *evidence)
{
    json_t *out = json_copy((json_t *)(uintptr_t)evidence), *data = json_copy(json_object_get(evidence, "data"));
    json_object_del(data, "objects");
    json_object_set_new(out, "data", data);
    return out;
}

static json_t *short_peers(const json_t *finding)
{
    json_t *out = json_array();
    for (size_t i = 0; i < view_count(finding, "evidences") && i < SUMMARY_PEERS; i++) json_array_append_new(out, short_peer(view_item(finding, "evidences", i)));
    return out;
}

/* What a person must know, and the command for the rest. bare: without what input may make long. */
static void put_summary(const json_t *finding, const char *uid, bool bare, struct buffer *out)
{
    static const char *const keys[] = {"class_uid", "category_uid", "activity_id", "type_uid", "time", "start_time", "end_time",
                                       "severity_id", "status_id", "confidence_id", "is_alert", "metadata"};
    static const char *const longer[] = {"message", "comment", "cloud", "finding_info", "resources"};
    json_t *sum = json_object();
    for (size_t i = 0; i < WEIR_COUNT(keys); i++) take(sum, finding, keys[i]);
    for (size_t i = 0; !bare && i < WEIR_COUNT(longer); i++) take(sum, finding, longer[i]);
    if (bare) json_object_set_new(sum, "finding_info", json_pack("{ss}", "uid", uid));
    else json_object_set_new(sum, "evidences", short_peers(finding));
    json_object_set_new(sum, "unmapped", json_pack("{s{ss+}}", "weir", "whole", "weir explain ", uid));
    char *text = json_dumps(sum, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text) buffer_puts(out, text);
    else out->err = WEIR_NOMEM;
    free(text);
    json_decref(sum);
}

static void put_text(const struct parcel *p, size_t room, struct buffer *out)
{
    size_t begin = out->n;
    if (p->json.n <= room) {
        buffer_slice(out, p->json);
        return;
    }
    json_t *finding = view_load(p->json, NULL);
    put_summary(finding, p->uid, !finding, out);
    if (finding && out->n - begin > room) {
        out->n = begin;
        put_summary(finding, p->uid, true, out);
    }
    json_decref(finding);
}

void syslog_frame(const struct parcel *p, const char *hostname, uint64_t message_bytes, struct buffer *out)
{
    struct buffer message;
    char when[TIME_TEXT_MAX];
    time_format(p->time_s, when);
    buffer_init(&message, (size_t)message_bytes + p->json.n + 4096);
    buffer_printf(&message, "<%u>1 %s %s weir - %s [meta sequenceId=\"%llu\"][origin software=\"weir\" swVersion=\"%s\"] ", priority_of(p->severity), when,
                  *hostname ? hostname : "-", activity_word(p->activity), (unsigned long long)((p->seq - 1) % SEQUENCE_MAX + 1), FINDING_PRODUCT_VERSION);
    put_text(p, message_bytes > message.n ? (size_t)message_bytes - message.n : 0, &message);
    buffer_printf(out, "%zu ", message.n);
    buffer_put(out, message.p, message.n);
    if (message.err) out->err = message.err;
    buffer_fini(&message);
}

/* ---- the channel ---- */
/* The name of this machine as RFC 5424 takes it: printable ASCII without blanks. */
static void take_hostname(char out[HOST_NAME_MAX_BYTES + 1])
{
    if (gethostname(out, HOST_NAME_MAX_BYTES) != 0) out[0] = 0;
    out[HOST_NAME_MAX_BYTES] = 0;
    for (char *p = out; *p; p++)
        if (*p <= ' ' || *p >= 0x7f) *p = '_';
}

static void close_syslog(void *state)
{
    struct syslog *s = state;
    wire_keys_free(s->keys);
    buffer_fini(&s->frame);
    free(s);
}

static enum weir_err open_syslog(const struct channel_place *place, void **state, struct fault *fault)
{
    struct syslog *s = calloc(1, sizeof *s);
    if (!s) return fault_set(fault, WEIR_NOMEM, "out of memory");
    s->place = place;
    buffer_init(&s->frame, SIZE_MAX / 2);
    take_hostname(s->hostname);
    struct fault why = {WEIR_OK, ""};
    enum weir_err err = channel_url_parse(CHANNEL_SYSLOG, place->url, &s->url, &why);
    if (err) fault_set(fault, err, "'url' %s", why.text);
    if (!err && s->url.encrypted) err = wire_keys_new(place, &s->keys, fault);
    if (err) close_syslog(s);
    else *state = s;
    return err;
}

static bool write_one(struct syslog *s, struct wire *to, const struct parcel *p, struct channel_outcome *out)
{
    buffer_clear(&s->frame);
    syslog_frame(p, s->hostname, s->place->message_bytes, &s->frame);
    if (s->frame.err) return channel_fail(out, CHANNEL_IO_FAILURE, "cannot make a message: %s", weir_err_text(s->frame.err)), false;
    return wire_write(to, (struct slice){s->frame.p, s->frame.n}, out);
}

/* All or nothing: only the end of the connection tells that something was read. */
static void send_syslog(void *state, const struct parcel *parcel, size_t n, struct channel_outcome *out)
{
    struct syslog *s = state;
    struct wire *to = wire_open(&s->url, s->keys, s->place, out);
    bool sent = to != NULL;
    for (size_t i = 0; i < n && sent; i++) sent = write_one(s, to, &parcel[i], out);
    if (sent && wire_finish(to, out)) out->done = n;
    if (to) wire_close(to);
}

const struct channel_ops channel_syslog = {open_syslog, send_syslog, close_syslog};
