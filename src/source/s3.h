/* The store of objects behind s3://BUCKET/KEY: pages of a listing and bytes of an object, signed, tried again when that makes sense, and
 * told in words when it does not. One client for the process, as there is one identity; what is fetched ahead stands in fetch.h.
 *
 * A failing endpoint is asked no more than five times a second by all threads together: they share one pause, which doubles with each
 * failure in a row, with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), up to 20 s. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_S3_H
#define SOURCE_S3_H

#include <weir/source_s3.h>

#include "source/aws_keys.h"
#include "source/s3_page.h"
#include "source/sigv4.h"

#define S3_SCHEME "s3://"
#define S3_TRIES 10 /* some 25 s of pauses, then the endpoint is away */

struct s3;
struct s3 *s3_client(struct fault *fault); /* NULL: nobody said who we are (s3_allow), or no libcurl */
const char *s3_region(const struct s3 *s);

struct s3_place { struct slice bucket, key; };
/* USAGE: no bucket of that name can be. A key may be anything. */
WEIR_MUST_USE enum weir_err s3_place_parse(struct slice path, struct s3_place *out, struct fault *fault);

struct s3_call {
    const char *service, *method;     /* NULL: s3, GET */
    struct slice bucket, key;         /* of s3 */
    const char *url;                  /* of another service: scheme, host and nothing behind */
    const struct sigv4_pair *query; size_t query_n;
    const struct sigv4_pair *header; size_t header_n; /* names in lower case, besides those that every request has */
    struct slice body;
    unsigned tries, patience_s;
    bool (*take)(void *ctx, const struct web_answer *a, const char *p, size_t n);
    void *ctx;
};
/* OK: status 2xx. NOTFOUND: 404. EXISTS: 412, another content. UNAVAILABLE: it failed as often as it was to be tried. USAGE: refused, with what to do.
 * The answer is the caller's and initialised. */
WEIR_MUST_USE enum weir_err s3_ask(struct s3 *s, struct web *w, const struct s3_call *c, struct web_answer *a, struct fault *fault);

void s3_set_pauses(int64_t first_ns, int64_t max_ns); /* for tests */

/* One page of the keys that begin with prefix: after `after` ("" from the first), or where the page before ended (token). delimiter: "/", or "". */
struct s3_listing {
    struct slice bucket, prefix, after;
    const char *delimiter;
    char token[S3_TOKEN_MAX];
    bool done;
    unsigned tries;
};
WEIR_MUST_USE enum weir_err s3_list(struct s3 *s, struct web *w, struct s3_listing *l, s3_each *each, void *ctx, struct fault *fault);

#endif
