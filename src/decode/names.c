/* The words of decode: fields, rejects, bad objects and notes come from the lists of the header, so none is forgotten. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "weir/decode.h"

#define NAME_OF(id, name) name,
#define WORD_OF(id, word, text) word,
#define TEXT_OF(id, word, text) text,
#define WORD_OF_NOTE(id, word) word,

static const char *const field_names[] = {DECODE_FIELD_LIST(NAME_OF)};
static const char *const reject_words[] = {DECODE_REJECT_LIST(WORD_OF)};
static const char *const reject_texts[] = {DECODE_REJECT_LIST(TEXT_OF)};
static const char *const bad_words[] = {"none", DECODE_BAD_LIST(WORD_OF)};
static const char *const bad_texts[] = {"nothing wrong", DECODE_BAD_LIST(TEXT_OF)};
static const char *const note_words[] = {DECODE_NOTE_LIST(WORD_OF_NOTE)};

const char *decode_field_name(enum decode_field f)
{
    return f < FIELD_COUNT ? field_names[f] : "unknown";
}

const char *decode_reject_word(enum decode_reject why)
{
    return why < REJECT_COUNT ? reject_words[why] : "unknown";
}

const char *decode_reject_text(enum decode_reject why)
{
    return why < REJECT_COUNT ? reject_texts[why] : "unknown";
}

const char *decode_bad_word(enum decode_bad why)
{
    return why < BAD_COUNT ? bad_words[why] : "unknown";
}

const char *decode_bad_text(enum decode_bad why)
{
    return why < BAD_COUNT ? bad_texts[why] : "unknown";
}

const char *decode_note_word(enum decode_note note)
{
    return note < NOTE_COUNT ? note_words[note] : "unknown";
}

const char *capture_talk_word(enum capture_talk t)
{
    static const char *const words[] = {"nothing", "TLS below 1.2", "HTTP", "FTP", "SMTP", "Telnet", "SSH", "TLS", "HTTP"};
    return t < CAPTURE_TALKS ? words[t] : "unknown";
}

static void add_each(uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = sat_add(to[i], from[i]);
}

void decode_counts_add(struct decode_counts *to, const struct decode_counts *from)
{
    add_each(&to->lines, &from->lines, 1);
    add_each(&to->emitted, &from->emitted, 1);
    add_each(to->by_status, from->by_status, WEIR_COUNT(to->by_status));
    add_each(to->by_action, from->by_action, WEIR_COUNT(to->by_action));
    add_each(to->rejected, from->rejected, WEIR_COUNT(to->rejected));
    add_each(to->notes, from->notes, WEIR_COUNT(to->notes));
}
