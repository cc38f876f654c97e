/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: destinations change address daily, providers do not, so bytes are summed by network and kind of service.
 * External initiated: /16 or /32; served: /24 or /48; internal: the address itself. */
#include "weir/flow.h"

#define PAYLOAD_MASK ((1ULL << 48) - 1)

static uint64_t payload(struct ip a, unsigned bits4, unsigned bits6)
{
    if (ip_is_v4(a))
        return ip_v4(ip_network(a, bits4));
    if (bits6 == 128) {
        uint64_t both[2] = {a.hi, a.lo};
        return stable_hash(both, sizeof both) & PAYLOAD_MASK;
    }
    return a.hi >> 16 & (bits6 == 32 ? 0xffffffff0000ULL : PAYLOAD_MASK);
}

static enum group_kind kind_of(const struct flow *f)
{
    if (!f->external)
        return f->opened == OPENED_BY_HOST ? GROUP_INTERNAL_INITIATED : GROUP_INTERNAL_OTHER;
    switch ((enum flow_opened)f->opened) {
    case OPENED_BY_HOST: return GROUP_INITIATED;
    case OPENED_BY_PEER: return GROUP_SERVED;
    case OPENED_UNKNOWN: break;
    }
    return GROUP_UNKNOWN;
}

uint64_t flow_group(const struct flow *f)
{
    enum group_kind kind = kind_of(f);
    uint64_t service = f->external ? f->service : 0;
    uint64_t family = ip_is_v4(f->peer) ? 4 : 6;
    uint64_t address;
    if (!f->external)
        address = payload(f->peer, 32, 128);
    else if (kind == GROUP_SERVED)
        address = payload(f->peer, 24, 48);
    else
        address = payload(f->peer, 16, 32);
    return (uint64_t)kind << 60 | service << 56 | family << 52 | address;
}

static void format_external(uint64_t g, struct buffer *out)
{
    char text[IP_TEXT_MAX];
    bool v4 = (g >> 52 & 15) == 4, served = group_kind(g) == GROUP_SERVED;
    struct ip a = v4 ? ip_from_v4((uint32_t)g) : (struct ip){(g & PAYLOAD_MASK) << 16, 0};
    ip_format(a, text);
    buffer_printf(out, "%s/%u %s", text, v4 ? (served ? 24U : 16U) : (served ? 48U : 32U), service_class_word(group_service(g)));
}

void group_format(uint64_t g, struct buffer *out)
{
    char text[IP_TEXT_MAX];
    switch (group_kind(g)) {
    case GROUP_INITIATED:
    case GROUP_SERVED:
    case GROUP_UNKNOWN: format_external(g, out); return;
    case GROUP_INTERNAL_INITIATED:
    case GROUP_INTERNAL_OTHER:
        if ((g >> 52 & 15) == 4) {
            ip_format(ip_from_v4((uint32_t)g), text);
            buffer_puts(out, text);
        } else {
            buffer_printf(out, "internal IPv6 host %012llx", (unsigned long long)(g & PAYLOAD_MASK));
        }
        return;
    case GROUP_REST: buffer_puts(out, "all other destinations"); return;
    case GROUP_NONE:
    case GROUP_IN:
    case GROUP_GAP:
    case GROUP_KINDS: break;
    }
    buffer_puts(out, "the host as a whole");
}
