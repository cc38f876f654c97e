/* Reading a stored finding. jansson checks that it is JSON and UTF-8; the getters take nothing for granted after that.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "sink/sink_private.h"

json_t *view_load(struct slice text, struct fault *fault)
{
    json_error_t error;
    json_t *doc = json_loadb(text.p ? text.p : "", text.n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (!doc) {
        fault_set(fault, WEIR_CORRUPT, "finding is not JSON: byte %d: %s", error.position, error.text);
        return NULL;
    }
    if (json_is_object(doc)) return doc;
    json_decref(doc);
    fault_set(fault, WEIR_CORRUPT, "finding is not a JSON object");
    return NULL;
}

const json_t *view_at(const json_t *in, const char *path)
{
    while (in && *path) {
        char key[64];
        size_t n = strcspn(path, ".");
        if (n >= sizeof key) return NULL;
        memcpy(key, path, n);
        key[n] = 0;
        in = json_object_get(in, key);
        path += n + (path[n] == '.');
    }
    return in;
}

struct slice view_text(const json_t *in, const char *path)
{
    const json_t *v = view_at(in, path);
    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)} : (struct slice){"", 0};
}

uint64_t view_u64(const json_t *in, const char *path)
{
    json_int_t v = json_integer_value(view_at(in, path));
    return v > 0 ? (uint64_t)v : 0;
}

double view_real(const json_t *in, const char *path) { return json_number_value(view_at(in, path)); }
bool view_bool(const json_t *in, const char *path) { return json_is_true(view_at(in, path)); }
size_t view_count(const json_t *in, const char *path) { return json_array_size(view_at(in, path)); }
const json_t *view_item(const json_t *in, const char *path, size_t i) { return json_array_get(view_at(in, path), i); }

enum score_test view_test(const json_t *part)
{
    struct slice word = view_text(part, "test");
    unsigned i = 0;
    while (i < SCORE_TEST_COUNT && !slice_eq(word, slice_of(score_test_word((enum score_test)i)))) i++;
    return (enum score_test)i;
}

double bytes_to_octaves(uint64_t bytes) { return log2(1 + (double)bytes / 65536); }
uint64_t octaves_to_bytes(double octaves) { return octaves > 0 && octaves < 47 ? (uint64_t)llround(65536 * (exp2(octaves) - 1)) : 0; }
