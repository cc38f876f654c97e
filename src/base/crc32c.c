/* CRC-32C (Castagnoli, reflected polynomial 0x82f63b78; RFC 3720 appendix B.4): the checksum of stored values. The
 * processor has an instruction for it (SSE 4.2); elsewhere a table of 16 entries, one look-up a half byte, is fast
 * enough for values of a few hundred bytes. The tests hold one against the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

uint32_t crc32c_soft(uint32_t reg, const unsigned char *p, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    for (size_t i = 0; i < n; i++) {
        reg ^= p[i];
        reg = table[reg & 15] ^ reg >> 4;
        reg = table[reg & 15] ^ reg >> 4;
    }
    return reg;
}

#if defined(__x86_64__)
bool crc32c_has_hardware(void)
{
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t crc32c_hard(uint32_t reg, const unsigned char *p, size_t n)
{
    uint64_t wide = reg;
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    reg = (uint32_t)wide;
    for (; i < n; i++)
        reg = __builtin_ia32_crc32qi(reg, p[i]);
    return reg;
}
#else
bool crc32c_has_hardware(void)
{
    return false;
}

uint32_t crc32c_hard(uint32_t reg, const unsigned char *p, size_t n)
{
    return crc32c_soft(reg, p, n);
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
    return ~(crc32c_has_hardware() ? crc32c_hard : crc32c_soft)(~crc, bytes, n);
}
