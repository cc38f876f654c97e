# Simple detectors, on the true sums of a world (days.tsv) with and without what attacks add: a line for each host-day, with the three
# statistics that they compare with a threshold. The thresholds are set later, at the false rate that weir was measured at.
#   sigma    (bytes of the day - mean of all days before) / their standard deviation
#   zscore   the largest of the day's hours, as (bytes - mean of the hours of 14 days before) / their standard deviation
#   fresh    bytes of the day to addresses that the host never called before
# usage: mawk -v seed=N -v variant=N -f evaluate-naive.awk [ATTACKS/days.tsv] WORLD/days.tsv; with attacks only attacked hosts are told
# SPDX-License-Identifier: Apache-2.0
BEGIN { FS = OFS = "\t"; window = 14; attacked_only = ARGC > 2 }

function score(x, sum, squares, n,    mean, var) {
    if (n < 3) return -1
    mean = sum / n
    var = squares / n - mean * mean
    if (x <= mean) return 0
    return var > 1 ? (x - mean) / sqrt(var) : 1e9
}

# The oldest day of a host's window goes.
function forget(host,    k, old) {
    old = host SUBSEP (days[host] - window)
    hours_n[host] -= 24
    for (k = 4; k <= 27; k++) { hours_sum[host] -= hour[old, k]; hours_squares[host] -= hour[old, k] ^ 2; delete hour[old, k] }
}

function judge(host, day,    k, total, x, z, best) {
    best = -1
    for (k = 4; k <= 27; k++) {
        x = value[k]
        total += x
        z = score(x, hours_sum[host], hours_squares[host], hours_n[host])
        if (z > best) best = z
    }
    print "S", seed, variant, host, day, score(total, sum[host], squares[host], days[host]), best, value[28]
    for (k = 4; k <= 27; k++) {
        hour[host, days[host], k] = value[k]
        hours_sum[host] += value[k]
        hours_squares[host] += value[k] ^ 2
    }
    hours_n[host] += 24
    sum[host] += total
    squares[host] += total ^ 2
    if (days[host] >= window) forget(host)
    days[host]++
}

attacked_only && FILENAME == ARGV[1] {
    attacked[$1]
    for (k = 4; k <= 28; k++) extra[$1, $3, k] = $k
    waiting[$1, $3]
    next
}
!attacked_only || $1 in attacked {
    for (k = 4; k <= 28; k++) value[k] = $k + extra[$1, $3, k]
    delete waiting[$1, $3]
    judge($1, $3)
}
END {
    for (key in waiting) { # hosts that the world without attacks does not have, on their first days
        split(key, part, SUBSEP)
        print "S", seed, variant, part[1], part[2], -1, -1, extra[part[1], part[2], 28]
    }
}
