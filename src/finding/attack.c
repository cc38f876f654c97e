/* MITRE ATT&CK labels (v19.1, names as in the matrix). A finding is "consistent with" a technique or a tactic, it never "is" one.
 * Only what the numbers themselves show is labelled: a protocol that is not meant for bulk, portions, bytes moved inside, steady
 * calls. Volume to a destination the host never used is consistent with the tactic, but with no one technique: flow logs do not
 * tell a web service from a web server. A known destination or a client that came for the bytes tell nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finding/finding_private.h"

#define OF(test) (1u << SCORE_##test)

static const struct { uint32_t tests; struct attack_label label; } labels[] = { /* techniques before their bare tactic */
    {OF(ODD_PROTOCOL), {"TA0010", "Exfiltration", "T1048", "Exfiltration Over Alternative Protocol"}},
    {OF(SLOW) | OF(SLOW_FAR) | OF(SPLIT), {"TA0010", "Exfiltration", "T1030", "Data Transfer Size Limits"}},
    {OF(NEW_DESTINATION) | OF(NEW_FAR), {"TA0010", "Exfiltration", NULL, NULL}},
    {OF(INTERNAL_PAIR) | OF(INTERNAL_SUBNET), {"TA0009", "Collection", "T1074", "Data Staged"}},
    {OF(BEACON) | OF(BEACON_FAR), {"TA0011", "Command and Control", NULL, NULL}},
};
_Static_assert(WEIR_COUNT(labels) == ATTACK_LABELS_MAX, "room for all");

size_t attack_labels(const struct claim *c, const struct attack_label *out[ATTACK_LABELS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < WEIR_COUNT(labels); i++) {
        const struct attack_label *l = &labels[i].label;
        bool told = n && !l->technique && strcmp(out[n - 1]->tactic_uid, l->tactic_uid) == 0;
        if (c->raised & labels[i].tests && !told) out[n++] = l;
    }
    return n;
}
