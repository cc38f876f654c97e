/* The 733 captures of other projects: every one is read without harm, and the packets are as many as capinfos counts. Skips where the
 * collection is not at hand. What differs stands in a table with its reason. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "capture_run.h"

#define CAPTURES "../shared/data/pcap/"

struct expected {
    char file[200];
    bool known; /* capinfos could read it */
    uint64_t packets;
};

static const struct { const char *file, *reason; uint64_t packets; } differences[] = {
    {"libpcap/pcap-invalid-version-2.pcap", "libpcap refuses version 2.5, as tcpdump does", 0},
};

static bool read_expected(FILE *list, struct expected *e)
{
    char line[1024];
    if (!fgets(line, sizeof line, list))
        return false;
    char *save = line, *file = strsep(&save, "\t");
    strsep(&save, "\t");
    strsep(&save, "\t");
    char *packets = strsep(&save, "\t");
    snprintf(e->file, sizeof e->file, "%s", file);
    e->known = packets && parse_u64(slice_of(packets), UINT64_MAX, &e->packets) == WEIR_OK;
    return true;
}

/* "...: 105 (IEEE802_11)" */
static bool names_a_link_type(const char *text)
{
    const char *colon = strrchr(text, ':');
    return colon && colon[2] >= '0' && colon[2] <= '9' && strchr(colon, '(') && text[strlen(text) - 1] == ')';
}

static bool explained(const char *file, uint64_t packets)
{
    for (size_t i = 0; i < WEIR_COUNT(differences); i++)
        if (strcmp(differences[i].file, file) == 0 && differences[i].packets == packets)
            return true;
    return false;
}

static void each_capture_is_read_and_its_packets_are_those_of_capinfos(void **state)
{
    (void)state;
    FILE *list = fopen(CAPTURES "EXPECTED.tsv", "r");
    if (!list) {
        print_message("skipped: no " CAPTURES "\n");
        skip();
    }
    struct capture_sums sums = {.packets = 0};
    struct decoder *d = capture_decoder(&sums);
    struct expected e;
    size_t files = 0, wrong = 0, links = 0, whole = 0;
    assert_true(read_expected(list, &e)); /* the head of the table */
    while (read_expected(list, &e)) {
        char path[300];
        snprintf(path, sizeof path, CAPTURES "%s", e.file);
        struct slice object = read_file(path);
        assert_non_null(object.p);
        enum weir_err err = sum_capture(d, &sums, object, 0);
        free((char *)(uintptr_t)object.p);
        uint64_t packets = sums.counts.notes[NOTE_PACKET_READ];
        files++;
        links += sums.bad == BAD_LINK_TYPE;
        if (sums.bad == BAD_LINK_TYPE)
            assert_true(names_a_link_type(sums.fault.text));
        else if (!err)
            whole++;
        bool refused = !e.known && sums.bad == BAD_CAPTURE; /* capinfos cannot read it either */
        if (sums.bad == BAD_LINK_TYPE || refused || (e.known && packets == e.packets) || explained(e.file, packets))
            continue;
        wrong++;
        print_message("%s: %llu packets, %llu expected; %s\n", e.file, (unsigned long long)packets, (unsigned long long)e.packets, err ? sums.fault.text : "whole");
    }
    fclose(list);
    decoder_free(d);
    assert_int_equal(files, 733);
    assert_int_equal(wrong, 0);
    print_message("%zu whole, %zu of another link type\n", whole, links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_capture_is_read_and_its_packets_are_those_of_capinfos),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
