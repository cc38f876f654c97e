/* MITRE ATT&CK labels (v19.1, names as in the matrix). A finding is "consistent with" a technique, it never "is" one.
 * Only what the numbers themselves show is labelled: volume to a destination the host never used. A known destination,
 * a client that came for the bytes or an unusual port do not tell a technique.
 * SPDX-License-Identifier: Apache-2.0 */
#include "finding/finding_private.h"

static const struct attack_label new_destination = {"TA0010", "Exfiltration", "T1048", "Exfiltration Over Alternative Protocol"};

const struct attack_label *attack_label_of(const struct claim *c) { return c->new_destination ? &new_destination : NULL; }
