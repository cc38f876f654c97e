/* Two hundred strings that somebody could put into a tag, a name or a log: markup, formulas, escapes, bidi controls, broken UTF-8, template
 * and shell syntax, alone and in combination. Made by us; the ideas are those of the OWASP cheat sheets on escaping.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_HOSTILE_H
#define WEIR_TESTS_HOSTILE_H

#include <string.h>

#include "weir/base.h"

#define HOSTILE_COUNT 200
#define HOSTILE_MAX 512

static const char *const hostile_part[] = {
    "<script>alert(1)</script>", "</title><svg onload=alert(1)>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</style><b>",
    "<!--", "-->", "]]>", "<a href=javascript:alert(1)>", "&lt;b&gt;&#60;", "&", "<", ">", "\"", "'", "`",
    "=cmd|' /C calc'!A0", "+1+1", "-1-1", "@SUM(1)", "\t=1", "\r=1", "\xef\xbc\x9d" "1", "\xef\xbc\xa0" "SUM",
    "\x1b[2J", "\x1b]0;owned\x07", "\x1b[31mred", "\x9b" "31m", "\xc2\x9b" "31m", "\x07\x08\x7f", "a\rb", "a\nb", "a\r\nb: c",
    "\xe2\x80\xae" "txt.exe", "\xe2\x81\xa6x\xe2\x81\xa9", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xd8\x9c", "\xff\xfe", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf",
    "${jndi:ldap://x}", "{{7*7}}", "%n%n%s", "$(reboot)", "`reboot`", ";rm -rf /", "| sh", "../../etc/passwd", "\\\\host\\share",
    "url(#x)", "expression(alert(1))", "</pre></td></tr></table>", "\",\"x\":\"", "\\\"", "\\u0000", "\xef\xbb\xbf", "NULL", "'; DROP TABLE kv;--",
};

/* The i-th, of HOSTILE_COUNT: each part alone, then pairs of them with text between. */
static struct slice hostile(size_t i, char out[HOSTILE_MAX])
{
    size_t n = sizeof hostile_part / sizeof *hostile_part, used = 0;
    const char *const parts[3] = {hostile_part[i % n], i < n ? "" : "x", i < n ? "" : hostile_part[(i * 7 + i / n) % n]};
    for (size_t k = 0; k < 3; k++) {
        memcpy(out + used, parts[k], strlen(parts[k]));
        used += strlen(parts[k]);
    }
    return (struct slice){out, used};
}

#endif
