/* One hostile packet of any link type (first byte) and wire length (second). Claims: no byte past its end is read; bytes are never more
 * than the packet or the header tells; ports only where the protocol has them; what is cut short is never counted for more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "decode/packet.h"

#define CLAIM(x) ((x) ? (void)0 : abort())

static bool within(struct slice inner, const uint8_t *p, size_t n)
{
    return !inner.n || ((const uint8_t *)inner.p >= p && (size_t)((const uint8_t *)inner.p - p) + inner.n <= n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum packet_link link = (enum packet_link)(data[0] % LINK_KINDS);
    size_t n = size - 2, wire = n + (size_t)(data[1] & 0x7f) * 300;
    uint8_t *copy = malloc(n ? n : 1);
    struct packet p, again;
    CLAIM(copy);
    memcpy(copy, data + 2, n);
    enum packet_verdict verdict = packet_decode(link, copy, n, data[1] & 0x80 ? n / 2 : wire, &p);
    if (verdict == PACKET_TAKEN) {
        CLAIM(p.bytes <= (wire > 65575 ? wire : 65575));
        CLAIM(within(p.body, copy, n) && within(p.payload, copy, n));
        CLAIM(p.has_ports || (p.src_port == 0 && p.dst_port == 0));
        CLAIM(p.part != PART_LATER || !p.has_ports);
    } else {
        CLAIM(verdict == PACKET_PASSED ? p.why < NOTE_COUNT : p.why < REJECT_COUNT);
    }
    CLAIM(packet_decode(link, copy, n, data[1] & 0x80 ? n / 2 : wire, &again) == verdict && again.bytes == p.bytes && again.notes == p.notes);
    free(copy);
    return 0;
}
