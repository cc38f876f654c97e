/* How much it matters: by how rare it is and how much has left, by the rule that is broken, and by whose bytes they are. Rare alone is not severe, much alone is not either.
 * A transfer to a known backup target may be huge; ten megabytes of patients' records are small. So the score decides
 * whether there is a finding at all, and bytes lift it from there. A host that weir still learns never gets critical.
 * SPDX-License-Identifier: Apache-2.0 */
#include "finding/finding_private.h"

#define MB 1000000ULL
#define GB (1000 * MB)

enum { INFORMATIONAL = 1, LOW, MEDIUM, HIGH, CRITICAL };

static const struct severity_rule {
    double value;   /* score at least */
    uint64_t bytes; /* claimed bytes at least */
    unsigned severity;
} rules[] = {
    {5, 10 * GB, CRITICAL}, {4, GB, HIGH}, {0, 100 * MB, MEDIUM}, {5, 0, MEDIUM}, {0, 0, LOW},
};

unsigned finding_severity(const struct finding_facts *f)
{
    struct claim c;
    claim_of(f, &c);
    if (!c.lead) return INFORMATIONAL;
    size_t i = 0;
    while (c.value < rules[i].value || c.bytes < rules[i].bytes) i++; /* the last rule takes all */
    unsigned severity = c.learning && rules[i].severity > HIGH ? HIGH : rules[i].severity;
    severity = c.rule_severity > severity ? c.rule_severity : severity;
    return f->sensitive && severity < CRITICAL ? severity + 1 : severity;
}

const char *finding_severity_word(unsigned severity_id)
{
    static const char *const words[] = {"unknown", "informational", "low", "medium", "high", "critical"};
    return words[severity_id < WEIR_COUNT(words) ? severity_id : 0];
}
