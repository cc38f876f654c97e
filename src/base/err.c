/* Error names and texts, both made from the one list in base.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/base.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME_OF(name, text) #name,
#define TEXT_OF(name, text) text,

static const char *const names[] = {WEIR_ERR_LIST(NAME_OF)};
static const char *const texts[] = {WEIR_ERR_LIST(TEXT_OF)};

const char *weir_err_name(enum weir_err err)
{
    return (unsigned)err < WEIR_ERR_COUNT ? names[err] : "UNKNOWN";
}

const char *weir_err_text(enum weir_err err)
{
    return (unsigned)err < WEIR_ERR_COUNT ? texts[err] : "unknown error";
}

enum weir_err fault_set(struct fault *fault, enum weir_err err, const char *format, ...)
{
    if (!fault)
        return err;
    /* By way of a copy, so that a caller may put words before the text that is already in *fault. */
    char text[sizeof fault->text];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    fault->err = err;
    memcpy(fault->text, text, sizeof text);
    return err;
}
