/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of networks, strictly: a line that is no network refuses the whole list, since a list that is half in force is worse
 * than the one before it. */
#include "app/address_list.h"

#include <string.h>

#define TEXT_MAX (64u << 20)

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static struct slice trimmed(struct slice s)
{
    while (s.n && is_blank(*s.p))
        s = (struct slice){s.p + 1, s.n - 1};
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

static enum weir_err take_line(const struct lines *l, struct ip_map *map, struct fault *fault)
{
    struct slice rest = l->line, text = trimmed(column_next(&rest, '#'));
    struct ip first, last;
    if (!text.n)
        return WEIR_OK;
    int n = (int)(text.n < 60 ? text.n : 60);
    enum weir_err err = cidr_parse(text, &first, &last);
    if (err)
        return lines_refuse(l, "list", text.p, fault, "network '%.*s': %s", n, text.p,
                            err == WEIR_RANGE ? "bits are set to the right of the prefix" : "not an address or address/prefix");
    err = ip_map_add(map, first, last, 1);
    if (err == WEIR_LIMIT)
        return lines_refuse(l, "list", text.p, fault, "more than %u networks", ADDRESS_LIST_MAX);
    return err ? fault_set(fault, err, "out of memory") : WEIR_OK;
}

enum weir_err address_list_parse(struct slice text, const char *path, struct ip_map **out, struct data_about *about, struct fault *fault)
{
    struct lines l = {.path = path, .rest = text};
    struct ip_map *map = ip_map_new(ADDRESS_LIST_MAX);
    enum weir_err err = map ? WEIR_OK : fault_set(fault, WEIR_NOMEM, "out of memory");
    *out = NULL;
    about->form = "list";
    while (!err && lines_next(&l))
        err = take_line(&l, map, fault);
    about->entries = map ? ip_map_count(map) : 0;
    if (!err && ip_map_seal(map))
        err = fault_set(fault, WEIR_NOMEM, "out of memory");
    if (err)
        ip_map_free(map);
    else
        *out = map;
    return err;
}

enum weir_err address_list_read(const char *path, struct ip_map **out, struct data_about *about, struct fault *fault)
{
    struct buffer text;
    buffer_init(&text, TEXT_MAX + (1 << 17));
    *out = NULL;
    enum weir_err err = data_file_read(path, TEXT_MAX, &text, about, fault);
    if (!err)
        err = address_list_parse((struct slice){text.p, text.n}, path, out, about, fault);
    buffer_fini(&text);
    return err;
}
