/* Keys of a bucket, a page at a time: for a list that wants them all, and for a watch that looks again and again and may not stand still.
 *
 * A span of time is not filtered out of a full listing. The folders are gone down, one listing each, to the one that holds the years; from
 * there the keys are listed from the first day on (start-after) to the last. AWS writes YYYY/MM/DD/, or year=YYYY/month=MM/day=DD/, below
 * the region, and whatever stands above; where no years are found, everything is listed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_BUCKET_H
#define SOURCE_BUCKET_H

#include "source/s3.h"

struct bucket_walk {
    struct s3 *s3;
    struct web *web;
    struct s3_place place;  /* of the url; the folder that is walked, with its '/' */
    int64_t from_s, to_s;
    unsigned tries;         /* of a page; 0: S3_TRIES */
    uint64_t quiet, unreadable; /* passed over; cannot be opened */
    enum weir_err (*object)(void *ctx, struct slice path, const struct s3_entry *e); /* path: s3://..., good until it returns */
    void *ctx;
    /* inner state */
    struct buffer url, folder, after, until, path; /* url: as given; after, until: of the listing in work */
    struct s3_listing listing;
    struct folders { char **name; size_t n, cap; } todo; /* folders to go down into */
    bool busy, flat, ended, found; /* flat: the years of the folder at hand come next; ended: behind the last day */
};
/* url as the user gave it. Open, pages until END, close, whatever came. */
WEIR_MUST_USE enum weir_err bucket_open(struct bucket_walk *b, const char *url, struct fault *fault);
WEIR_MUST_USE enum weir_err bucket_page(struct bucket_walk *b, struct fault *fault); /* OK: there is more */
/* Passed over, as in a walk over directories, below a folder of so many bytes. */
bool bucket_is_quiet(size_t folder_n, struct slice key);
void bucket_close(struct bucket_walk *b);

#endif
