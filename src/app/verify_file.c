/* SPDX-License-Identifier: Apache-2.0 */
/* The full files of a sink from the lowest number on, then the present one: a chain goes through all of them. Those with the lowest
 * numbers may have been moved away; then the first line at hand is believed, and its number is told. */
#include "app/verify_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "weir/sink_channel.h"

static enum weir_err verify_one(const char *path, struct chain *chain, struct fault *fault)
{
    FILE *in = fopen(path, "re");
    if (!in) return fault_set(fault, WEIR_IO, "cannot read: %s", strerror(errno));
    enum weir_err err = chain_verify(in, chain, fault);
    fclose(in);
    return err;
}

static void say(struct app *app, const char *path, const char *text)
{
    struct buffer b;
    buffer_init(&b, 65536);
    escape_terminal(&b, slice_of(path));
    fprintf(app->out, "%s: %s\n", buffer_cstr(&b), text);
    buffer_fini(&b);
}

int verify_findings_file(struct app *app, const char *path, bool sealed)
{
    uint64_t low, high = chain_files(path, &low), files = high ? high - low + 2 : 1;
    struct chain chain = {.goes_on = low != 1};
    struct fault fault = {WEIR_OK, ""};
    char one[PATH_MAX], text[256], hex[2 * SHA256_BYTES + 1];
    if (sealed) {
        app_complain(app, "option '--seal': a file of findings has no seal, note the hash of its last line instead");
        return APP_USAGE;
    }
    for (uint64_t i = 0; i < files; i++) {
        if (i + 1 < files) snprintf(one, sizeof one, "%s.%llu", path, (unsigned long long)(low + i));
        if (verify_one(i + 1 < files ? one : path, &chain, &fault) == WEIR_OK) continue;
        say(app, i + 1 < files ? one : path, fault.text);
        return APP_REJECTED;
    }
    hex_encode(chain.last.b, SHA256_BYTES, hex);
    snprintf(text, sizeof text, "lines %llu to %llu in %llu file%s fit, the hash of the last is %s", (unsigned long long)chain.first, (unsigned long long)chain.lines,
             (unsigned long long)files, files == 1 ? "" : "s", hex);
    say(app, path, text);
    return APP_DONE;
}
