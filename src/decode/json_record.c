/* What records of the clouds have in common: names copied out of the tokens, and the sense that text records are held to, too. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/json.h"
#include "decode/walk.h"

void cloud_name_set(struct cloud_name *name, const struct json *j, enum json_token t)
{
    name->n = 0;
    if ((t != JSON_STRING && t != JSON_NUMBER) || j->odd || j->text.n > CLOUD_TEXT_MAX)
        return;
    name->n = (uint8_t)j->text.n;
    memcpy(name->text, j->text.p, j->text.n);
}

void cloud_emit(struct decode_out *out, struct record *r, struct slice text)
{
    const struct program pg = {.has = r->has};
    struct walk w = {.pg = &pg, .r = r, .has = r->has, .other_family = true, .why = REJECT_COUNT, .field = FIELD_COUNT};
    r->text = text;
    if (!walk_sense(&w)) {
        decode_refuse(out, w.why, r->line, w.field, text);
        return;
    }
    decode_notes(out, w.notes);
    decode_emit(out, r);
}
