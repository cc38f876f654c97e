/* SPDX-License-Identifier: Apache-2.0 */
/* See metrics.h. Source: the exposition formats page of prometheus.io; names as its naming page wants them. */
#include "app/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const double bucket_s[METRICS_BUCKETS - 1] = {0.005, 0.02, 0.05, 0.1, 0.25, 1, 5, 20, 60};

void metrics_add_checkpoint(struct metrics *m, double seconds)
{
    unsigned i = 0;
    while (i < METRICS_BUCKETS - 1 && seconds > bucket_s[i])
        i++;
    m->bucket[i]++;
    m->checkpoints++;
    m->checkpoint_s += seconds;
}

static void family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buffer *out, const char *name, const char *type, const char *help, uint64_t value)
{
    family(out, name, type, help);
    buffer_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void one_f(struct buffer *out, const char *name, const char *type, const char *help, double value)
{
    family(out, name, type, help);
    buffer_printf(out, "%s %.6f\n", name, value);
}

static void put_objects(const struct metrics *m, struct buffer *out)
{
    const struct run_counts *c = &m->counts;
    family(out, "weir_objects_total", "counter", "Objects by what became of them.");
    buffer_printf(out, "weir_objects_total{result=\"done\"} %" PRIu64 "\nweir_objects_total{result=\"dup\"} %" PRIu64 "\nweir_objects_total{result=\"rejected\"} %" PRIu64
                       "\nweir_objects_total{result=\"dead\"} %" PRIu64 "\n",
                  c->objects_done, c->objects_duplicate, run_objects_rejected(c), m->objects_dead);
    family(out, "weir_objects_rejected_total", "counter", "Objects that were not counted, by reason.");
    for (unsigned i = 1; i < SOURCE_REJECT_COUNT; i++)
        buffer_printf(out, "weir_objects_rejected_total{reason=\"%s\"} %" PRIu64 "\n", source_reject_word((enum source_reject)i), c->objects_bad_source[i]);
    for (unsigned i = 1; i < BAD_COUNT; i++)
        buffer_printf(out, "weir_objects_rejected_total{reason=\"%s\"} %" PRIu64 "\n", decode_bad_word((enum decode_bad)i), c->objects_bad_text[i]);
    one(out, "weir_objects_waiting", "gauge", "Complete objects that are not counted yet.", m->watch.waiting);
    one(out, "weir_objects_resting", "gauge", "Files that are looked at until they no longer change.", m->watch.resting);
    one(out, "weir_files_refused_total", "counter", "Symbolic links, FIFOs and the like in watched directories.", m->watch.not_regular);
    one(out, "weir_sweeps_total", "counter", "Listings of the watched directories.", m->watch.sweeps);
    one(out, "weir_objects_swept_total", "counter", "Objects that a sweep found and the kernel did not tell.", m->watch.found_by_sweep);
    one(out, "weir_folders_unwatched", "gauge", "Folders for which the kernel has no room: what comes there is found by sweeps.", m->watch.unwatched);
}

static void put_records(const struct metrics *m, struct buffer *out)
{
    const struct run_counts *c = &m->counts;
    family(out, "weir_records_total", "counter", "Records read. They are counted, rejected or duplicate.");
    buffer_printf(out, "weir_records_total{source=\"objects\"} %" PRIu64 "\n", run_records_read(c));
    one(out, "weir_records_counted_total", "counter", "Records that were understood.", run_records_counted(c));
    family(out, "weir_records_rejected_total", "counter", "Records that were not understood, by reason.");
    for (unsigned i = 0; i < REJECT_COUNT; i++)
        buffer_printf(out, "weir_records_rejected_total{source=\"objects\",reason=\"%s\"} %" PRIu64 "\n", decode_reject_word((enum decode_reject)i), c->records.rejected[i]);
    buffer_printf(out, "weir_records_rejected_total{source=\"objects\",reason=\"in-rejected-object\"} %" PRIu64 "\n", c->records_in_rejected_objects);
    one(out, "weir_records_duplicate_total", "counter", "Records of objects that were counted before are not read: always 0.", 0);
    family(out, "weir_late_records_total", "counter", "Records of a day that is closed: counted, not summed.");
    buffer_printf(out, "weir_late_records_total{handled=\"told\"} %" PRIu64 "\n", c->records_late);
    one(out, "weir_future_records_total", "counter", "Records that end later than the clock: counted, not summed.", c->records_future);
    one(out, "weir_bytes_read_total", "counter", "Bytes of objects as they are stored.", c->bytes_stored);
    one(out, "weir_bytes_inflated_total", "counter", "Bytes of objects after inflating.", c->bytes_inflated);
}

static void put_state(const struct metrics *m, struct buffer *out)
{
    family(out, "weir_input_lag_seconds", "gauge", "How long the object that waits longest has waited to be counted.");
    buffer_printf(out, "weir_input_lag_seconds{source=\"objects\"} %.3f\n", m->lag_s);
    one_f(out, "weir_input_silent_seconds", "gauge", "Since when no object has come.", m->silent_s);
    one(out, "weir_input_silent", "gauge", "1: no object has come for serve.silent_after.", m->silent);
    family(out, "weir_watermark_timestamp_seconds", "gauge", "Event time of the newest record that is believed.");
    buffer_printf(out, "weir_watermark_timestamp_seconds{scope=\"min\"} %" PRId64 "\n", m->watermark_s);
    one(out, "weir_hosts_tracked", "gauge", "Host-days in the open windows.", m->window.host_days);
    one(out, "weir_hosts_folded_total", "counter", "Flows of hosts beyond window.max_hosts.", m->counts.folded);
    /* no "days" in these two: promtool takes that for a unit that should be seconds */
    one(out, "weir_closings_total", "counter", "Days judged and learned for good.", m->counts.days_closed);
    one(out, "weir_open_unjudged", "gauge", "1: something was counted since the open days were judged.", m->unjudged);
    family(out, "weir_findings_total", "counter", "New findings by severity.");
    static const char *const severity[] = {"unknown", "informational", "low", "medium", "high", "critical"};
    for (unsigned i = 0; i < WEIR_COUNT(severity); i++)
        buffer_printf(out, "weir_findings_total{severity=\"%s\"} %" PRIu64 "\n", severity[i], m->counts.findings_by_severity[i]);
}

static void put_store(const struct metrics *m, struct buffer *out)
{
    one(out, "weir_store_up", "gauge", "1: the store is open.", m->store_up);
    one(out, "weir_store_failures_total", "counter", "Times that the store went away; what was not committed is counted again.", m->store_failures);
    one(out, "weir_store_rollback_total", "counter", "Times that the store was found older than it was.", m->store_rollbacks);
    one(out, "weir_fenced_total", "counter", "Commits refused because another writer was faster.", m->fenced);
    family(out, "weir_checkpoint_duration_seconds", "histogram", "From taking the objects of a checkpoint to its commit.");
    uint64_t sum = 0;
    for (unsigned i = 0; i < METRICS_BUCKETS - 1; i++)
        buffer_printf(out, "weir_checkpoint_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", bucket_s[i], sum += m->bucket[i]);
    buffer_printf(out, "weir_checkpoint_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\nweir_checkpoint_duration_seconds_sum %.6f\nweir_checkpoint_duration_seconds_count %" PRIu64 "\n",
                  m->checkpoints, m->checkpoint_s, m->checkpoints);
    one(out, "weir_reloads_total", "counter", "Configurations taken over after SIGHUP.", m->reloads);
    one(out, "weir_reloads_refused_total", "counter", "Configurations refused after SIGHUP; the old one stayed.", m->reloads_refused);
    one(out, "weir_parsers_lost_total", "counter", "Processes that died or hung while they read an object.", m->parsers_lost);
}

static void put_sinks(const struct metrics *m, struct buffer *out)
{
    static const struct { const char *name, *type, *help; } rows[] = {
        {"weir_sink_delivered_total", "counter", "Findings that the receiver has."},
        {"weir_sink_pending", "gauge", "Findings that the sink has still to get."},
        {"weir_sink_disabled", "gauge", "1: the receiver has answered that it wants no more."},
    };
    for (unsigned r = 0; r < WEIR_COUNT(rows) && m->sinks; r++) {
        family(out, rows[r].name, rows[r].type, rows[r].help);
        for (size_t i = 0; i < m->sinks; i++) {
            const struct metrics_sink *s = &m->sink[i];
            const uint64_t value[] = {s->delivered, s->pending, s->disabled};
            buffer_printf(out, "%s{sink=\"%s\"} %" PRIu64 "\n", rows[r].name, s->name, value[r]);
        }
    }
    if (m->sinks)
        family(out, "weir_sink_failures_total", "counter", "Attempts that failed, by reason.");
    for (size_t i = 0; i < m->sinks; i++)
        for (unsigned f = CHANNEL_NONE_FAILURE + 1; f < CHANNEL_FAILURE_COUNT; f++)
            buffer_printf(out, "weir_sink_failures_total{sink=\"%s\",reason=\"%s\"} %" PRIu64 "\n", m->sink[i].name, channel_failure_word((enum channel_failure)f),
                          m->sink[i].failures[f]);
    if (m->sinks)
        family(out, "weir_sink_oldest_seconds", "gauge", "For how long the sink has got none of what it waits for.");
    for (size_t i = 0; i < m->sinks; i++)
        buffer_printf(out, "weir_sink_oldest_seconds{sink=\"%s\"} %.3f\n", m->sink[i].name, m->sink[i].oldest_s);
}

static void put_process(const struct metrics *m, struct buffer *out)
{
    struct rusage use;
    char text[128] = "";
    FILE *f = fopen("/proc/self/statm", "re");
    uint64_t pages = 0;
    if (f && fgets(text, sizeof text, f)) {
        const char *second = strchr(text, ' ');
        size_t n = second ? strcspn(second + 1, " ") : 0;
        if (second && parse_u64((struct slice){second + 1, n}, UINT64_MAX, &pages))
            pages = 0;
    }
    if (f)
        fclose(f);
    one(out, "process_resident_memory_bytes", "gauge", "Resident memory.", pages * (uint64_t)sysconf(_SC_PAGESIZE));
    if (getrusage(RUSAGE_SELF, &use) == 0)
        one_f(out, "process_cpu_seconds_total", "counter", "Processor time of the service itself.",
              (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    one(out, "process_start_time_seconds", "gauge", "Start of the process.", (uint64_t)m->started_s);
}

void metrics_text(const struct metrics *m, struct buffer *out)
{
    family(out, "weir_build_info", "gauge", "Version of the program.");
    buffer_printf(out, "weir_build_info{version=\"%s\"} 1\n", WEIR_PROGRAM_VERSION);
    put_objects(m, out);
    put_records(m, out);
    put_state(m, out);
    put_store(m, out);
    put_sinks(m, out);
    put_process(m, out);
}
