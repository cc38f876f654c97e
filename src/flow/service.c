/* SPDX-License-Identifier: Apache-2.0 */
/* Who opened the connection, and which service it is.
 *
 * TCP flags decide where the log has them: a SYN without ACK comes from the opener, a SYN-ACK from the other end. Else
 * ports: the end with the more service-like port was called. Ranks: below 1024; well-known above it; other; ephemeral
 * (from 32768, Linux; NAT gateways use 1024 and up, hence a rank of their own between). Equal ranks: unknown. */
#include "service.h"

#define TCP_SYN 2
#define TCP_ACK 16
#define EPHEMERAL 32768

/* Registered ports that servers listen on, ascending (IANA; databases, caches, queues, consoles, VPNs). */
static const uint16_t well_known[] = {1194, 1433, 1434, 1521, 1883, 2049, 2181, 2379, 2380, 3000, 3128, 3260, 3306, 3389,
                                      4317, 4318, 4443, 5000, 5044, 5222, 5432, 5439, 5601, 5671, 5672, 5900, 5985, 5986,
                                      6379, 6443, 6514, 7000, 7001, 8000, 8008, 8080, 8081, 8086, 8088, 8443, 8883, 8888,
                                      9000, 9042, 9090, 9092, 9093, 9094, 9100, 9200, 9300, 9418, 10250, 11211, 15012,
                                      15021, 27017, 27018, 27019};

static bool is_well_known(uint16_t port)
{
    size_t low = 0, high = WEIR_COUNT(well_known);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (well_known[mid] < port)
            low = mid + 1;
        else
            high = mid;
    }
    return low < WEIR_COUNT(well_known) && well_known[low] == port;
}

/* Who was called, by ports alone: OPENED_BY_HOST means that the destination was. The list is asked only where ranges do not tell. */
static enum flow_opened opened_by_ports(uint16_t src, uint16_t dst)
{
    int src_rank = (src >= 1024) + (src >= EPHEMERAL), dst_rank = (dst >= 1024) + (dst >= EPHEMERAL);
    if (src_rank != dst_rank)
        return dst_rank < src_rank ? OPENED_BY_HOST : OPENED_BY_PEER;
    if (src_rank != 1)
        return OPENED_UNKNOWN;
    bool known_src = is_well_known(src), known_dst = is_well_known(dst);
    if (known_src == known_dst)
        return OPENED_UNKNOWN;
    return known_dst ? OPENED_BY_HOST : OPENED_BY_PEER;
}

enum flow_opened service_opened_by_source(const struct record *r)
{
    if (r->protocol == 6 && RECORD_HAS(r, TCP_FLAGS) && (r->tcp_flags & TCP_SYN))
        return r->tcp_flags & TCP_ACK ? OPENED_BY_PEER : OPENED_BY_HOST;
    if (r->protocol != 6 && r->protocol != 17)
        return OPENED_UNKNOWN;
    return opened_by_ports(r->src_port, r->dst_port);
}

uint16_t service_port(const struct record *r, enum flow_opened by_source)
{
    uint16_t lower = r->src_port < r->dst_port ? r->src_port : r->dst_port;
    const uint16_t port[] = {[OPENED_BY_HOST] = r->dst_port, [OPENED_BY_PEER] = r->src_port, [OPENED_UNKNOWN] = lower};
    return port[by_source];
}

enum service_class service_classify(uint8_t protocol, uint16_t port)
{
    static const uint8_t low[] = {[22] = 1 + SERVICE_SHELL, [53] = 1 + SERVICE_DNS, [80] = 1 + SERVICE_WEB, [123] = 1 + SERVICE_NTP, [443] = 1 + SERVICE_WEB};
    if (protocol != 6 && protocol != 17)
        return protocol == 1 || protocol == 58 ? SERVICE_ICMP : SERVICE_OTHER;
    if (port < WEIR_COUNT(low))
        return low[port] ? (enum service_class)(low[port] - 1) : SERVICE_OTHER;
    return port == 8443 ? SERVICE_WEB : port == 3389 ? SERVICE_SHELL : SERVICE_OTHER;
}

const char *service_class_word(enum service_class c)
{
    static const char *const words[SERVICE_CLASSES] = {"web", "dns", "icmp", "shell", "ntp", "other"};
    return c < SERVICE_CLASSES ? words[c] : "unknown";
}
