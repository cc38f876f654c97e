/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told: one datagram of text to the socket that NOTIFY_SOCKET names. Source: sd_notify(3), systemd 252. */
#ifndef WEIR_APP_NOTIFY_H
#define WEIR_APP_NOTIFY_H

#include "weir/base.h"

/* state: "READY=1", lines. Nothing happens when nobody wants to know; env is environ. */
void notify(char *const *env, const char *state);
void notify_reloading(char *const *env); /* with the time that systemd wants; READY=1 ends it */
/* How often WATCHDOG=1 is due, half of what was asked for; 0: never. */
int64_t notify_watchdog_ns(char *const *env);

#endif
