/* SPDX-License-Identifier: Apache-2.0 */
/* See live.h. A segment grows under a name that begins with a dot, which every reader of directories passes over, and gets its own name by
 * rename when it is durable: so it is whole or not there. */
#include "app/live.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "weir/decode.h"

#define PCAP_MAGIC 0xa1b2c3d4u
#define SLL_BYTES 16
#define SLL2_BYTES 20
#define ETHERNET_BYTES 14
enum { LINKTYPE_ETHERNET = 1, LINKTYPE_SLL = 113, LINKTYPE_SLL2 = 276 };

uint32_t segment_link(int dlt)
{
    switch (dlt) {
    case DLT_EN10MB: return LINKTYPE_ETHERNET;
    case DLT_LINUX_SLL: return LINKTYPE_SLL;
    case DLT_LINUX_SLL2: return LINKTYPE_SLL2;
    default: return 0;
    }
}

/* Where the EtherType stands, and what the link header is long. */
static void link_shape(uint32_t link, size_t *type_at, size_t *header)
{
    *type_at = link == LINKTYPE_ETHERNET ? 12 : link == LINKTYPE_SLL ? 14 : 0;
    *header = link == LINKTYPE_ETHERNET ? ETHERNET_BYTES : link == LINKTYPE_SLL ? SLL_BYTES : SLL2_BYTES;
}

static enum weir_err failed(const struct segment *s, struct fault *fault)
{
    return fault_set(fault, WEIR_IO, "cannot write segment '%s': %m", s->name);
}

static enum weir_err begin(struct segment *s, int64_t now_s, struct fault *fault)
{
    char day[TIME_TEXT_MAX];
    const uint32_t head[] = {PCAP_MAGIC, 4 << 16 | 2, 0, 0, s->snap, s->link};
    time_format(now_s, day);
    snprintf(s->name, sizeof s->name, ".weir-%s-%.4s%.2s%.2sT%.2s%.2s%.2sZ-%llu.pcap", s->interface, day, day + 5, day + 8, day + 11, day + 14, day + 17,
             (unsigned long long)s->number++);
    int fd = openat(s->directory, s->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    s->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!s->file)
        return failed(s, fault);
    s->begun_s = now_s;
    s->packets = 0;
    s->bytes = sizeof head;
    return fwrite(head, sizeof head, 1, s->file) == 1 ? WEIR_OK : failed(s, fault);
}

static enum weir_err put(struct segment *s, int64_t time_s, uint32_t us, const void *bytes, uint32_t captured, uint32_t wire, struct fault *fault)
{
    const uint32_t head[] = {(uint32_t)time_s, us, captured, wire};
    s->bytes += sizeof head + captured;
    bool ok = fwrite(head, sizeof head, 1, s->file) == 1 && fwrite(bytes, 1, captured, s->file) == captured;
    return ok ? WEIR_OK : failed(s, fault);
}

/* The frame that tells losses is ours alone: one of its type from the wire is not kept. */
static bool is_loss(const struct segment *s, const uint8_t *bytes, uint32_t captured)
{
    size_t at, header;
    link_shape(s->link, &at, &header);
    return captured >= header && bytes[at] == CAPTURE_LOSS_TYPE >> 8 && bytes[at + 1] == (CAPTURE_LOSS_TYPE & 0xff);
}

enum weir_err segment_add(struct segment *s, int64_t time_s, uint32_t fraction_us, const void *bytes, uint32_t captured, uint32_t wire, struct fault *fault)
{
    if (is_loss(s, bytes, captured))
        return WEIR_OK;
    enum weir_err err = s->file ? WEIR_OK : begin(s, time_s, fault);
    s->packets++;
    return err ? err : put(s, time_s, fraction_us, bytes, captured, wire, fault);
}

static enum weir_err put_loss(struct segment *s, int64_t now_s, struct fault *fault)
{
    uint8_t frame[SLL2_BYTES + CAPTURE_LOSS_BYTES] = {0};
    size_t at, header;
    const struct capture_loss loss = {s->lost, s->begun_s, now_s > s->begun_s ? now_s : s->begun_s};
    link_shape(s->link, &at, &header);
    frame[at] = CAPTURE_LOSS_TYPE >> 8;
    frame[at + 1] = CAPTURE_LOSS_TYPE & 0xff;
    capture_loss_put(&loss, frame + header);
    s->lost = 0;
    return put(s, loss.end_s, 0, frame, (uint32_t)header + CAPTURE_LOSS_BYTES, (uint32_t)header + CAPTURE_LOSS_BYTES, fault);
}

enum weir_err segment_close(struct segment *s, int64_t now_s, struct fault *fault)
{
    enum weir_err err = !s->file && s->lost ? begin(s, now_s, fault) : WEIR_OK;
    if (err || !s->file)
        return err;
    if (s->lost)
        err = put_loss(s, now_s, fault);
    bool ok = !err && fflush(s->file) == 0 && fdatasync(fileno(s->file)) == 0;
    ok &= fclose(s->file) == 0;
    s->file = NULL;
    ok = ok && renameat(s->directory, s->name, s->directory, s->name + 1) == 0 && fsync(s->directory) == 0;
    return err ? err : ok ? WEIR_OK : failed(s, fault);
}

bool segment_is_due(const struct segment *s, int64_t now_s, uint64_t rotate_s)
{
    if (!s->file)
        return false;
    return s->bytes >= s->max_bytes || now_s / (int64_t)rotate_s != s->begun_s / (int64_t)rotate_s;
}
