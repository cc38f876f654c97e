/* The usual form of pcap is read by a reader of our own, all else by libpcap: of the same bytes both make the same records, counts and refusals.
 * A bit of the link type that says "no checksum follows" sends a capture to libpcap and means nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <sys/stat.h>

#include "packet_make.h"

#define CAPTURES "../shared/data/pcap/"
/* Packets after 2038: libpcap takes such seconds for negative ones, so that they would have no time. */
static const char *const after_2038[] = {"time_2038_overflow.pcap", "pim_header_asan-2.pcap", "y2038-bgp.pcap"};

#define SNAP_AT 16
#define LINK_AT 20


/* A copy for libpcap. */
static struct slice for_libpcap(struct slice object)
{
    char *p = malloc(object.n);
    assert_non_null(p);
    memcpy(p, object.p, object.n);
    p[p[0] == '\xa1' ? LINK_AT : LINK_AT + 3] |= 4;
    return (struct slice){p, object.n};
}

static bool is_pcap(struct slice o)
{
    return o.n >= 24 && (memcmp(o.p, "\xd4\xc3\xb2\xa1", 4) == 0 || memcmp(o.p, "\x4d\x3c\xb2\xa1", 4) == 0 || memcmp(o.p, "\xa1\xb2\xc3\xd4", 4) == 0 ||
                         memcmp(o.p, "\xa1\xb2\x3c\x4d", 4) == 0);
}

static void both_read_it_alike(struct decoder *d, struct capture_sums *sums, struct slice object, size_t piece)
{
    enum weir_err own = sum_capture(d, sums, object, piece);
    struct capture_sums mine = *sums;
    struct slice copy = for_libpcap(object);
    enum weir_err other = sum_capture(d, sums, copy, 0);
    free((char *)(uintptr_t)copy.p);
    assert_int_equal(own, other);
    assert_int_equal(mine.bad, sums->bad);
    assert_int_equal(mine.digest, sums->digest);
    assert_memory_equal(&mine.counts, &sums->counts, sizeof mine.counts);
    if (own)
        assert_string_equal(mine.fault.text, sums->fault.text);
}

/* Three packets, of which the second is as long as the snapshot length allows. */
static struct pcap_file make(uint32_t magic, uint32_t snap)
{
    struct pcap_file f = {0, 0, NULL};
    file_begin(&f, magic, LINKTYPE_ETHERNET);
    memcpy(f.p + SNAP_AT, &snap, sizeof snap);
    for (unsigned i = 0; i < 3; i++) {
        struct bytes p = {.n = 0};
        put_ethernet(&p, 0x0800);
        put_ipv4(&p, (struct v4){.protocol = 6, .body = 20 + 100 * i});
        put_tcp(&p, 40000 + i, 443, 16);
        put_zeros(&p, 100 * i);
        file_packet(&f, T0 + i, 999999, &p, 0);
    }
    return f;
}

static void swap_words(char *p, size_t n)
{
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t v;
        memcpy(&v, p, 4);
        v = __builtin_bswap32(v);
        memcpy(p, &v, 4);
    }
}

/* The other byte order: headers only. */
static void swap_file(struct pcap_file *f)
{
    uint32_t n;
    for (size_t at = 24; at < f->n; at += 16 + n) {
        memcpy(&n, f->p + at + 8, 4);
        swap_words(f->p + at, 16);
    }
    swap_words(f->p, 24);
    uint32_t version = 4 << 24 | 2 << 8; /* two halves, not a word */
    memcpy(f->p + 4, &version, 4);
}

static void each_form_in_pieces_of_any_size_is_read_as_libpcap_reads_it(void **state)
{
    (void)state;
    static const uint32_t magics[] = {PCAP_MICRO, PCAP_NANO};
    struct capture_sums sums = {.packets = 0};
    struct decoder *d = capture_decoder(&sums);
    for (unsigned form = 0; form < 4; form++) {
        struct pcap_file f = make(magics[form / 2], 262144);
        if (form % 2)
            swap_file(&f);
        for (size_t piece = 0; piece < 50; piece++)
            both_read_it_alike(d, &sums, (struct slice){f.p, f.n}, piece);
        assert_int_equal(sums.packets, 3);
        assert_int_equal(sums.bytes, 40 + 140 + 240);
        free(f.p);
    }
    decoder_free(d);
}

static void a_file_that_is_cut_anywhere_is_refused_as_libpcap_refuses_it(void **state)
{
    (void)state;
    struct capture_sums sums = {.packets = 0};
    struct decoder *d = capture_decoder(&sums);
    struct pcap_file f = make(PCAP_MICRO, 262144);
    for (size_t n = 24; n <= f.n; n++)
        both_read_it_alike(d, &sums, (struct slice){f.p, n}, 0);
    assert_int_equal(sums.bad, BAD_NONE);
    free(f.p);
    decoder_free(d);
}

static void more_than_the_snapshot_length_is_passed_over_and_a_mad_length_refused(void **state)
{
    (void)state;
    struct capture_sums sums = {.packets = 0};
    struct decoder *d = capture_decoder(&sums);
    struct pcap_file f = make(PCAP_MICRO, 60);
    for (size_t n = 24; n <= f.n; n++)
        both_read_it_alike(d, &sums, (struct slice){f.p, n}, 0);
    assert_int_equal(sums.packets, 3);
    static const uint32_t mad[] = {262144, 262145, 0x7fffffff, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < WEIR_COUNT(mad); i++) {
        memcpy(f.p + 24 + 8, &mad[i], 4);
        both_read_it_alike(d, &sums, (struct slice){f.p, f.n}, 0);
        assert_int_equal(sums.bad, BAD_CAPTURE);
    }
    free(f.p);
    decoder_free(d);
}

static size_t read_folder(struct decoder *d, struct capture_sums *sums, const char *path)
{
    size_t files = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char name[600];
        struct stat st;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (stat(name, &st) || !S_ISREG(st.st_mode))
            continue;
        struct slice object = read_file(name);
        bool late = false;
        for (size_t i = 0; i < WEIR_COUNT(after_2038); i++)
            late |= strcmp(e->d_name, after_2038[i]) == 0;
        if (is_pcap(object) && !late) {
            both_read_it_alike(d, sums, object, 4096);
            files++;
        }
        free((char *)(uintptr_t)object.p);
    }
    if (dir)
        closedir(dir);
    return files;
}

static void the_captures_of_other_projects_are_read_as_libpcap_reads_them(void **state)
{
    (void)state;
    static const char *const folders[] = {"libpcap", "tcpdump", "zeek", "suricata-verify", "arkime"};
    struct capture_sums sums = {.packets = 0};
    struct decoder *d = capture_decoder(&sums);
    size_t files = 0;
    for (size_t i = 0; i < WEIR_COUNT(folders); i++) {
        char path[100];
        snprintf(path, sizeof path, CAPTURES "%s", folders[i]);
        files += read_folder(d, &sums, path);
    }
    decoder_free(d);
    if (!files) {
        print_message("skipped: no " CAPTURES "\n");
        skip();
    }
    print_message("%zu captures\n", files);
    assert_true(files > 500);
}

static void packets_after_2038_have_a_time(void **state)
{
    (void)state;
    struct capture_sums sums = {.packets = 0};
    struct decoder *d = capture_decoder(&sums);
    struct pcap_file f = make(PCAP_MICRO, 262144);
    uint32_t late = 2147483648u + 60;
    memcpy(f.p + 24, &late, sizeof late);
    assert_int_equal(sum_capture(d, &sums, (struct slice){f.p, f.n}, 0), WEIR_OK);
    assert_int_equal(sums.packets, 3);
    assert_int_equal(rejects_of(&sums.counts), 0);
    free(f.p);
    decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_in_pieces_of_any_size_is_read_as_libpcap_reads_it),
        cmocka_unit_test(a_file_that_is_cut_anywhere_is_refused_as_libpcap_refuses_it),
        cmocka_unit_test(more_than_the_snapshot_length_is_passed_over_and_a_mad_length_refused),
        cmocka_unit_test(packets_after_2038_have_a_time),
        cmocka_unit_test(the_captures_of_other_projects_are_read_as_libpcap_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
