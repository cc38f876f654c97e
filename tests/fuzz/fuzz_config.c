/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file. Refused: the message tells a line. Accepted: what is shown parses again, to the same
 * values and the same hash. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"

#define SHOWN_MAX (CONFIG_FILE_MAX / 8) /* quoting may grow what is shown; beyond its own limit it could not be read again */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what, const char *text)
{
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, text);
        abort();
    }
}

static void demand_same_values(const struct config *a, const struct config *b)
{
    for (enum param_id id = 0; id < PARAM_COUNT; id++) {
        struct buffer x, y;
        buffer_init(&x, 1u << 22);
        buffer_init(&y, 1u << 22);
        config_value(a, id, &x);
        config_value(b, id, &y);
        demand(x.n == y.n && strcmp(buffer_cstr(&x), buffer_cstr(&y)) == 0, "value changed", config_params[id].key);
        buffer_fini(&x);
        buffer_fini(&y);
    }
}

static void round_trip(struct config *a)
{
    char *const env[] = {NULL};
    struct fault fault = {0};
    struct buffer text;
    char before[17], after[17];
    struct config *b = config_new(env);
    demand(b && config_finish(a, &fault) == WEIR_OK, "cannot finish", fault.text);
    buffer_init(&text, 1u << 22);
    config_show(a, &text);
    demand(config_read_text(b, (struct slice){text.p, text.n}, "shown", &fault) == WEIR_OK, "what was shown is refused", fault.text);
    demand(config_finish(b, &fault) == WEIR_OK, "cannot finish", fault.text);
    demand_same_values(a, b);
    config_hash(a, before);
    config_hash(b, after);
    demand(strcmp(before, after) == 0, "another hash", after);
    buffer_fini(&text);
    config_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const env[] = {NULL};
    struct fault fault = {0};
    struct config *c = size > SHOWN_MAX ? NULL : config_new(env);
    if (!c)
        return 0;
    enum weir_err err = config_read_text(c, (struct slice){(const char *)data, size}, "f", &fault);
    if (err)
        demand(strncmp(fault.text, "config 'f': line ", 17) == 0, "no line", fault.text);
    else
        round_trip(c);
    config_free(c);
    return 0;
}
