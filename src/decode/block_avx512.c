/* The fast path for x86-64 machines with AVX-512 VBMI2 (Ice Lake of 2019, Zen 4 of 2022 and later). */
/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#define DECODE_AVX2 1
#define DECODE_AVX512 1
#include "decode/block.h"

static DECODE_TARGET size_t block_avx512(struct decoder *d, const char *p, size_t n, size_t readable)
{
    return block_read(d, p, n, readable);
}

block_reader *block_reader_avx512(void)
{
    bool can = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2") &&
               __builtin_cpu_supports("bmi2");
    return can ? block_avx512 : NULL;
}

#else
#include "decode/internal.h"

block_reader *block_reader_avx512(void)
{
    return NULL;
}
#endif
