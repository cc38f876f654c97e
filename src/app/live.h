/* SPDX-License-Identifier: Apache-2.0 */
/* Live capture: packets of an interface into segments, which are objects once they are closed. Rights are given up before the first packet is read. */
#ifndef WEIR_APP_LIVE_H
#define WEIR_APP_LIVE_H

#include "weir/app.h"

/* ---- segments: pcap files in a directory, hidden while they grow ---- */
struct segment {
    int directory;
    const char *interface;  /* in their names */
    uint32_t link, snap;    /* link type of the file header */
    uint64_t max_bytes;
    FILE *file;             /* NULL: none is open */
    char name[128];
    int64_t begun_s;
    uint64_t bytes, packets, number, lost; /* lost: noted since they were last told */
};
/* One packet; opens a segment if none is. IO. */
enum weir_err segment_add(struct segment *s, int64_t time_s, uint32_t fraction_us, const void *bytes, uint32_t captured, uint32_t wire, struct fault *fault);
/* Close what is open, telling what was lost, durable, under its final name. */
enum weir_err segment_close(struct segment *s, int64_t now_s, struct fault *fault);
bool segment_is_due(const struct segment *s, int64_t now_s, uint64_t rotate_s);
/* Link types that can hold such a frame, as numbers of a file header; 0: none. */
uint32_t segment_link(int dlt);

/* ---- rights ---- */
/* Gives up every capability for good and verifies that no raw socket can be opened any more. */
enum weir_err rights_drop(struct fault *fault);
/* From now on only the system calls that capturing and writing need; any other ends the process. UNSUPPORTED on other machines than
 * x86-64 and aarch64. */
enum weir_err rights_seal(struct fault *fault);

#endif
