/* See input.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/input.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/fetch.h"

bool input_init(struct input *in)
{
    *in = (struct input){.file = {.fd = -1}, .piece_bytes = INPUT_PIECE_BYTES};
    in->piece = malloc(INPUT_PIECE_BYTES);
    in->sha = sha256_new();
    return in->piece && in->sha;
}

void input_fini(struct input *in)
{
    input_close(in);
    free(in->piece);
    if (in->sha)
        sha256_free(in->sha);
}

void input_close(struct input *in)
{
    if (in->file.fd >= 0 && in->file.owned)
        close(in->file.fd);
    if (in->file.far)
        fetch_close(in->file.far);
    in->file = (struct opened){.fd = -1};
    in->memory = NULL;
    in->size_bytes = 0;
}

static void begin(struct input *in, uint64_t size_bytes)
{
    in->size_bytes = size_bytes;
    in->at = in->hashed = 0;
    sha256_reset(in->sha);
}

void input_from_file(struct input *in, struct opened file)
{
    input_close(in);
    in->file = file;
    begin(in, file.size_bytes);
}

void input_from_memory(struct input *in, const void *bytes, size_t n)
{
    input_close(in);
    in->memory = bytes;
    begin(in, n);
}

static void hash_new(struct input *in, const unsigned char *p, size_t n)
{
    uint64_t end = in->at + n, old = in->hashed > in->at ? in->hashed - in->at : 0;
    if (end <= in->hashed)
        return;
    sha256_add(in->sha, p + old, n - (size_t)old);
    in->hashed = end;
}

enum weir_err input_next(struct input *in, const unsigned char **p, size_t *n, struct fault *fault)
{
    *p = in->piece;
    *n = 0;
    if (in->file.far) {
        enum weir_err err = fetch_read(in->file.far, in->at, in->at ? 1 : SNIFF_BYTES, in->piece, in->piece_bytes, n, fault);
        if (err)
            return err;
    } else if (in->file.fd >= 0) {
        ssize_t got;
        do
            got = pread(in->file.fd, in->piece, in->piece_bytes, (off_t)in->at);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return fault_set(fault, WEIR_IO, "cannot read at offset %llu: %m", (unsigned long long)in->at);
        *n = (size_t)got;
    } else if (in->at < in->size_bytes) {
        uint64_t left = in->size_bytes - in->at;
        *p = in->memory + in->at;
        *n = left < in->piece_bytes ? (size_t)left : in->piece_bytes;
    }
    hash_new(in, *p, *n);
    in->at += *n;
    return WEIR_OK;
}

enum weir_err input_first(struct input *in, const unsigned char **p, size_t *n, size_t *seen, struct fault *fault)
{
    size_t piece_bytes = in->piece_bytes;
    in->at = 0;
    in->piece_bytes = INPUT_PIECE_BYTES;
    enum weir_err err = input_next(in, p, seen, fault);
    in->piece_bytes = piece_bytes;
    *n = *seen < piece_bytes ? *seen : piece_bytes;
    in->at = *n;
    return err;
}
