/* parquetgen [OPTION...] LOG FILE: a text log with a header line (plain, "-" is standard input) as a Parquet file.
 *   --codec none|snappy|gzip|zstd     --encoding plain|dictionary|delta     --integers aws|64|text
 *   --pages 1|2      --page-rows N      --group-rows N      --required      --checksums
 * parquetgen --scan FILE: reads a file through the decoder of weir, and tells rows, sum of bytes and seconds of processor time.
 * parquetgen --corpus FOLDER: small files of every kind, for the fuzz target. The writer is that of the unit tests, tests/parquet_make.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "tests/object_input.h"
#include "tests/parquet_table.h"

#define TEXT_MAX ((size_t)8 << 30)

static void fatal(const char *what, const char *subject)
{
    fprintf(stderr, "parquetgen: %s '%s'\n", what, subject);
    exit(2);
}

static int word_of(const char *const *words, const int *value, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return value[i];
    fatal("unknown word", word);
    return 0;
}

static enum make_codec codec_of(const char *word)
{
    static const char *const words[] = {"none", "snappy", "gzip", "zstd"};
    static const int value[] = {MAKE_NONE, MAKE_SNAPPY, MAKE_GZIP, MAKE_ZSTD};
    return (enum make_codec)word_of(words, value, WEIR_COUNT(words), word);
}

static void set_encoding(struct make *m, const char *word)
{
    static const char *const words[] = {"plain", "dictionary", "delta"};
    static const int numbers[] = {MAKE_PLAIN, MAKE_DICTIONARY, MAKE_DELTAS}, texts[] = {MAKE_PLAIN, MAKE_DICTIONARY, MAKE_LENGTHS};
    m->numbers = (enum make_encoding)word_of(words, numbers, WEIR_COUNT(words), word);
    m->texts = (enum make_encoding)word_of(words, texts, WEIR_COUNT(words), word);
}

static enum make_integers integers_of(const char *word)
{
    static const char *const words[] = {"aws", "64", "text"};
    static const int value[] = {MAKE_AS_AWS, MAKE_ALL_64, MAKE_ALL_TEXT};
    return (enum make_integers)word_of(words, value, WEIR_COUNT(words), word);
}

static uint32_t rows_of(const char *text)
{
    uint64_t v = 0;
    if (parse_u64(slice_of(text), UINT32_MAX, &v) != WEIR_OK)
        fatal("no number of rows", text);
    return (uint32_t)v;
}

static char *read_all(const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    struct buffer b;
    if (!f)
        fatal("cannot open", path);
    buffer_init(&b, TEXT_MAX);
    for (;;) {
        char *to = buffer_reserve(&b, 1 << 20);
        if (!to)
            fatal("out of memory for", path);
        size_t n = fread(to, 1, 1 << 20, f);
        if (n == 0)
            break;
        b.n += n;
    }
    if (f != stdin)
        fclose(f);
    buffer_u8(&b, 0);
    return b.p;
}

static void write_made(const struct make *m, const char *text, const char *path)
{
    struct text_table t;
    struct buffer out;
    FILE *f = fopen(path, "wb");
    if (!f)
        fatal("cannot write", path);
    table_of(&t, text);
    buffer_init(&out, TEXT_MAX);
    make_parquet(&out, m, &t.table);
    if (out.err || fwrite(out.p, 1, out.n, f) != out.n || fclose(f) != 0)
        fatal("cannot write", path);
    buffer_fini(&out);
    table_free(&t);
}

/* ---- the benchmark ---- */

struct sum {
    uint64_t rows, bytes;
};

static void add(void *ctx, const struct record *r)
{
    struct sum *s = ctx;
    s->rows++;
    s->bytes += r->bytes;
}

static enum weir_err file_next(void *ctx, char **p, size_t *n, struct fault *fault)
{
    static char piece[DECODE_HEADROOM + (128 << 10)];
    (void)fault;
    *n = fread(piece + DECODE_HEADROOM, 1, sizeof piece - DECODE_HEADROOM, ctx);
    *p = piece + DECODE_HEADROOM;
    return *n ? WEIR_OK : WEIR_END;
}

static enum weir_err file_spool(void *ctx, const char *p, size_t n, struct fault *fault)
{
    (void)ctx; /* the file is there already */
    (void)p;
    (void)n;
    (void)fault;
    return WEIR_OK;
}

static enum weir_err file_at(void *ctx, uint64_t at, void *out, size_t n, struct fault *fault)
{
    if (fseeko(ctx, (off_t)at, SEEK_SET) != 0 || fread(out, 1, n, ctx) != n)
        return fault_set(fault, WEIR_IO, "cannot read");
    return WEIR_OK;
}

static void scan(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct sum sum = {0, 0};
    struct fault fault = {.text = "out of memory"};
    struct decode_input input = {f, file_next, file_spool, file_at};
    struct decoder *d = decoder_new(NULL, (struct decode_sink){&sum, add, NULL});
    if (!f)
        fatal("cannot open", path);
    clock_t began = clock();
    if (!d || decoder_run(d, &input, &fault) != WEIR_OK)
        fatal("cannot read", fault.text);
    double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
    printf("%llu rows, %llu bytes, %.3f s, %.2f million rows a second\n", (unsigned long long)sum.rows, (unsigned long long)sum.bytes, seconds,
           (double)sum.rows / seconds / 1e6);
    decoder_free(d);
    fclose(f);
}

/* ---- the corpus ---- */

static const char corpus_log[] =
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status flow-direction\n"
    "5 123456789010 eni-0a1b2c3d 10.0.0.1 192.0.2.7 40000 443 6 20 4249 1700000000 1700000060 ACCEPT OK egress\n"
    "5 123456789010 eni-0a1b2c3d 192.0.2.7 10.0.0.1 443 40000 6 18 999999 1700000000 1700000060 ACCEPT OK ingress\n"
    "5 123456789010 eni-0a1b2c3d - - - - - - - 1700000060 1700000120 - NODATA -\n"
    "5 123456789010 eni-0a1b2c3d 2001:db8::1 2001:db8::2 1 2 17 1 99 1700000120 1700000125 REJECT OK egress\n";

static void corpus_write(const char *folder)
{
    static const char *const codecs[] = {"none", "snappy", "gzip", "zstd"}, *const encodings[] = {"plain", "dictionary", "delta"};
    char path[4096];
    for (unsigned i = 0; i < 4 * 3 * 2; i++) {
        struct make m = {.codec = codec_of(codecs[i % 4]), .pages_v2 = i / 12, .page_rows = i % 3, .checksums = i % 4 == 2};
        set_encoding(&m, encodings[i / 4 % 3]);
        snprintf(path, sizeof path, "%s/%s-%s-pages-%u", folder, codecs[i % 4], encodings[i / 4 % 3], 1 + i / 12);
        write_made(&m, corpus_log, path);
    }
    snprintf(path, sizeof path, "%s/numbers-as-text", folder);
    write_made(&(struct make){.integers = MAKE_ALL_TEXT, .required = true}, corpus_log, path);
    snprintf(path, sizeof path, "%s/groups-of-columns", folder);
    write_made(&(struct make){.lie.nested = true}, corpus_log, path);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"codec", 1, NULL, 'c'}, {"encoding", 1, NULL, 'e'}, {"integers", 1, NULL, 'i'}, {"pages", 1, NULL, 'p'},
                                            {"page-rows", 1, NULL, 'r'}, {"group-rows", 1, NULL, 'g'}, {"required", 0, NULL, 'q'},
                                            {"checksums", 0, NULL, 's'}, {"corpus", 1, NULL, 'C'},
                                            {"scan", 1, NULL, 'S'}, {NULL, 0, NULL, 0}};
    struct make m = {.codec = MAKE_GZIP};
    set_encoding(&m, "dictionary");
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c': m.codec = codec_of(optarg); break;
        case 'e': set_encoding(&m, optarg); break;
        case 'i': m.integers = integers_of(optarg); break;
        case 'p': m.pages_v2 = rows_of(optarg) == 2; break;
        case 'r': m.page_rows = rows_of(optarg); break;
        case 'g': m.group_rows = rows_of(optarg); break;
        case 'q': m.required = true; break;
        case 's': m.checksums = true; break;
        case 'C': corpus_write(optarg); return 0;
        case 'S': scan(optarg); return 0;
        default: return 2;
        }
    }
    if (argc - optind != 2)
        fatal("usage: parquetgen [OPTION...] LOG FILE, see the head of", "scripts/parquetgen.c");
    char *text = read_all(argv[optind]);
    write_made(&m, text, argv[optind + 1]);
    free(text);
    return 0;
}
