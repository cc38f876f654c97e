/* Signature Version 4 of AWS, as pure functions: a request as bytes in, the text of its Authorization header out. By hand, because
 * what libcurl 7.88 signs is refused for unsorted queries, a raw '=' or '/' in them, and without the hash of the content.
 * Source: "Create a signed AWS API request" (IAM User Guide) and "Signature calculations for the Authorization header" (S3 API). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_SIGV4_H
#define SOURCE_SIGV4_H

#include <weir/base.h>

#define SIGV4_PAIRS_MAX 16
#define SIGV4_DATE_MAX 24
#define SIGV4_NO_BODY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* SHA-256 of nothing */

struct sigv4_pair { struct slice name, value; };
struct sigv4_request {
    const char *method;
    struct slice path;                                /* raw bytes from '/' on: encoded once, and never normalised, as S3 wants it */
    const struct sigv4_pair *query; size_t query_n;   /* raw bytes, in any order */
    const struct sigv4_pair *header; size_t header_n; /* names in lower case, in any order; each is signed */
    struct slice payload;                             /* SHA-256 of the body in hex, or UNSIGNED-PAYLOAD */
    const char *region, *service;
    int64_t time_s;
};
struct sigv4_key { struct slice id, secret; };

/* What stands in the request line: path and query, encoded; the query sorted, as it is signed. */
void sigv4_target(const struct sigv4_request *r, struct buffer *out);
void sigv4_date(int64_t time_s, char out[SIGV4_DATE_MAX]); /* "20150830T123600Z", which must be the x-amz-date among the headers */
/* LIMIT: more than SIGV4_PAIRS_MAX of one kind; NOMEM. */
WEIR_MUST_USE enum weir_err sigv4_authorize(const struct sigv4_request *r, const struct sigv4_key *key, struct buffer *out);

#endif
