/* What the files of base share with each other and with the tests of base, and nobody else: the parts below the
 * contract that have published test vectors or a second implementation to compare with. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BASE_INTERNAL_H
#define WEIR_BASE_INTERNAL_H

#include <weir/base.h>

/* SipHash with c compression and d finalisation rounds (Aumasson, Bernstein 2012). */
uint64_t siphash(const uint64_t key[2], unsigned c, unsigned d, const void *bytes, size_t n);

/* Both take and return the inverted register; the hardware one only where crc32c_has_hardware(). */
uint32_t crc32c_soft(uint32_t reg, const unsigned char *p, size_t n);
uint32_t crc32c_hard(uint32_t reg, const unsigned char *p, size_t n);
bool crc32c_has_hardware(void);

/* The code point that starts s and its length in bytes, or 0 if s is empty or does not start with well-formed
 * UTF-8 (no overlong form, no surrogate, nothing past U+10FFFF). */
size_t utf8_next(struct slice s, uint32_t *code);

#endif
