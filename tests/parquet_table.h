/* A text log as the table that the Parquet writer takes: its header names the columns, as Parquet spells them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PARQUET_TABLE_H
#define TESTS_PARQUET_TABLE_H

#include "parquet_make.h"

struct text_table {
    struct table table;
    char *memory;
    const char **word; /* names, then cells */
};

/* The words of a line become strings in place. */
static inline uint32_t table_words(char **at, const char **word)
{
    uint32_t n = 0;
    char *p = *at;
    while (*p && *p != '\n') {
        while (*p == ' ')
            *p++ = '\0';
        if (*p && *p != '\n')
            word[n++] = p;
        while (*p && *p != ' ' && *p != '\n')
            p++;
    }
    if (*p)
        *p++ = '\0';
    *at = p;
    return n;
}

static inline void table_of(struct text_table *t, const char *text)
{
    size_t n = strlen(text);
    t->memory = malloc(n + 1);
    t->word = malloc((n + 1) * sizeof *t->word);
    assert(t->memory && t->word);
    memcpy(t->memory, text, n + 1);
    char *at = t->memory;
    uint32_t columns = table_words(&at, t->word), words = columns;
    while (*at) {
        uint32_t some = table_words(&at, t->word + words);
        assert(some == columns || some == 0);
        words += some;
    }
    for (uint32_t i = 0; i < columns; i++)
        for (char *p = t->memory + (t->word[i] - t->memory); *p; p++)
            *p = *p == '-' ? '_' : *p;
    t->table = (struct table){columns, words / columns - 1, t->word, t->word + columns};
}

static inline void table_free(struct text_table *t)
{
    free(t->memory);
    free(t->word);
}

#endif
