/* Findings to a web server: one POST each, signed as Standard Webhooks 1.0 asks (github.com/standard-webhooks/standard-webhooks,
 * spec/standard-webhooks.md): headers webhook-id, webhook-timestamp, webhook-signature, the latter "v1," and the base64 of
 * HMAC-SHA256 over id.timestamp.body. The id is that of the finding and the number of the state, so it is the same when it is sent
 * again. 2xx: received. 410: the receiver wants no more. Anything else is tried again; redirects are not followed.
 *
 * HTTP is spoken here (RFC 9112): a request of known length on a connection of its own, and of the answer the status and Retry-After,
 * no more. Rejected: libcurl. It brings 28 shared libraries and 4.6 MB of memory to every run of the program (measured on Debian 12), for
 * this one request; connections, TLS, deadlines and the rule which addresses may be reached are those of syslog (wire.c).
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sink/channel_private.h"
#include "weir/finding.h"

#define SECRET_PREFIX "whsec_"

struct webhook {
    const struct channel_place *place;
    struct channel_url url;
    struct wire_keys *keys;
    struct buffer request, head;
};

/* ---- the signature ---- */
void webhook_sign(struct slice secret, const char *id, int64_t time_s, struct slice body, char out[WEBHOOK_SIGNATURE_MAX])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_n = 0;
    struct buffer text;
    buffer_init(&text, body.n + 256);
    buffer_printf(&text, "%s.%lld.", id, (long long)time_s);
    buffer_slice(&text, body);
    out[0] = 0;
    if (!text.err && HMAC(EVP_sha256(), secret.p, (int)secret.n, (const unsigned char *)text.p, text.n, mac, &mac_n)) {
        memcpy(out, "v1,", 3);
        EVP_EncodeBlock((unsigned char *)out + 3, mac, (int)mac_n);
    }
    buffer_fini(&text);
}

static bool decode_base64(struct slice text, struct buffer *out)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.n && text.p[text.n - 1 - padding] == '=') padding++;
    char *room = text.n % 4 == 0 && text.n <= 4 * (size_t)CHANNEL_SECRET_MAX ? buffer_reserve(out, text.n / 4 * 3 + 1) : NULL;
    int n = room ? EVP_DecodeBlock((unsigned char *)room, (const unsigned char *)text.p, (int)text.n) : -1;
    if (n < (int)padding) return false;
    out->n += (size_t)n - padding;
    return true;
}

enum weir_err webhook_secret(struct slice text, struct buffer *out, struct fault *fault)
{
    size_t prefix = sizeof SECRET_PREFIX - 1, begin = out->n;
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r')) text.n--;
    if (text.n < prefix || memcmp(text.p, SECRET_PREFIX, prefix) != 0) buffer_slice(out, text);
    else if (!decode_base64((struct slice){text.p + prefix, text.n - prefix}, out))
        return fault_set(fault, WEIR_USAGE, "what stands behind " SECRET_PREFIX " is not base64");
    size_t n = out->n - begin;
    if (out->err || n < CHANNEL_SECRET_MIN || n > CHANNEL_SECRET_MAX)
        return fault_set(fault, WEIR_USAGE, "a secret has %d to %d bytes, this one %zu", CHANNEL_SECRET_MIN, CHANNEL_SECRET_MAX, n);
    return WEIR_OK;
}

/* ---- the request ---- */
static void put_host(const struct channel_url *url, struct buffer *out)
{
    bool v6 = strchr(url->host, ':') != NULL, usual = strcmp(url->port, url->encrypted ? "443" : "80") == 0;
    buffer_printf(out, v6 ? "[%s]" : "%s", url->host);
    if (!usual) buffer_printf(out, ":%s", url->port);
}

static void put_request(struct webhook *w, const struct parcel *p)
{
    char id[FINDING_UID_MAX + 24], signature[WEBHOOK_SIGNATURE_MAX];
    int64_t now_s = (int64_t)time(NULL);
    struct buffer *b = &w->request;
    snprintf(id, sizeof id, "%s-%llu", p->uid, (unsigned long long)p->seq);
    webhook_sign(w->place->secret, id, now_s, p->json, signature);
    buffer_clear(b);
    buffer_printf(b, "POST %s HTTP/1.1\r\nHost: ", w->url.path);
    put_host(&w->url, b);
    buffer_printf(b, "\r\nUser-Agent: weir/%s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n", FINDING_PRODUCT_VERSION, p->json.n);
    buffer_printf(b, "webhook-id: %s\r\nwebhook-timestamp: %lld\r\nwebhook-signature: %s\r\n\r\n", id, (long long)now_s, signature);
    buffer_slice(b, p->json);
}

/* ---- the answer ---- */
/* 0: there is none. */
static unsigned read_status(struct webhook *w, struct wire *from, struct channel_outcome *out)
{
    struct webhook_answer answer = {0, 0, 0};
    buffer_clear(&w->head);
    while (!webhook_answer_read(&w->head, &answer)) {
        if (w->head.n >= WEBHOOK_HEAD_MAX)
            return channel_fail(out, CHANNEL_CLOSED_FAILURE, "the head of the answer of '%s' is too long", w->url.host), 0;
        if (!wire_read(from, &w->head, out)) return 0;
    }
    if (!answer.status) channel_fail(out, CHANNEL_CLOSED_FAILURE, "'%s' does not answer in HTTP/1.1", w->url.host);
    if (answer.status < 200 || answer.status > 299) out->retry_after_s = answer.retry_after_s;
    return answer.status;
}

static bool post(struct webhook *w, const struct parcel *p, struct channel_outcome *out)
{
    unsigned status = 0;
    put_request(w, p);
    if (w->request.err) return channel_fail(out, CHANNEL_IO_FAILURE, "cannot make a request: %s", weir_err_text(w->request.err)), false;
    struct wire *to = wire_open(&w->url, w->keys, w->place, out);
    if (to && wire_write(to, (struct slice){w->request.p, w->request.n}, out)) status = read_status(w, to, out);
    if (to) wire_close(to);
    if (status >= 200 && status < 300) return true;
    if (!status) return false;
    channel_fail(out, status == 410 ? CHANNEL_GONE_FAILURE : CHANNEL_STATUS_FAILURE, "'%s' answers with status %u", w->url.host, status);
    return false;
}

/* ---- the channel ---- */
static void close_webhook(void *state)
{
    struct webhook *w = state;
    wire_keys_free(w->keys);
    buffer_fini(&w->request);
    buffer_fini(&w->head);
    free(w);
}

static enum weir_err open_webhook(const struct channel_place *place, void **state, struct fault *fault)
{
    struct fault why = {WEIR_OK, ""};
    struct webhook *w = calloc(1, sizeof *w);
    if (!w) return fault_set(fault, WEIR_NOMEM, "out of memory");
    w->place = place;
    buffer_init(&w->request, SIZE_MAX / 2);
    buffer_init(&w->head, 2 * (size_t)WEBHOOK_HEAD_MAX);
    enum weir_err err = channel_url_parse(CHANNEL_WEBHOOK, place->url, &w->url, &why);
    if (err) fault_set(fault, err, "'url' %s", why.text);
    if (!err && w->url.encrypted) err = wire_keys_new(place, &w->keys, fault);
    if (err) close_webhook(w);
    else *state = w;
    return err;
}

static void send_webhook(void *state, const struct parcel *parcel, size_t n, struct channel_outcome *out)
{
    while (out->done < n && post(state, &parcel[out->done], out)) out->done++;
}

const struct channel_ops channel_webhook = {open_webhook, send_webhook, close_webhook};
