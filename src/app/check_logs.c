/* SPDX-License-Identifier: Apache-2.0 */
/* `weir check PATH...`: the heads of some objects, spread evenly over all: can they be read, and which columns do they lack that
 * would make it surer whose bytes are whose. */
#include "app/check.h"
#include "app/coverage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/decode.h"
#include "weir/source.h"

#define SAMPLE 64
#define HEAD (64u << 10)

struct heads {
    struct check *c;
    struct source *source;
    struct decoder *decoder;
    char *memory;
    unsigned looked_at, bad, texts, lacking[COVERAGE_WISHES];
    bool text; /* the one in work */
};

static void drop_record(void *ctx, const struct record *r)
{
    (void)ctx;
    (void)r;
}

static enum weir_err read_head(struct heads *h, const struct object *o, struct fault *fault)
{
    size_t n = 0;
    decoder_begin(h->decoder);
    enum weir_err err = source_open(h->source, o, fault);
    if (!err)
        err = source_read(h->source, h->memory + DECODE_HEADROOM, HEAD, &n, fault);
    h->text = !err && strcmp(decode_kind((struct slice){h->memory + DECODE_HEADROOM, n}), DECODE_TEXT) == 0;
    if (h->text)
        err = decoder_feed(h->decoder, h->memory + DECODE_HEADROOM, n, fault);
    return err;
}

static void look_at(struct heads *h, const struct object *o)
{
    struct fault fault = {WEIR_OK, ""};
    enum weir_err err = read_head(h, o, &fault);
    if (err == WEIR_END)
        return; /* empty */
    h->looked_at++;
    if (err) {
        if (!h->bad++)
            check_add(h->c, "logs", CHECK_BAD, "such objects are left out of every run", "'%.300s': %.250s", o->path, fault.text);
        return;
    }
    if (!h->text)
        return; /* other kinds have no columns to choose */
    h->texts++;
    unsigned lacking = coverage_lacking(decoder_layout(h->decoder));
    for (size_t i = 0; i < COVERAGE_WISHES; i++)
        h->lacking[i] += lacking >> i & 1;
}

static void tell(struct heads *h, const struct object_list *list)
{
    size_t n = object_list_count(list);
    char size[BYTES_TEXT_MAX];
    bytes_format(object_list_bytes(list), size);
    check_add(h->c, "logs", !n ? CHECK_POOR : h->bad ? CHECK_BAD : CHECK_FINE, n ? "" : "there is nothing to count", "%zu objects, %s; looked at the heads of %u, %u cannot be read",
              n, size, h->looked_at, h->bad);
    for (size_t i = 0; i < COVERAGE_WISHES; i++)
        if (h->lacking[i])
            check_add(h->c, coverage_wish[i].subject, CHECK_POOR, coverage_wish[i].cost, "%u of %u lack it", h->lacking[i], h->texts);
    if (h->bad)
        check_code(h->c, APP_REJECTED);
}

static void look_at_some(struct heads *h, const struct object_list *list)
{
    size_t n = object_list_count(list), sample = n < SAMPLE ? n : SAMPLE;
    for (size_t i = 0; i < sample && !app_interrupted(); i++)
        look_at(h, object_list_at(list, i * n / sample));
    tell(h, list);
}

/* The layout of --fields, for logs without header. */
static enum weir_err configured(const struct config *config, struct layout *layout, struct fault *fault)
{
    return *config->fields ? layout_parse(slice_of(config->fields), layout, NULL, fault) : WEIR_OK;
}

static enum weir_err look_at_list(struct check *c, const struct object_list *list, struct fault *fault)
{
    struct layout layout;
    struct source_limits limits = {c->app->config->max_object_bytes, (uint32_t)c->app->config->max_ratio, source_default_limits.max_objects};
    enum weir_err err = configured(c->app->config, &layout, fault);
    if (err)
        return fault->err = WEIR_USAGE;
    struct decode_sink sink = {NULL, drop_record, NULL};
    struct heads h = {.c = c, .source = source_new(&limits, INFLATE_BEST), .memory = malloc(DECODE_HEADROOM + HEAD),
                      .decoder = decoder_new(*c->app->config->fields ? &layout : NULL, sink)};
    if (h.source && h.memory && h.decoder)
        look_at_some(&h, list);
    else
        err = fault_set(fault, WEIR_NOMEM, "out of memory");
    source_free(h.source);
    decoder_free(h.decoder);
    free(h.memory);
    return err;
}

void check_logs(struct check *c, int argc, char **argv)
{
    struct fault fault = {WEIR_OK, ""};
    struct object_list *list = object_list_new(&source_default_limits);
    enum weir_err err = list ? WEIR_OK : fault_set(&fault, WEIR_NOMEM, "out of memory");
    for (int i = 0; i < argc && !err; i++)
        if ((err = object_list_add(list, argv[i], &fault)))
            fault.err = err == WEIR_NOTFOUND ? WEIR_USAGE : err;
    if (!err) {
        object_list_sort(list);
        err = look_at_list(c, list, &fault);
    }
    if (err) {
        check_add(c, "logs", CHECK_BAD, "", "%s", fault.text);
        check_code(c, (int)app_exit_of(fault.err));
    }
    object_list_free(list);
}
