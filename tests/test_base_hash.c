/* base, hashes and checksums against published vectors, the two CRC implementations against each other, and death at
 * a failpoint. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/internal.h"

static void siphash_2_4_gives_the_vector_of_its_paper(void **state)
{
    (void)state;
    static const uint64_t key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
    unsigned char message[15];
    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (unsigned char)i;
    assert_true(siphash(key, 2, 4, message, sizeof message) == 0xa129ca6149be45e5ULL); /* appendix A */
    assert_true(siphash(key, 2, 4, message, 0) == 0x726fdb47dd0e0e31ULL);              /* vectors of the reference code */
    assert_true(siphash(key, 2, 4, message, 8) == 0x93f5f5799a932462ULL);
}

/* CPython 3.11 hashes bytes by SipHash-1-3, with the zero key under PYTHONHASHSEED=0. */
static void siphash_1_3_gives_the_values_of_cpython(void **state)
{
    (void)state;
    static const uint64_t zero[2] = {0, 0};
    assert_true(siphash(zero, 1, 3, "a", 1) == 0x407448d2b89b1813ULL);
    assert_true(siphash(zero, 1, 3, "weir", 4) == 0xafd841259e24ac48ULL);
    assert_true(siphash(zero, 1, 3, "12345678", 8) == 0x3489982430560a87ULL);
    assert_true(siphash(zero, 1, 3, "0123456789abcdef", 16) == 0x1d42b30f7e060c24ULL);
}

static void stable_hash_is_siphash_2_4_with_the_zero_key_for_ever(void **state)
{
    (void)state;
    static const uint64_t zero[2] = {0, 0};
    for (size_t n = 0; n <= 40; n++)
        assert_true(stable_hash("stored ids and buckets depend on this...", n) == siphash(zero, 2, 4, "stored ids and buckets depend on this...", n));
    assert_true(stable_hash("", 0) == 0x1e924b9d737700d7ULL);
}

static void keyed_hashes_repeat_inside_a_process(void **state)
{
    (void)state;
    assert_true(hash_u64x2(1, 2) == hash_u64x2(1, 2));
    assert_true(hash_bytes("weir", 4) == hash_bytes("weir", 4));
    assert_true(hash_u64x2(1, 2) != hash_u64x2(2, 1));
    assert_true(hash_bytes("weir", 4) != stable_hash("weir", 4));
}

/* What a fresh process of this program finds: argv[1] of the second start asks for it. */
static uint64_t hash_of_another_process(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl("/proc/self/exe", "test", "--hash", (char *)NULL);
        _exit(1);
    }
    uint64_t hash[2] = {0, 0};
    close(ends[1]);
    assert_int_equal(read(ends[0], hash, sizeof hash), sizeof hash);
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return hash[0] ^ hash[1];
}

static void keyed_hashes_differ_between_processes(void **state)
{
    (void)state;
    uint64_t here = hash_u64x2(1, 2) ^ hash_bytes("weir", 4);
    assert_true(hash_of_another_process() != here);
}

/* Neighbouring keys, as addresses of one subnet are, spread over a table of twice their number as random ones would:
 * 2^15 keys in 2^16 slots fill 2^16 * (1 - e^-0.5) = 25,786 of them, with a spread of about 80. */
static void neighbouring_keys_spread_like_random_ones(void **state)
{
    (void)state;
    static bool low[1 << 16], high[1 << 16];
    unsigned filled_low = 0, filled_high = 0;
    for (uint64_t i = 0; i < 1 << 15; i++) {
        uint64_t h = hash_u64x2(i >> 8, IP_V4_MARK | 0x0a000000 | (i & 255));
        filled_low += !low[h & 0xffff];
        filled_high += !high[h >> 48];
        low[h & 0xffff] = high[h >> 48] = true;
    }
    assert_in_range(filled_low, 25786 - 800, 25786 + 800);
    assert_in_range(filled_high, 25786 - 800, 25786 + 800);
}

/* With a key of zeros the products of all of these would be 0, and so would their hashes: with the key of this process they fill a table as
 * any other keys do. */
static void keys_chosen_to_meet_under_a_key_of_zeros_spread_like_random_ones(void **state)
{
    (void)state;
    static bool seen[1 << 16];
    unsigned filled = 0;
    for (uint64_t i = 0; i < 1 << 15; i++) {
        uint64_t h = hash_u64x2(0, i);
        filled += !seen[h & 0xffff];
        seen[h & 0xffff] = true;
    }
    assert_in_range(filled, 25786 - 800, 25786 + 800);
}

static void crc32c_gives_the_vectors_of_rfc_3720(void **state)
{
    (void)state;
    unsigned char zeros[32] = {0}, ones[32], rising[32];
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = 0; i < 32; i++)
        rising[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c(0, rising, 32), 0x46dd794e);
    assert_int_equal(crc32c(0, "", 0), 0);
}

static void crc32c_may_be_fed_in_parts(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++)
        assert_int_equal(crc32c(crc32c(0, "123456789", cut), &"123456789"[cut], 9 - cut), 0xe3069283);
}

static void both_ways_to_a_crc_agree(void **state)
{
    (void)state;
    if (!crc32c_has_hardware())
        skip();
    unsigned char bytes[300];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)stable_mix(i);
    for (size_t n = 0; n < 64; n++)
        for (size_t at = 0; at < 9; at++)
            assert_int_equal(crc32c_hard(7, bytes + at, n), crc32c_soft(7, bytes + at, n));
    assert_int_equal(crc32c_hard(~0u, bytes, sizeof bytes), crc32c_soft(~0u, bytes, sizeof bytes));
}

static void expect_hex(const struct sha256 *sum, const char *want)
{
    char hex[2 * SHA256_BYTES + 1];
    hex_encode(sum->b, SHA256_BYTES, hex);
    assert_string_equal(hex, want);
}

#define SHA_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void sha256_gives_the_vectors_of_fips_180(void **state)
{
    (void)state;
    struct sha256 sum;
    sha256_of("abc", 3, &sum);
    expect_hex(&sum, SHA_OF_ABC);
    sha256_of("", 0, &sum);
    expect_hex(&sum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_sha256_stream_takes_parts_and_starts_again(void **state)
{
    (void)state;
    struct sha256_stream *s = sha256_new();
    struct sha256 sum;
    for (int round = 0; round < 2; round++) {
        sha256_reset(s);
        sha256_add(s, "a", 1);
        sha256_add(s, "", 0);
        sha256_add(s, "bc", 2);
        sha256_end(s, &sum);
        expect_hex(&sum, SHA_OF_ABC);
    }
    sha256_free(s);
    sha256_free(NULL);
}

static void hex_comes_back_and_anything_else_is_refused(void **state)
{
    (void)state;
    unsigned char out[3] = {0};
    assert_int_equal(hex_decode(SLICE_LIT("00fFa9"), out, 3), WEIR_OK);
    assert_memory_equal(out, "\x00\xff\xa9", 3);
    static const char *const bad[] = {"", "00ff", "00ffa", "00ffa9a", "00ffag", "00ff a", "0x00ff", "00ffa@"};
    for (size_t i = 0; i < WEIR_COUNT(bad); i++)
        assert_int_equal(hex_decode(slice_of(bad[i]), out, 3), WEIR_SYNTAX);
    assert_memory_equal(out, "\x00\xff\xa9", 3);
}

/* How often the child lives through "commit" before it dies there (of at most 5 passes), or -1 if it lives on. */
static int passes_until_death(const char *spec)
{
    int ends[2], lived = 0;
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        setenv("WEIR_FAILPOINT", spec, 1);
        for (int i = 0; i < 5; i++) {
            failpoint("other");
            failpoint("commit");
            if (write(ends[1], "x", 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1)
        lived++;
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        return lived == 5 ? -1 : -2;
    assert_int_equal(WTERMSIG(status), SIGKILL);
    return lived;
}

static void a_failpoint_kills_at_the_pass_that_was_asked_for(void **state)
{
    (void)state;
    assert_int_equal(passes_until_death("commit"), 0);
    assert_int_equal(passes_until_death("commit:1"), 0);
    assert_int_equal(passes_until_death("commit:4"), 3);
    assert_int_equal(passes_until_death("commit:nonsense"), 0);
}

static void a_failpoint_spares_whom_it_does_not_mean(void **state)
{
    (void)state;
    assert_int_equal(passes_until_death("commit:6"), -1);
    assert_int_equal(passes_until_death("commi"), -1);
    assert_int_equal(passes_until_death("commit2"), -1);
    assert_int_equal(passes_until_death(""), -1);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--hash") == 0) {
        uint64_t hash[2] = {hash_u64x2(1, 2), hash_bytes("weir", 4)};
        return write(STDOUT_FILENO, hash, sizeof hash) == (ssize_t)sizeof hash ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_2_4_gives_the_vector_of_its_paper),
        cmocka_unit_test(siphash_1_3_gives_the_values_of_cpython),
        cmocka_unit_test(stable_hash_is_siphash_2_4_with_the_zero_key_for_ever),
        cmocka_unit_test(keyed_hashes_repeat_inside_a_process),
        cmocka_unit_test(keyed_hashes_differ_between_processes),
        cmocka_unit_test(neighbouring_keys_spread_like_random_ones),
        cmocka_unit_test(keys_chosen_to_meet_under_a_key_of_zeros_spread_like_random_ones),
        cmocka_unit_test(crc32c_gives_the_vectors_of_rfc_3720),
        cmocka_unit_test(crc32c_may_be_fed_in_parts),
        cmocka_unit_test(both_ways_to_a_crc_agree),
        cmocka_unit_test(sha256_gives_the_vectors_of_fips_180),
        cmocka_unit_test(a_sha256_stream_takes_parts_and_starts_again),
        cmocka_unit_test(hex_comes_back_and_anything_else_is_refused),
        cmocka_unit_test(a_failpoint_kills_at_the_pass_that_was_asked_for),
        cmocka_unit_test(a_failpoint_spares_whom_it_does_not_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
