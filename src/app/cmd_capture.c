/* SPDX-License-Identifier: Apache-2.0 */
/* `weir capture DIRECTORY`: packets of an interface into segments, for a service or a job that watches the directory. */
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/live.h"

#define SNAP_BYTES 512        /* headers, tunnels, and the names in DNS and TLS */
#define SEGMENT_BYTES (256u << 20)
#define WAIT_MS 250
#define PACKETS_AT_ONCE 4096
#define TURNS_AT_END 100

struct capture_options {
    const char *interface, *bpf, *rotate, *buffer;
};

struct live {
    struct app *app;
    pcap_t *pcap;
    struct segment segment;
    uint64_t rotate_s, packets, lost, told_lost;
    enum weir_err err;
    struct fault *fault;
};

static int64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

static enum weir_err refused(struct live *l, const char *what, const char *interface)
{
    return fault_set(l->fault, WEIR_IO, "cannot capture on '%.64s': %s: %.200s", interface, what, pcap_geterr(l->pcap));
}

static enum weir_err set_filter(struct live *l, const struct capture_options *o)
{
    struct bpf_program program;
    if (!o->bpf)
        return WEIR_OK;
    if (pcap_compile(l->pcap, &program, o->bpf, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return fault_set(l->fault, WEIR_USAGE, "filter '%.128s': %.200s", o->bpf, pcap_geterr(l->pcap));
    int failed = pcap_setfilter(l->pcap, &program);
    pcap_freecode(&program);
    return failed ? refused(l, "the filter", o->interface) : WEIR_OK;
}

static enum weir_err open_interface(struct live *l, const struct capture_options *o, uint64_t buffer)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    if (!(l->pcap = pcap_create(o->interface, text)))
        return fault_set(l->fault, WEIR_IO, "cannot capture on '%.64s': %.200s", o->interface, text);
    pcap_set_snaplen(l->pcap, SNAP_BYTES);
    pcap_set_timeout(l->pcap, WAIT_MS);
    pcap_set_buffer_size(l->pcap, (int)buffer);
    if (pcap_activate(l->pcap) < 0)
        return refused(l, "it cannot be opened", o->interface);
    l->segment.snap = SNAP_BYTES;
    l->segment.interface = o->interface;
    l->segment.max_bytes = SEGMENT_BYTES;
    if (!(l->segment.link = segment_link(pcap_datalink(l->pcap))))
        return fault_set(l->fault, WEIR_UNSUPPORTED, "cannot capture on '%.64s': its link type %d is neither Ethernet nor Linux cooked", o->interface, pcap_datalink(l->pcap));
    if (pcap_setnonblock(l->pcap, 1, text) != 0)
        return refused(l, text, o->interface);
    return set_filter(l, o);
}

static void on_packet(u_char *live, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct live *l = (struct live *)(void *)live;
    if (l->err)
        return;
    l->packets++;
    l->err = segment_add(&l->segment, h->ts.tv_sec, (uint32_t)h->ts.tv_usec, bytes, h->caplen, h->len, l->fault);
}

/* What the kernel and the interface had to drop since the last look. */
static void note_lost(struct live *l)
{
    struct pcap_stat stat;
    if (pcap_stats(l->pcap, &stat) != 0)
        return;
    uint64_t lost = (uint64_t)stat.ps_drop + stat.ps_ifdrop;
    if (lost > l->told_lost) {
        l->segment.lost += lost - l->told_lost;
        l->lost += lost - l->told_lost;
        log_warn(l->app->log, "packets lost", LOG_TEXT("interface", slice_of(l->segment.interface)), LOG_NUMBER("packets", lost - l->told_lost));
    }
    l->told_lost = lost;
}

static enum weir_err close_segment(struct live *l)
{
    note_lost(l);
    return segment_close(&l->segment, now_s(), l->fault);
}

/* Packets that are there, or come within WAIT_MS: the kernel hands them over in blocks, not later than that. *n of them. */
static enum weir_err turn(struct live *l, int *n)
{
    struct pollfd in = {.fd = pcap_get_selectable_fd(l->pcap), .events = POLLIN};
    (void)poll(&in, 1, WAIT_MS); /* a signal ends the wait */
    *n = pcap_dispatch(l->pcap, PACKETS_AT_ONCE, on_packet, (u_char *)l);
    return *n < 0 && *n != PCAP_ERROR_BREAK ? refused(l, "reading failed", l->segment.interface) : l->err;
}

/* What has come before the signal belongs to the last segment; a flood does not keep us. */
static enum weir_err read_rest(struct live *l)
{
    enum weir_err err = WEIR_OK;
    int n = 1;
    for (unsigned turns = 0; n > 0 && turns < TURNS_AT_END && !err; turns++)
        err = turn(l, &n);
    return err;
}

static enum weir_err capture(struct live *l)
{
    enum weir_err err = WEIR_OK;
    int n;
    while (!app_interrupted() && !err) {
        err = turn(l, &n);
        if (!err && segment_is_due(&l->segment, now_s(), l->rotate_s))
            err = close_segment(l);
    }
    if (!err)
        err = read_rest(l);
    return err ? err : close_segment(l);
}

static enum weir_err read_options(struct live *l, const struct capture_options *o, uint64_t *buffer)
{
    *buffer = 16u << 20;
    l->rotate_s = 60;
    if (!o->interface || strlen(o->interface) > 15 || strchr(o->interface, '/'))
        return fault_set(l->fault, WEIR_USAGE, "option '--interface' is missing: weir capture --interface NAME DIRECTORY");
    if (o->rotate && (parse_duration(slice_of(o->rotate), &l->rotate_s) || l->rotate_s < 1 || l->rotate_s > 3600))
        return fault_set(l->fault, WEIR_USAGE, "option '--rotate' must be from 1s to 1h");
    if (o->buffer && (parse_bytes(slice_of(o->buffer), buffer) || *buffer < 65536 || *buffer > (1u << 30)))
        return fault_set(l->fault, WEIR_USAGE, "option '--buffer' must be from 64KiB to 1GiB");
    return WEIR_OK;
}

static int run_capture(struct app *app, int argc, char **argv)
{
    const struct capture_options *o = app->options;
    struct fault fault = {WEIR_OK, ""};
    struct live l = {.app = app, .fault = &fault, .segment = {.directory = -1}};
    uint64_t buffer;
    (void)argc;
    enum weir_err err = read_options(&l, o, &buffer);
    if (!err && (l.segment.directory = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        err = fault_set(&fault, WEIR_USAGE, "cannot open directory '%.200s': %m", argv[0]);
    if (!err)
        err = open_interface(&l, o, buffer);
    if (!err)
        err = rights_drop(&fault);
    if (!err)
        err = rights_seal(&fault);
    if (!err) {
        log_info(app->log, "capturing without any rights", LOG_TEXT("interface", slice_of(o->interface)));
        err = capture(&l);
        if (!app->quiet)
            fprintf(app->err, "%llu packets captured, %llu lost\n", (unsigned long long)l.packets, (unsigned long long)l.lost);
    }
    if (l.pcap)
        pcap_close(l.pcap);
    if (l.segment.directory >= 0)
        close(l.segment.directory);
    return err ? app_fail(app, &fault) : APP_DONE;
}

static const struct option_row rows[] = {
    {"interface", "NAME", "the network interface to listen on", OPTION_TEXT, offsetof(struct capture_options, interface)},
    {"bpf", "FILTER", "keep only packets that fit, as tcpdump's filters", OPTION_TEXT, offsetof(struct capture_options, bpf)},
    {"rotate", "TIME", "begin a new segment so often, 1s to 1h; default 60s", OPTION_TEXT, offsetof(struct capture_options, rotate)},
    {"buffer", "BYTES", "memory of the kernel for packets not yet read; default 16MiB", OPTION_TEXT, offsetof(struct capture_options, buffer)},
};

const struct command command_capture = {
    .name = "capture",
    .summary = "write packets of an interface into a directory, for batch or serve",
    .operands = "--interface NAME DIRECTORY",
    .help = "Needs CAP_NET_RAW, and gives it up before the first packet is read: then nothing but segments can be written. The\n"
            "first 512 bytes of each packet are kept. Packets that the kernel lost are a gap in the findings. SIGTERM ends it\n"
            "with a whole segment. Exit code: 0 ended by a signal, 2 usage, 1 failed.",
    .common = COMMON_RUN,
    .options = rows,
    .options_n = WEIR_COUNT(rows),
    .options_bytes = sizeof(struct capture_options),
    .operands_min = 1,
    .operands_max = 1,
    .run = run_capture,
};
