/* SPDX-License-Identifier: Apache-2.0 */
/* `weir serve DIRECTORY... | -`: the job that never ends. */
#include "app/service.h"

static int run_serve(struct app *app, int argc, char **argv)
{
    return service_run(app, (const char *const *)argv, (size_t)argc);
}

const struct command command_serve = {
    .name = "serve",
    .summary = "count flow logs as they come into directories, until SIGTERM",
    .operands = "DIRECTORY...|s3://BUCKET/FOLDER|-",
    .help = "Objects are read once they are complete: renamed in, or closed and at rest. What was counted before is passed over.\n"
            "A bucket is listed every serve.sweep. Standard input (-) is lines, which are cut into objects and kept in serve.spool.\n"
            "Findings go to the store as they arise; 'weir findings' shows them. /metrics, /healthz and /readyz are answered at\n"
            "serve.listen, by default on this machine only. SIGTERM ends the service with a checkpoint, SIGHUP reads the\n"
            "configuration anew. Exit code: 0 ended by a signal, 2 usage, 1 failed.",
    .common = COMMON_STORE | COMMON_INPUT | COMMON_GEO | COMMON_RUN,
    .operands_min = 1,
    .operands_max = 1000,
    .run = run_serve,
};
