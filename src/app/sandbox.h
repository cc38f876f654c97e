/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up rights: what is left can compute, read and write what is open already, and end. See sandbox.c. */
#ifndef WEIR_APP_SANDBOX_H
#define WEIR_APP_SANDBOX_H

#include "weir/base.h"

/* For the rest of the life of this process: no file can be opened, no socket made, no program started, nobody signalled; a call that is
 * not on the list kills. UNSUPPORTED where the kernel knows no seccomp; a kernel without Landlock leaves that part out. */
WEIR_MUST_USE enum weir_err sandbox_enter(struct fault *fault);
bool sandbox_has_landlock(void);

#endif
