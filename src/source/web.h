/* One request over HTTP, and its answer: blocking, by libcurl, with everything turned off that we do not want: no redirects, no proxy, no
 * cookies, no other protocols, no waiting for ever. Where it goes is looked at after the name was resolved, so that no name leads to the
 * metadata service of a cloud; only the code that asks there for credentials may. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_WEB_H
#define SOURCE_WEB_H

#include <weir/base.h>

#define WEB_TEXT_MAX (16u << 20) /* of an answer that is kept */
#define WEB_HEADERS_MAX 24
#define WEB_VALUE_MAX 128

enum web_reach {
    WEB_OPEN,    /* TLS to anywhere but where metadata live; clear text on this machine only */
    WEB_METADATA /* the link-local addresses of metadata and container credentials, and this machine; clear text */
};

struct web_answer {
    unsigned status;
    int64_t content_bytes;  /* -1: not told */
    uint64_t retry_after_s; /* 0: not told */
    char etag[WEB_VALUE_MAX], region[WEB_VALUE_MAX], date[WEB_VALUE_MAX], range[WEB_VALUE_MAX]; /* "" not told; range: Content-Range */
    struct buffer text;     /* the body that nobody took */
};
void web_answer_init(struct web_answer *a);
void web_answer_fini(struct web_answer *a);

struct web_request {
    const char *method, *url;
    const char *header[WEB_HEADERS_MAX]; /* "name: value", up to a NULL */
    struct slice body;
    enum web_reach reach;
    const char *ca_file;  /* PEM; NULL: what the system trusts */
    unsigned patience_s;  /* for all of it; 0: as long as bytes come */
    bool (*stopped)(void); /* may be NULL */
    /* The body of an answer of status 2xx, in pieces; false ends the transfer. NULL: it is kept as text. */
    bool (*take)(void *ctx, const struct web_answer *a, const char *p, size_t n);
    void *ctx;
};

struct web; /* a connection that is kept between requests to one place; one thread at a time */
struct web *web_new(struct fault *fault); /* NULL: no libcurl, or out of memory */
void web_free(struct web *w);
/* OK: there is a whole answer, of whatever status. UNAVAILABLE: there is none, or it broke off; it may come later. USAGE: never, as the
 * server cannot be believed or may not be reached. INTERRUPTED; LIMIT: a text beyond WEB_TEXT_MAX, or take() said no. */
WEIR_MUST_USE enum weir_err web_ask(struct web *w, const struct web_request *r, struct web_answer *a, struct fault *fault);

#endif
