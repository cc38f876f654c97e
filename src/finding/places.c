/* Where the bytes of one peer stand: objects and lines, so that an auditor can add them up by hand.
 * Lines are written as ranges, "812,815-820": a bulk transfer sits in long runs of neighbouring lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "finding/finding_private.h"

static void put_lines(struct buffer *b, const uint32_t *line, size_t n)
{
    ocsf_open(b, "lines", '"'); /* the text is digits, commas and hyphens: nothing to escape */
    for (size_t i = 0; i < n;) {
        size_t k = i + 1;
        while (k < n && line[k] - line[k - 1] == 1) k++;
        buffer_printf(b, "%s%" PRIu32, i ? "," : "", line[i]);
        if (k - i > 1) buffer_printf(b, "-%" PRIu32, line[k - 1]);
        i = k;
    }
    ocsf_close(b, '"');
}

static void put_place(struct buffer *b, const struct evidence_place *p)
{
    char hex[2 * SHA256_BYTES + 1];
    hex_encode(p->object.b, SHA256_BYTES, hex);
    ocsf_open(b, NULL, '{');
    ocsf_cstr(b, "sha256", hex);
    ocsf_some(b, "key", p->key);
    ocsf_u64(b, "first_line", p->first_line);
    ocsf_u64(b, "last_line", p->last_line);
    ocsf_u64(b, "records", p->records);
    ocsf_u64(b, "bytes", p->bytes);
    if (p->lines_n) put_lines(b, p->lines, p->lines_n);
    ocsf_close(b, '}');
}

void put_places(struct buffer *b, const struct evidence_peer *p)
{
    ocsf_open(b, "objects", '[');
    for (size_t i = 0; i < p->places; i++) put_place(b, &p->place[i]);
    ocsf_close(b, ']');
}
