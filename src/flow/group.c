/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: destinations change address daily, providers do not, so bytes are summed by provider and kind of service; where
 * there is no data on providers, and for clients of ours, by network. */
#include "weir/flow.h"

#define PAYLOAD_MASK ((1ULL << 48) - 1)
#define COUNTRY_MASK 0x3ffULL
#define COUNTRY_ABOVE 32 /* of 32 bits of autonomous system or IPv4 */
#define SERVICE_ABOVE 42
#define V6_TOP32 0xffffffff0000ULL /* of 48: below them is room for the country */

static uint64_t payload(struct ip a, unsigned bits4, unsigned bits6)
{
    if (ip_is_v4(a))
        return ip_v4(a) & UINT32_MAX << (32 - bits4);
    if (bits6 == 128) {
        uint64_t both[2] = {a.hi, a.lo};
        return stable_hash(both, sizeof both) & PAYLOAD_MASK;
    }
    return a.hi >> 16 & (bits6 == 32 ? V6_TOP32 : PAYLOAD_MASK);
}

static enum group_kind kind_of(const struct flow *f)
{
    if (!f->external)
        return f->opened == OPENED_BY_HOST ? GROUP_INTERNAL_INITIATED : GROUP_INTERNAL_OTHER;
    if (f->at.list == LISTED_TRUSTED)
        return GROUP_TRUSTED;
    switch ((enum flow_opened)f->opened) {
    case OPENED_BY_HOST: return GROUP_INITIATED;
    case OPENED_BY_PEER: return GROUP_SERVED;
    case OPENED_UNKNOWN: break;
    }
    return GROUP_UNKNOWN;
}

static inline uint64_t form_of(unsigned form) { return (uint64_t)form << 52; }

/* Form and payload of a peer that the host may have chosen. */
static uint64_t chosen_peer(const struct flow *f)
{
    bool v4 = ip_is_v4(f->peer);
    uint64_t country = f->at.country & COUNTRY_MASK;
    if (f->at.grain == GRAIN_NETWORK || f->at.list == LISTED_THREAT)
        return v4 ? form_of(GROUP_FORM_V4_NETWORK) | country << COUNTRY_ABOVE | payload(f->peer, 24, 48)
                  : form_of(GROUP_FORM_V6_NETWORK) | payload(f->peer, 24, 48);
    if (f->at.grain == GRAIN_PROVIDER)
        return form_of(GROUP_FORM_PROVIDER) | (uint64_t)(f->at.service & 63) << SERVICE_ABOVE | country << COUNTRY_ABOVE | f->at.asn;
    return form_of(v4 ? GROUP_FORM_V4 : GROUP_FORM_V6) | payload(f->peer, 16, 32) | country << (v4 ? COUNTRY_ABOVE : 0);
}

uint64_t flow_group(const struct flow *f)
{
    enum group_kind kind = kind_of(f);
    uint64_t head = (uint64_t)kind << 60 | (uint64_t)(f->external ? f->service : 0) << 56;
    uint64_t family = form_of(ip_is_v4(f->peer) ? GROUP_FORM_V4 : GROUP_FORM_V6);
    if (!f->external)
        return head | family | payload(f->peer, 32, 128);
    if (kind == GROUP_TRUSTED)
        return head;
    if (f->at.list == LISTED_THREAT)
        head |= GROUP_THREAT;
    return head | (kind == GROUP_SERVED ? family | payload(f->peer, 24, 48) : chosen_peer(f));
}

/* Where the country stands in the key; 64: it has no place there. */
static unsigned country_shift(uint64_t g)
{
    enum group_kind kind = group_kind(g);
    if (kind != GROUP_INITIATED && kind != GROUP_UNKNOWN)
        return 64;
    switch (group_form(g)) {
    case GROUP_FORM_PROVIDER:
    case GROUP_FORM_V4_NETWORK:
    case GROUP_FORM_V4: return COUNTRY_ABOVE;
    case GROUP_FORM_V6: return 0;
    default: return 64;
    }
}

uint16_t group_country(uint64_t g)
{
    unsigned shift = country_shift(g);
    return (uint16_t)(shift == 64 ? 0 : g >> shift & COUNTRY_MASK);
}

uint64_t group_network(uint64_t g)
{
    unsigned shift = country_shift(g);
    return shift == 64 ? g : g & ~(COUNTRY_MASK << shift);
}

static void format_network(uint64_t g, struct buffer *out)
{
    char text[IP_TEXT_MAX];
    unsigned form = group_form(g);
    bool v4 = form == GROUP_FORM_V4 || form == GROUP_FORM_V4_NETWORK;
    bool narrow = group_kind(g) == GROUP_SERVED || form == GROUP_FORM_V4_NETWORK || form == GROUP_FORM_V6_NETWORK;
    struct ip a = v4 ? ip_from_v4((uint32_t)g) : (struct ip){(g & PAYLOAD_MASK) << 16, 0};
    ip_format(a, text);
    buffer_printf(out, "%s/%u", text, v4 ? (narrow ? 24U : 16U) : (narrow ? 48U : 32U));
}

static void format_external(uint64_t g, struct buffer *out)
{
    char country[3];
    country_text(group_country(g), country);
    g = group_network(g);
    if (group_form(g) == GROUP_FORM_PROVIDER) {
        const char *service = aws_service_name((uint8_t)(g >> SERVICE_ABOVE & 63));
        buffer_printf(out, "AS%lu%s%s", (unsigned long)(uint32_t)g, *service ? " " : "", service);
    } else {
        format_network(g, out);
    }
    buffer_printf(out, " %s", service_class_word(group_service(g)));
    if (*country)
        buffer_printf(out, " (%s)", country);
    if (group_threat(g))
        buffer_puts(out, ", listed as a threat");
}

static void format_internal(uint64_t g, struct buffer *out)
{
    char text[IP_TEXT_MAX];
    if (group_form(g) == GROUP_FORM_V4) {
        ip_format(ip_from_v4((uint32_t)g), text);
        buffer_puts(out, text);
    } else {
        buffer_printf(out, "internal IPv6 host %012llx", (unsigned long long)(g & PAYLOAD_MASK));
    }
}

void group_format(uint64_t g, struct buffer *out)
{
    switch (group_kind(g)) {
    case GROUP_INITIATED:
    case GROUP_SERVED:
    case GROUP_UNKNOWN: format_external(g, out); return;
    case GROUP_INTERNAL_INITIATED:
    case GROUP_INTERNAL_OTHER: format_internal(g, out); return;
    case GROUP_REST: buffer_puts(out, "all other destinations"); return;
    case GROUP_TRUSTED: buffer_printf(out, "trusted destinations %s", service_class_word(group_service(g))); return;
    case GROUP_NONE:
    case GROUP_IN:
    case GROUP_GAP:
    case GROUP_POLICY:
    case GROUP_SEEN:
    case GROUP_KINDS: break;
    }
    buffer_puts(out, "the host as a whole");
}
