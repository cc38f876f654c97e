/* SPDX-License-Identifier: Apache-2.0 */
/* A finding as it is sent. Our own text is changed in place, since a tree built and written again would print numbers in another
 * way: quotes are escaped inside of JSON strings, so none of the patterns is met in one. */
#include <string.h>

#include "app/delivery_private.h"

#define ACTIVITY "\"activity_id\":"
#define TYPE ",\"type_uid\":20040"
#define SEVERITY "\"severity_id\":"
#define TIME "\"time\":"
#define METADATA "\"metadata\":{"

static const char *find_text(struct slice in, const char *text) { return in.n ? memmem(in.p, in.n, text, strlen(text)) : NULL; }

/* The whole number behind a key; 0 if there is none. */
static uint64_t number_behind(struct slice json, const char *key)
{
    const char *at = find_text(json, key);
    size_t n = 0;
    uint64_t value = 0;
    if (!at) return 0;
    at += strlen(key);
    size_t left = json.n - (size_t)(at - json.p);
    while (n < left && at[n] >= '0' && at[n] <= '9') n++;
    return parse_u64((struct slice){at, n}, INT64_MAX, &value) == WEIR_OK ? value : 0;
}

unsigned stored_activity(struct slice json) { return (unsigned)number_behind(json, ACTIVITY); }
unsigned stored_severity(struct slice json) { return (unsigned)number_behind(json, SEVERITY); }
int64_t stored_time_s(struct slice json) { return (int64_t)(number_behind(json, TIME) / 1000); }

static const char *find_last(struct slice in, const char *text)
{
    const char *found = NULL;
    for (const char *at; (at = find_text(in, text)); in = (struct slice){at + 1, in.n - (size_t)(at + 1 - in.p)}) found = at;
    return found;
}

void parcel_text(struct slice json, unsigned activity, uint64_t seq, struct buffer *out)
{
    const char *at = find_text(json, ACTIVITY), *metadata = find_last(json, METADATA);
    size_t head = at ? (size_t)(at - json.p) : 0, digits = head + sizeof ACTIVITY - 1;
    const char *type = at ? find_text((struct slice){json.p + digits, json.n - digits}, TYPE) : NULL;
    size_t rest = type ? (size_t)(type - json.p) + sizeof TYPE : 0, end = metadata ? (size_t)(metadata - json.p) + sizeof METADATA - 1 : 0;
    if (!type || end <= rest) { /* not the text that we write: sent as it is */
        buffer_slice(out, json);
        return;
    }
    buffer_put(out, json.p, head);
    buffer_printf(out, ACTIVITY "%u" TYPE "%u", activity, activity);
    buffer_put(out, json.p + rest, end - rest);
    buffer_printf(out, "\"sequence\":%llu,", (unsigned long long)seq);
    buffer_put(out, json.p + end, json.n - end);
}
