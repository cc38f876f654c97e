/* SPDX-License-Identifier: Apache-2.0 */
/* A request line and headers of which none matters but those that announce a body. See http.h. */
#include "app/http.h"

#include <string.h>

const char *http_reason(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
    }
}

/* Up to the line end (CR LF or LF), which is taken too. */
static bool next_line(struct slice *rest, struct slice *line)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!end)
        return false;
    size_t n = (size_t)(end - rest->p);
    *line = (struct slice){rest->p, n && rest->p[n - 1] == '\r' ? n - 1 : n};
    *rest = (struct slice){rest->p + n + 1, rest->n - n - 1};
    return true;
}

static struct slice word(struct slice *line)
{
    const char *blank = line->n ? memchr(line->p, ' ', line->n) : NULL;
    size_t n = blank ? (size_t)(blank - line->p) : line->n, eaten = blank ? n + 1 : n;
    struct slice w = {line->p, n};
    *line = (struct slice){line->p + eaten, line->n - eaten};
    return w;
}

static bool is_printable(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] > 0x7e)
            return false;
    return s.n > 0;
}

static unsigned parse_first(struct slice line, struct http_request *out)
{
    struct slice method = word(&line), target = word(&line), version = line;
    if (!is_printable(method) || !is_printable(target) || target.p[0] != '/')
        return 400;
    if (!slice_eq(version, SLICE_LIT("HTTP/1.1")) && !slice_eq(version, SLICE_LIT("HTTP/1.0")))
        return version.n > 5 && memcmp(version.p, "HTTP/", 5) == 0 ? 505 : 400;
    out->head = slice_eq(method, SLICE_LIT("HEAD"));
    if (!out->head && !slice_eq(method, SLICE_LIT("GET")))
        return 405;
    const char *query = memchr(target.p, '?', target.n);
    out->path = (struct slice){target.p, query ? (size_t)(query - target.p) : target.n};
    return 200;
}

static bool announces_body(struct slice line)
{
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    struct slice name = {line.p, colon ? (size_t)(colon - line.p) : 0};
    struct slice value = colon ? (struct slice){colon + 1, line.n - name.n - 1} : (struct slice){"", 0};
    while (value.n && (value.p[0] == ' ' || value.p[0] == '\t'))
        value = (struct slice){value.p + 1, value.n - 1};
    return slice_eq_nocase(name, SLICE_LIT("transfer-encoding")) ||
           (slice_eq_nocase(name, SLICE_LIT("content-length")) && !slice_eq(value, SLICE_LIT("0")));
}

unsigned http_parse(struct slice bytes, struct http_request *out)
{
    struct slice rest = bytes, line = {"", 0}, first = {"", 0};
    bool body = false;
    if (bytes.n > HTTP_REQUEST_MAX)
        return 431;
    *out = (struct http_request){{"", 0}, false};
    if (!next_line(&rest, &first))
        return bytes.n == HTTP_REQUEST_MAX ? 431 : 0;
    while (next_line(&rest, &line)) {
        if (!line.n) {
            unsigned status = parse_first(first, out);
            return status == 200 && body ? 413 : status;
        }
        body |= announces_body(line);
    }
    return bytes.n == HTTP_REQUEST_MAX ? 431 : 0;
}
