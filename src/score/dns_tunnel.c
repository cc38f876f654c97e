/* SPDX-License-Identifier: Apache-2.0 */
/* dns-tunnel: what a host sent out in the names that it asked for. A tunnel must put its bytes left of a domain that it owns, and each
 * name must differ from all before, or a cache answers it. So what counts is, for each parent domain, the bytes of different names, left of the
 * parent (names with less than 12 such bytes are passed over; a name counts once an hour): information that left, not its look. Types of
 * questions and entropy of names are easily changed by the tunnel and are not asked.
 *
 *   B(h) bytes of different names below one parent in hour h, N names and B bytes of them in the day: raised when B(h) > 4096 in some hour
 *   and B / N >= 24.
 *
 * By the hour, because names that are used all day count in each of its hours. The mean length keeps out blocklists, which are asked for
 * reversed addresses (up to 15 bytes and the list's own labels).
 * Worked example: 43 names of together 6,526 bytes below pirate.sea in one hour: 6,526 > 4096 and 6,526 / 43 = 151: raised.
 * Source: Paxson and others, "Practical comprehensive bounds on surreptitious communication over DNS", 2013 (information, not look). */
#include "score_private.h"

bool dns_tunnel_raises(const struct score_model *m, const struct host_group *g)
{
    uint64_t most = 0;
    for (unsigned h = 0; h < 24; h++)
        most = g->hour[h] > most ? g->hour[h] : most;
    return (double)most > m->dns_tunnel && (double)g->bytes_out >= m->dns_label * (double)g->bytes_in;
}
