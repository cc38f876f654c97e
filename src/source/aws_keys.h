/* Who we are to AWS: the keys that requests are signed with, from where the SDKs of AWS look too, in their order: environment, shared
 * files, the container's endpoint, the instance's (IMDSv2 only). They are asked again well before they expire, and kept on a page of their
 * own, which neither a core dump nor a process that is forked from this one gets to see. (Keys of the environment stand there, too; the one in
 * use lies for the time of a request on the stack of its thread.) */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_AWS_KEYS_H
#define SOURCE_AWS_KEYS_H

#include "source/web.h"

#define AWS_TOKEN_MAX 8192

struct aws_key {
    char id[256], secret[256], token[AWS_TOKEN_MAX]; /* token "": none */
    int64_t expires_s;                               /* INT64_MAX: never */
};

struct aws_keys;
struct aws_keys *aws_keys_new(char *const *env); /* env is copied as far as it is needed; NULL: out of memory */
void aws_keys_free(struct aws_keys *k);
/* The region that environment or shared files name; "" if none does. */
const char *aws_keys_region(const struct aws_keys *k);
/* From any thread. refused: the one that was given is no longer taken, so ask anew. USAGE: there are none, with what was looked at;
 * UNAVAILABLE: they are somewhere that does not answer now. */
WEIR_MUST_USE enum weir_err aws_keys_get(struct aws_keys *k, struct web *w, bool refused, struct aws_key *out, struct fault *fault);

#endif
