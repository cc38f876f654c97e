/* See web.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/web.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source/library.h"

#define CONNECT_S 10L
#define STALL_S 30L /* without a byte */
#define HEADER_BYTES_MAX 65536

struct web {
    const struct curl_calls *call;
    CURL *curl;
};

struct transfer { /* of one request */
    const struct web_request *request;
    struct web_answer *answer;
    struct web *web;
    size_t header_bytes;
    char refused[IP_TEXT_MAX]; /* the address that may not be reached */
    bool full;
};

void web_answer_init(struct web_answer *a)
{
    *a = (struct web_answer){.content_bytes = -1};
    buffer_init(&a->text, WEB_TEXT_MAX);
}

void web_answer_fini(struct web_answer *a) { buffer_fini(&a->text); }

struct web *web_new(struct fault *fault)
{
    const struct curl_calls *call = library_curl(fault);
    struct web *w = call ? calloc(1, sizeof *w) : NULL;
    CURL *curl = w ? call->init() : NULL;
    if (curl) {
        *w = (struct web){call, curl};
        return w;
    }
    free(w);
    if (call)
        fault_set(fault, WEIR_NOMEM, "out of memory");
    return NULL;
}

void web_free(struct web *w)
{
    if (w)
        w->call->cleanup(w->curl);
    free(w);
}

/* ---- where to ---- */

static bool is_loopback(struct ip ip) { return ip_is_v4(ip) ? ip_v4(ip) >> 24 == 127 : ip.hi == 0 && ip.lo == 1; }

/* Of AWS: instances (169.254.169.254, fd00:ec2::254), containers of ECS (169.254.170.2), pods of EKS (169.254.170.23, fd00:ec2::23). */
static bool is_metadata(struct ip ip)
{
    static const struct ip v6[] = {{0xfd000ec200000000ULL, 0x254}, {0xfd000ec200000000ULL, 0x23}};
    return (ip_is_v4(ip) && ip_v4(ip) >> 16 == 0xa9fe) || ip_eq(ip, v6[0]) || ip_eq(ip, v6[1]);
}

static bool may_reach(const struct web_request *r, struct ip ip)
{
    if (is_loopback(ip))
        return true;
    if (r->reach == WEB_METADATA)
        return is_metadata(ip);
    return !ip_is_special(ip) && !is_metadata(ip) && strncmp(r->url, "https:", 6) == 0;
}

static bool ip_of(const struct sockaddr *a, struct ip *out)
{
    unsigned char b[16];
    if (a->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, a, sizeof v4);
        *out = ip_from_v4(ntohl(v4.sin_addr.s_addr));
        return true;
    }
    if (a->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, a, sizeof v6);
    memcpy(b, &v6.sin6_addr, sizeof b);
    *out = (struct ip){0, 0};
    for (size_t i = 0; i < 8; i++) {
        out->hi = out->hi << 8 | b[i];
        out->lo = out->lo << 8 | b[i + 8];
    }
    return true;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = ctx;
    struct ip ip;
    (void)purpose;
    if (!ip_of(&address->addr, &ip) || !may_reach(t->request, ip)) {
        ip_format(ip, t->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- what comes back ---- */

static bool value_of(struct slice line, const char *name, struct slice *value)
{
    size_t n = strlen(name);
    if (line.n <= n || line.p[n] != ':' || !slice_eq_nocase((struct slice){line.p, n}, slice_of(name)))
        return false;
    *value = (struct slice){line.p + n + 1, line.n - n - 1};
    while (value->n && (value->p[0] == ' ' || value->p[0] == '\t')) {
        value->p++;
        value->n--;
    }
    while (value->n && (unsigned char)value->p[value->n - 1] <= ' ')
        value->n--;
    return true;
}

/* Too long: as if it was not told. */
static void keep(struct slice value, char out[WEB_VALUE_MAX])
{
    size_t n = value.n < WEB_VALUE_MAX ? value.n : 0;
    memcpy(out, value.n ? value.p : "", n);
    out[n] = 0;
}

static void note_header(struct web_answer *a, struct slice line)
{
    struct slice value;
    uint64_t number;
    if (value_of(line, "content-length", &value) && parse_u64(value, INT64_MAX, &number) == WEIR_OK)
        a->content_bytes = (int64_t)number;
    else if (value_of(line, "retry-after", &value))
        a->retry_after_s = parse_u64(value, 3600, &number) == WEIR_OK ? number : 0;
    else if (value_of(line, "etag", &value))
        keep(value, a->etag);
    else if (value_of(line, "x-amz-bucket-region", &value))
        keep(value, a->region);
    else if (value_of(line, "date", &value))
        keep(value, a->date);
    else if (value_of(line, "content-range", &value))
        keep(value, a->range);
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    size_t bytes = size * n;
    struct slice line = {p, bytes};
    t->header_bytes += bytes;
    if (t->header_bytes > HEADER_BYTES_MAX)
        return 0;
    if (bytes > 5 && memcmp(p, "HTTP/", 5) == 0) { /* another answer begins: the one before was an interim one */
        struct buffer text = t->answer->text;
        *t->answer = (struct web_answer){.content_bytes = -1, .text = text};
    } else {
        note_header(t->answer, line);
    }
    return bytes;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    size_t bytes = size * n;
    long status = 0;
    t->web->call->getinfo(t->web->curl, CURLINFO_RESPONSE_CODE, &status);
    t->answer->status = (unsigned)status;
    if (t->request->take && status / 100 == 2) {
        t->full = !t->request->take(t->request->ctx, t->answer, p, bytes);
    } else {
        buffer_put(&t->answer->text, p, bytes);
        t->full = t->answer->text.err != WEIR_OK;
    }
    return t->full ? 0 : bytes;
}

static int on_progress(void *ctx, curl_off_t all_down, curl_off_t down, curl_off_t all_up, curl_off_t up)
{
    const struct transfer *t = ctx;
    (void)all_down, (void)down, (void)all_up, (void)up;
    return t->request->stopped && t->request->stopped();
}

/* ---- a request ---- */

static void set_place(const struct web *w, const struct web_request *r, struct transfer *t)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = w->call->setopt;
    set(w->curl, CURLOPT_URL, r->url);
    set(w->curl, CURLOPT_PATH_AS_IS, 1L);
    set(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    set(w->curl, CURLOPT_FOLLOWLOCATION, 0L);
    set(w->curl, CURLOPT_PROXY, "");
    set(w->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    set(w->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    set(w->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    set(w->curl, CURLOPT_SSL_VERIFYPEER, 1L);
    set(w->curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (r->ca_file)
        set(w->curl, CURLOPT_CAINFO, r->ca_file);
    set(w->curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    set(w->curl, CURLOPT_OPENSOCKETDATA, t);
}

static void set_limits(const struct web *w, const struct web_request *r, struct transfer *t)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = w->call->setopt;
    set(w->curl, CURLOPT_NOSIGNAL, 1L);
    set(w->curl, CURLOPT_CONNECTTIMEOUT, r->reach == WEB_METADATA ? 2L : CONNECT_S);
    set(w->curl, CURLOPT_TIMEOUT, (long)r->patience_s);
    set(w->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(w->curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
    set(w->curl, CURLOPT_NOPROGRESS, 0L);
    set(w->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    set(w->curl, CURLOPT_XFERINFODATA, t);
    set(w->curl, CURLOPT_HEADERFUNCTION, on_header);
    set(w->curl, CURLOPT_HEADERDATA, t);
    set(w->curl, CURLOPT_WRITEFUNCTION, on_body);
    set(w->curl, CURLOPT_WRITEDATA, t);
}

static void set_method(const struct web *w, const struct web_request *r)
{
    CURLcode (*set)(CURL *, CURLoption, ...) = w->call->setopt;
    if (r->body.n) {
        set(w->curl, CURLOPT_POSTFIELDS, r->body.p);
        set(w->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
    } else {
        set(w->curl, CURLOPT_HTTPGET, 1L);
    }
    if (strcmp(r->method, r->body.n ? "POST" : "GET") != 0)
        set(w->curl, CURLOPT_CUSTOMREQUEST, r->method);
}

/* What will not be better the next time: whom we speak to is not who it should be, or there is no such place. */
static bool is_final(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
}

static enum weir_err judge(const struct transfer *t, CURLcode code, const char *detail, struct fault *fault)
{
    size_t shown = strcspn(t->request->url, "?");
    int n = shown < 200 ? (int)shown : 200;
    if (code == CURLE_OK)
        return WEIR_OK;
    if (t->refused[0])
        return fault_set(fault, WEIR_USAGE, "'%.*s': %s may not be reached%s", n, t->request->url, t->refused,
                         strncmp(t->request->url, "https:", 6) == 0 ? "" : " without TLS");
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return fault_set(fault, WEIR_INTERRUPTED, "interrupted");
    if (t->full)
        return fault_set(fault, WEIR_LIMIT, "'%.*s': the answer is longer than expected", n, t->request->url);
    const char *text = *detail ? detail : t->web->call->error_text(code);
    return fault_set(fault, is_final(code) ? WEIR_USAGE : WEIR_UNAVAILABLE, "'%.*s': %.150s", n, t->request->url, text);
}

enum weir_err web_ask(struct web *w, const struct web_request *r, struct web_answer *a, struct fault *fault)
{
    struct transfer t = {.request = r, .answer = a, .web = w};
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    long status = 0;
    buffer_clear(&a->text);
    w->call->reset(w->curl);
    set_place(w, r, &t);
    set_limits(w, r, &t);
    set_method(w, r);
    for (size_t i = 0; i < WEB_HEADERS_MAX && r->header[i]; i++)
        headers = w->call->append(headers, r->header[i]);
    w->call->setopt(w->curl, CURLOPT_HTTPHEADER, headers);
    w->call->setopt(w->curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = w->call->perform(w->curl);
    w->call->getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
    a->status = (unsigned)status;
    w->call->setopt(w->curl, CURLOPT_ERRORBUFFER, NULL);
    w->call->free_all(headers);
    return judge(&t, code, detail, fault);
}
