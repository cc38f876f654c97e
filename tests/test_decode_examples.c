/* The records that AWS documents and a real CloudWatch export, from the folder of test logs beside the checkout: every known
 * field, written out again, must be the text that stood in its column. Skips, and says so, where the folder is absent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "decode_run.h"

#define EXAMPLES "../shared/data/aws/"

/* The inflated file, NUL-terminated; NULL if it is not there. */
static char *read_file(const char *name, size_t *n)
{
    const size_t max = 8 << 20;
    char path[256];
    snprintf(path, sizeof path, "%s%s", EXAMPLES, name);
    gzFile f = gzopen(path, "rb"); /* plain text passes through */
    if (!f) {
        print_message("# SKIP %s: not there\n", path);
        return NULL;
    }
    char *text = malloc(max);
    assert_non_null(text);
    int got = gzread(f, text, (unsigned)max - 1);
    gzclose(f);
    assert_true(got > 0);
    *n = (size_t)got;
    text[got] = '\0';
    return text;
}

static void render_number(char *out, uint64_t v)
{
    snprintf(out, IP_TEXT_MAX, "%llu", (unsigned long long)v);
}

static void render_slice(char *out, struct slice s)
{
    snprintf(out, IP_TEXT_MAX, "%.*s", (int)s.n, s.p);
}

/* The value of a field as AWS writes it; false: weir does not read this field. */
static bool render(const struct record *r, unsigned f, char out[IP_TEXT_MAX])
{
    static const char *const actions[] = {"-", "ACCEPT", "REJECT"}, *const statuses[] = {"OK", "NODATA", "SKIPDATA"},
                      *const directions[] = {"-", "ingress", "egress"};
    snprintf(out, IP_TEXT_MAX, "-");
    bool has = f < 64 && ((r->has >> f) & 1);
    switch (f) {
    case FIELD_ACCOUNT_ID: if (has) render_slice(out, r->account); return true;
    case FIELD_INTERFACE_ID: if (has) render_slice(out, r->interface); return true;
    case FIELD_VPC_ID: if (has) render_slice(out, r->vpc); return true;
    case FIELD_SUBNET_ID: if (has) render_slice(out, r->subnet); return true;
    case FIELD_INSTANCE_ID: if (has) render_slice(out, r->instance); return true;
    case FIELD_SRCADDR: if (has) ip_format(r->src, out); return true;
    case FIELD_DSTADDR: if (has) ip_format(r->dst, out); return true;
    case FIELD_PKT_SRCADDR: if (has) ip_format(r->pkt_src, out); return true;
    case FIELD_PKT_DSTADDR: if (has) ip_format(r->pkt_dst, out); return true;
    case FIELD_SRCPORT: if (has) render_number(out, r->src_port); return true;
    case FIELD_DSTPORT: if (has) render_number(out, r->dst_port); return true;
    case FIELD_PROTOCOL: if (has) render_number(out, r->protocol); return true;
    case FIELD_PACKETS: if (has) render_number(out, r->packets); return true;
    case FIELD_BYTES: if (has) render_number(out, r->bytes); return true;
    case FIELD_START: if (has) render_number(out, (uint64_t)r->start_s); return true;
    case FIELD_END: if (has) render_number(out, (uint64_t)r->end_s); return true;
    case FIELD_TCP_FLAGS: if (has) render_number(out, r->tcp_flags); return true;
    case FIELD_TRAFFIC_PATH: if (has) render_number(out, r->traffic_path); return true;
    case FIELD_ACTION: snprintf(out, IP_TEXT_MAX, "%s", actions[r->action]); return true;
    case FIELD_LOG_STATUS: snprintf(out, IP_TEXT_MAX, "%s", statuses[r->status]); return true;
    case FIELD_FLOW_DIRECTION: snprintf(out, IP_TEXT_MAX, "%s", directions[r->direction]); return true;
    default: return false;
    }
}

/* Returns the number of fields compared. */
static unsigned assert_reads_back(const struct layout *layout, struct slice line)
{
    struct record r;
    struct verdict v;
    struct slice rest = line, token;
    unsigned compared = 0;
    char text[IP_TEXT_MAX];
    assert_int_equal(decode_line(layout, line, &r, &v.why, &v.field, &v.notes), WEIR_OK);
    for (unsigned c = 0; token_next(&rest, false, &token); c++)
        if (render(&r, layout->field[c], text)) {
            assert_slice(token, text);
            compared++;
        }
    return compared;
}

/* All records of a file by its header line. */
static void assert_file_reads_back(const char *name, unsigned records, unsigned fields)
{
    size_t n;
    struct layout layout;
    unsigned lines = 0, compared = 0;
    char *text = read_file(name, &n);
    if (!text) {
        skip();
        return;
    }
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        struct slice s = {line, (size_t)(end - line)};
        if (line == text) {
            assert_int_equal(layout_parse(s, &layout, NULL, NULL), WEIR_OK);
        } else if (s.n) {
            compared += assert_reads_back(&layout, s);
            lines++;
        }
    }
    assert_int_equal(lines, records);
    assert_int_equal(compared, records * fields);
    free(text);
}

static void reads_the_default_format_of_the_guide(void **state)
{
    (void)state;
    assert_file_reads_back("doc-examples/aws-v2.log", 7, 13);
}

static void reads_the_tcp_flags_examples_of_the_guide(void **state)
{
    (void)state;
    assert_file_reads_back("doc-examples/aws-v3-tcp-flags.log", 8, 19);
}

static void reads_the_nat_examples_of_the_guide(void **state)
{
    (void)state;
    assert_file_reads_back("doc-examples/aws-nat-six-fields.log", 6, 6);
}

static void reads_the_transit_gateway_examples_of_the_guide(void **state)
{
    (void)state;
    assert_file_reads_back("doc-examples/aws-v3-tgw.log", 4, 15);
}

static void reads_the_service_path_examples_of_the_guide(void **state)
{
    (void)state;
    assert_file_reads_back("doc-examples/aws-v5-service-path.log", 2, 21);
}

static void reads_a_real_cloudwatch_export_without_one_reject(void **state)
{
    (void)state;
    size_t n;
    char *text = read_file("eks-20241220.cloudwatch.txt.gz", &n);
    if (!text) {
        skip();
        return;
    }
    struct run *run = run_split((struct slice){text, n}, NULL, 0, 65536);
    const struct decode_counts *c = &run->counts;
    assert_int_equal(run->bad, BAD_NONE);
    assert_true(c->lines == 11057 && c->emitted == 11057 && c->by_status[STATUS_OK] == 10994 && c->by_status[STATUS_SKIPDATA] == 63);
    assert_true(c->by_action[ACTION_ACCEPT] == 10452 && c->by_action[ACTION_REJECT] == 542);
    assert_true(c->notes[NOTE_TIMESTAMP_PREFIX] == 1 && c->notes[NOTE_NO_HEADER] == 1);
    free(run);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_default_format_of_the_guide),
        cmocka_unit_test(reads_the_tcp_flags_examples_of_the_guide),
        cmocka_unit_test(reads_the_nat_examples_of_the_guide),
        cmocka_unit_test(reads_the_transit_gateway_examples_of_the_guide),
        cmocka_unit_test(reads_the_service_path_examples_of_the_guide),
        cmocka_unit_test(reads_a_real_cloudwatch_export_without_one_reject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
