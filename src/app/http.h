/* SPDX-License-Identifier: Apache-2.0 */
/* A responder for three pages, and no web server: GET and HEAD, no bodies, a request of at most 8 KiB within 5 s, 16 connections at once
 * (the oldest one that dawdles makes room), one answer a connection. It has a thread of its own, so that health is told while objects are read.
 * Source: RFC 9112, as far as needed. */
#ifndef WEIR_APP_HTTP_H
#define WEIR_APP_HTTP_H

#include "weir/base.h"

#define HTTP_REQUEST_MAX 8192
#define HTTP_CONNECTIONS 16
#define HTTP_PATIENCE_NS INT64_C(5000000000)

struct http_request {
    struct slice path; /* without the query; borrows from the bytes */
    bool head;         /* HEAD: the same answer without its body */
};
/* Any bytes. 0: not whole yet; 200: *out is set; else the status to answer with. Nothing of the request ever is sent back. */
unsigned http_parse(struct slice bytes, struct http_request *out);
const char *http_reason(unsigned status);

struct http_reply {
    unsigned status;
    const char *type; /* Content-Type */
    struct buffer body;
};
/* Called in the thread of the responder; reply->body is empty, the status 404. */
typedef void http_answer(void *ctx, struct slice path, struct http_reply *reply);
/* Called about once a second in the same thread. */
typedef void http_tick(void *ctx);

struct http;
/* listen: "127.0.0.1:9847", "[::1]:9847"; port 0 lets the system choose; "" only ticks. Binds, and starts the thread. */
WEIR_MUST_USE enum weir_err http_open(const char *listen, http_answer *answer, http_tick *tick, void *ctx, struct http **out, struct fault *fault);
const char *http_address(const struct http *h); /* as "127.0.0.1:41234" */
void http_close(struct http *h);                /* ends the thread; NULL is fine */
/* Is it an address that only this machine reaches? For a warning. */
bool http_is_loopback(const char *listen);

#endif
