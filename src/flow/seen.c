/* SPDX-License-Identifier: Apache-2.0 */
/* What the packets of a flow showed, as groups of its host: names asked for by DNS, large echoes, protocols in the clear. Only what
 * the host itself sent, and but for DNS only to the outside where nobody is trusted: a resolver passes names on. */
#include "weir/flow.h"

static struct flow_seen dns_seen(const struct dns_sum *d)
{
    uint64_t bucket = stable_hash(d->parent.p, d->parent.n) % SEEN_DNS_BUCKETS;
    return (struct flow_seen){group_seen(SEEN_DNS, bucket), d->bytes, d->names, d->parent};
}

bool flow_seen_next(const struct record *r, const struct flow *f, size_t *i, struct flow_seen *out)
{
    const struct record_seen *s = r->seen;
    if (!s || !f->out)
        return false;
    size_t at = (*i)++;
    if (at < s->dns_n) {
        *out = dns_seen(&s->dns[at]);
        return true;
    }
    if (!f->external || f->at.list == LISTED_TRUSTED)
        return false;
    if (at == s->dns_n) {
        *out = (struct flow_seen){group_seen(SEEN_ECHO, 0), s->icmp_bytes, f->packets, {"", 0}};
        if (s->icmp_bytes)
            return true;
        at = (*i)++;
    }
    *out = (struct flow_seen){group_seen(SEEN_TALK, s->talk), f->bytes, f->packets, {"", 0}};
    return at == s->dns_n + 1 && s->talk;
}
