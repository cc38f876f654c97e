/* What a backend is: the struct of functions behind store.h. store.c checks what every backend would have to check (keys,
 * sizes, the order of calls, a spoilt batch), so a backend sees valid arguments only and the rules exist once.
 *
 * A backend keeps its own state behind void *state. On any error of begin or commit it has rolled back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_STORE_OPS_H
#define WEIR_STORE_OPS_H

#include <weir/store.h>

struct store_request {
    const char *url, *place;             /* place: what stands behind the scheme, never empty */
    const struct store_options *options; /* NULL: none */
    enum store_mode mode;
};

struct store_ops {
    const char *name;
    bool is_far;
    /* On success *state is owned and *position is what was read. */
    enum weir_err (*open)(const struct store_request *request, void **state, struct store_position *position, struct fault *fault);
    void (*close)(void *state);
    enum weir_err (*survey)(const struct store_request *request, store_survey_each *each, void *ctx, struct fault *fault); /* NULL: nothing to say */
    struct store_stats (*stats)(const void *state);                                                                       /* NULL: all zero */
    enum weir_err (*get_many)(void *state, char kind, const char *const *ids, size_t n, store_each *each, void *ctx, struct fault *fault);
    bool (*has)(void *state, char kind, const char *id);
    enum weir_err (*outbox)(void *state, uint64_t after, size_t limit, store_outbox_each *each, void *ctx, struct fault *fault);
    enum weir_err (*begin)(void *state, struct fault *fault);
    enum weir_err (*put)(void *state, char kind, const char *id, struct slice value, struct fault *fault);
    enum weir_err (*del)(void *state, char kind, const char *id, struct fault *fault);
    enum weir_err (*append)(void *state, const char *uid, struct slice json, struct fault *fault);
    /* Fenced by *position: BUSY if the store has moved on. On success *position is the new one. */
    enum weir_err (*commit)(void *state, struct store_position *position, struct fault *fault);
    void (*abort)(void *state);
};

extern const struct store_ops store_sqlite, store_redis;

#endif
