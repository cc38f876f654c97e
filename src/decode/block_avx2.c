/* The fast path for x86-64 machines with AVX2 and BMI2 (2013 and later). */
/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#define DECODE_AVX2 1
#include "decode/block.h"

static DECODE_TARGET size_t block_avx2(struct decoder *d, const char *p, size_t n, size_t readable)
{
    return block_read(d, p, n, readable);
}

block_reader *block_reader_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? block_avx2 : NULL;
}

#else
#include "decode/internal.h"

block_reader *block_reader_avx2(void)
{
    return NULL;
}
#endif
