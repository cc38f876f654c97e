/* The reasons for which an object is not read: words for counters, sentences for people, and the class of error of each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/internal.h"

#define WORD_OF(name, word, text) [SOURCE_##name] = word,
#define TEXT_OF(name, word, text) [SOURCE_##name] = text,

static const char *const words[SOURCE_REJECT_COUNT] = {[SOURCE_ACCEPTED] = "accepted", SOURCE_REJECT_LIST(WORD_OF)};
static const char *const texts[SOURCE_REJECT_COUNT] = {[SOURCE_ACCEPTED] = "accepted", SOURCE_REJECT_LIST(TEXT_OF)};

const char *source_reject_word(enum source_reject why)
{
    return (unsigned)why < SOURCE_REJECT_COUNT ? words[why] : "unknown";
}

const char *source_reject_text(enum source_reject why)
{
    return (unsigned)why < SOURCE_REJECT_COUNT ? texts[why] : "unknown reason";
}

enum weir_err source_reject_err(enum source_reject why)
{
    switch (why) {
    case SOURCE_ACCEPTED: return WEIR_OK;
    case SOURCE_UNREADABLE: return WEIR_IO;
    case SOURCE_GZIP_TRUNCATED: return WEIR_TRUNCATED;
    case SOURCE_GZIP_CRC:
    case SOURCE_GZIP_DATA:
    case SOURCE_GZIP_GARBAGE: return WEIR_CORRUPT;
    case SOURCE_BOMB: return WEIR_LIMIT;
    case SOURCE_NOT_REGULAR:
    case SOURCE_GZIP_HEADER:
    case SOURCE_NESTED:
    case SOURCE_FOREIGN:
    case SOURCE_REJECT_COUNT: break;
    }
    return WEIR_UNSUPPORTED;
}
