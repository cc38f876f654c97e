/* Raw values as what their field needs, by the same careful readers as text logs. Columns written as other types than AWS documents are
 * read all the same: numbers as text, integers of any width. "-", an empty text, "None" (as pandas writes it) and null are absent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "decode/parquet.h"
#include "decode/walk.h"

enum shape { SHAPE_NUMBER, SHAPE_SECONDS, SHAPE_ADDRESS, SHAPE_ID, SHAPE_ACTION, SHAPE_STATUS, SHAPE_DIRECTION, SHAPE_PRESENCE, SHAPE_INTERFACE_TYPE };

static enum shape shape_of(unsigned field)
{
    switch (field) {
    case FIELD_SRCADDR:
    case FIELD_DSTADDR:
    case FIELD_PKT_SRCADDR:
    case FIELD_PKT_DSTADDR: return SHAPE_ADDRESS;
    case FIELD_START:
    case FIELD_END: return SHAPE_SECONDS;
    case FIELD_SRCPORT:
    case FIELD_DSTPORT:
    case FIELD_PROTOCOL:
    case FIELD_PACKETS:
    case FIELD_BYTES:
    case FIELD_TCP_FLAGS:
    case FIELD_TRAFFIC_PATH: return SHAPE_NUMBER;
    case FIELD_ACTION: return SHAPE_ACTION;
    case FIELD_LOG_STATUS: return SHAPE_STATUS;
    case FIELD_FLOW_DIRECTION: return SHAPE_DIRECTION;
    case FIELD_REJECT_REASON: return SHAPE_PRESENCE;
    case FIELD_INTERFACE_TYPE: return SHAPE_INTERFACE_TYPE;
    default: return SHAPE_ID;
    }
}

static uint64_t max_of(unsigned field)
{
    switch (field) {
    case FIELD_SRCPORT:
    case FIELD_DSTPORT:
    case FIELD_TCP_FLAGS: return UINT16_MAX;
    case FIELD_PROTOCOL:
    case FIELD_TRAFFIC_PATH: return UINT8_MAX;
    default: return UINT64_MAX;
    }
}

static bool is_absent(struct slice text)
{
    return text.n == 0 || (text.n == 1 && text.p[0] == '-') || (text.n == 4 && memcmp(text.p, "None", 4) == 0);
}

static uint8_t state_of(const struct rare *found)
{
    uint8_t notes = (uint8_t)((found->notes & NOTE_BIT(TIMES_IN_MS) ? VALUE_MS : 0) | (found->notes & NOTE_BIT(ODD_STATUS) ? VALUE_ODD : 0));
    if (found->why != REJECT_COUNT)
        return (uint8_t)(found->why + 1);
    return found->absent ? notes : notes | VALUE_FINE;
}

static uint8_t action_of(struct slice text, struct value *v)
{
    bool accept = slice_eq(text, SLICE_LIT("ACCEPT")), refuse = slice_eq(text, SLICE_LIT("REJECT"));
    v->number = accept ? ACTION_ACCEPT : refuse ? ACTION_REJECT : ACTION_NONE;
    return accept || refuse ? VALUE_FINE : REJECT_ACTION + 1;
}

static uint8_t status_of(struct slice text, struct value *v)
{
    if (slice_eq(text, SLICE_LIT("OK"))) {
        v->number = STATUS_OK;
        return VALUE_FINE;
    }
    struct rare found = rare_status(text);
    v->number = found.value;
    return state_of(&found);
}

static uint8_t direction_of(struct slice text, struct value *v)
{
    bool in = slice_eq(text, SLICE_LIT("ingress")), out = slice_eq(text, SLICE_LIT("egress"));
    v->number = in ? DIRECTION_INGRESS : out ? DIRECTION_EGRESS : DIRECTION_NONE;
    return in || out ? VALUE_FINE : 0;
}

static uint8_t address_of(struct slice text, struct value *v)
{
    uint32_t v4;
    if (read_ipv4(text.p, text.n, &v4)) {
        v->ip = ip_from_v4(v4);
        return VALUE_FINE;
    }
    struct rare found = rare_ip(text);
    v->ip = found.ip;
    return state_of(&found);
}

static uint8_t number_of(struct rare found, struct value *v)
{
    v->number = found.value;
    return state_of(&found);
}

/* A refused value keeps its text, for the place of the reject. */
static uint8_t fine_of_text(unsigned field, struct slice text, struct value *v)
{
    switch (shape_of(field)) {
    case SHAPE_NUMBER: return number_of(rare_number(text, max_of(field)), v);
    case SHAPE_SECONDS: return number_of(rare_seconds(text), v);
    case SHAPE_ADDRESS: return address_of(text, v);
    case SHAPE_ACTION: return action_of(text, v);
    case SHAPE_STATUS: return status_of(text, v);
    case SHAPE_DIRECTION: return direction_of(text, v);
    case SHAPE_PRESENCE: return VALUE_FINE;
    case SHAPE_INTERFACE_TYPE: v->number = rare_is_forwarder(text); return VALUE_FINE;
    case SHAPE_ID: break;
    }
    v->text = text;
    return text.n > ID_MAX_BYTES ? REJECT_ID_TOO_LONG + 1 : VALUE_FINE;
}

void value_of_text(unsigned field, struct slice text, struct value *v, uint8_t *state)
{
    *v = VALUE_NONE;
    *state = 0;
    if (is_absent(text)) {
        if (field == FIELD_LOG_STATUS)
            *state = VALUE_ODD;
        return;
    }
    if (has_control_byte(text))
        *state = REJECT_CONTROL_BYTE + 1;
    else
        *state = fine_of_text(field, text, v);
    if (*state & VALUE_WHY)
        v->text = text;
}

static uint8_t seconds_of(uint64_t number, struct value *v)
{
    bool ms = number / 1000 >= TIME_MIN_S && number / 1000 < TIME_END_S;
    v->number = ms ? number / 1000 : number;
    if (v->number < TIME_MIN_S || v->number >= TIME_END_S)
        return REJECT_TIME_RANGE + 1;
    return (uint8_t)(VALUE_FINE | (ms ? VALUE_MS : 0));
}

void value_of_number(unsigned field, uint64_t number, bool negative, struct value *v, uint8_t *state)
{
    enum shape shape = shape_of(field);
    *v = (struct value){.number = number};
    if (negative || (shape != SHAPE_NUMBER && shape != SHAPE_SECONDS))
        *state = REJECT_NUMBER + 1;
    else if (shape == SHAPE_SECONDS)
        *state = seconds_of(number, v);
    else
        *state = number > max_of(field) ? REJECT_NUMBER_RANGE + 1 : VALUE_FINE;
    if (*state & VALUE_WHY)
        v->text = (struct slice){NULL, 0};
}
