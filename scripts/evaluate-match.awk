# Compares findings with the truth. Reads facts.tsv (see scripts/evaluate), writes a line for each false finding, each attack, each sum.
#
# An attack is found when a finding about its host raises a day of the attack and either names one of its peers (as evidence, or as a network
# that holds it), or counts hours of that day that hold at least half of the bytes that the attack sent on it (they are taken as even over its
# time). A staged attack counts once: found when the copy inside or the way out is found.
# Time to detect: from the moment a tenth of its bytes had left to the end of the log hour at which the day's sums raised.
# SPDX-License-Identifier: Apache-2.0
BEGIN { FS = OFS = "\t" }

function number(ip,    q) { split(ip, q, "."); return ((q[1] * 256 + q[2]) * 256 + q[3]) * 256 + q[4] }

# "203.0.0.0/16 web" holds the address?
function holds(name, ip,    q, size) {
    if (name !~ /^[0-9.]+\/[0-9]+/ || ip !~ /^[0-9.]+$/) return 0
    split(name, q, /[\/ ]/)
    size = 2 ^ (32 - q[2])
    return int(number(q[1]) / size) == int(number(ip) / size)
}

function names_peer(run, i, uid,    k, n, peer) {
    n = split(a_peers[i], peer, ",")
    for (k = 1; k <= n; k++) if ((run, uid, peer[k]) in evidence) return 1
    return 0
}

function names_group(i, name,    k, n, peer) {
    n = split(a_peers[i], peer, ",")
    for (k = 1; k <= n; k++) if (name == peer[k] || holds(name, peer[k])) return 1
    return 0
}

function min(x, y) { return x < y ? x : y }
function max(x, y) { return x > y ? x : y }

# Do the hours hold at least half of the time that the attack took on that day?
function covers(i, day, from, to,    begin, end, low, high) {
    begin = max(a_start[i], day * 86400)
    end = min(a_end[i], (day + 1) * 86400)
    low = max(begin, day * 86400 + from * 3600)
    high = min(end, day * 86400 + (to + 1) * 3600)
    return end > begin && (high - low) * 2 >= end - begin
}

# Sets found and when (the earliest raise, or 0).
function look(i, run,    k, r, day, at) {
    found = when = 0
    by = "-"
    for (k = 1; k <= raised[run, a_host[i]]; k++) {
        split(row[run, a_host[i], k], r, "\t") # uid, day, test, since, from, to, group
        day = r[2]
        at = day * 86400 + (r[4] + 1) * 3600
        if (day < int(a_start[i] / 86400) || day > int((a_end[i] - 1) / 86400) || at <= a_start[i]) continue
        if (!names_group(i, r[7]) && !names_peer(run, i, r[1]) && !(r[7] == "-" && covers(i, day, r[5], r[6]))) continue
        if (!found || at < when) { when = at; by = r[3] }
        found = 1
    }
}

$1 == "W" { first[$2] = $3; print "world", $2, $3, $4, $5 }
$1 == "H" { print "hostdays", $2, $3, $4 }
$1 == "A" && $3 == 0 { if ($5 == "benign" && $6 != "") print "look-alike", $2, $4; next }
$1 == "O" { rate[$2, $3, $4, $6, $7] = $9; feature[$2, $3, $4, $6, $7] = $10; next }
$1 == "A" {
    n++
    seed[n] = $2; variant[n] = $3; a_kind[n] = $4; a_truth[n] = $5; a_host[n] = $6; a_start[n] = $7; a_tenth[n] = $8; a_end[n] = $9
    a_bytes[n] = $10; a_size[n] = $11; a_role[n] = $12; a_peers[n] = $13
}
$1 == "R" && $5 == "P" { evidence[$2 SUBSEP $3 SUBSEP $4, $6, $8] = 1 }
$1 == "R" && $5 == "D" {
    run = $2 SUBSEP $3 SUBSEP $4
    row[run, $7, ++raised[run, $7]] = $6 "\t" $8 "\t" $9 "\t" $10 "\t" $11 "\t" $12 "\t" $13
    if ($4 != 0) next
    key = $2 SUBSEP $3 SUBSEP $6
    if (!(key in begun) || $8 < begun[key]) { begun[key] = $8; uid_of[key] = $6; seed_of[key] = $2; budget_of[key] = $3; host_of[key] = $7 }
    if (index("," tests[key] ",", "," $9 ",") == 0) tests[key] = tests[key] (tests[key] == "" ? "" : ",") $9
}

# The oracle's rate for each attack, and the places where simple detectors are to look.
function oracle(    i, r, before) {
    for (i = 1; i <= n; i++) {
        r = rate[seed[i], variant[i], a_kind[i], a_host[i], a_start[i]]
        print "place", a_kind[i] == "staged" && a_truth[i] == "exfil" ? i - 1 : i, a_kind[i], a_size[i], seed[i], variant[i], a_host[i], int(a_start[i] / 86400), int((a_end[i] - 1) / 86400)
        if (a_truth[i] == "staging") { before = r; continue }
        if (a_kind[i] == "staged" && before < r) r = before
        a_rate[i] = r
        a_feature[i] = feature[seed[i], variant[i], a_kind[i], a_host[i], a_start[i]]
        print "oracle", seed[i], variant[i], a_kind[i], a_size[i], r, a_feature[i]
    }
}

END {
    for (key in begun)
        print "false", seed_of[key], budget_of[key], (begun[key] >= first[seed_of[key]] + warm ? "judged" : "learning"), tests[key], host_of[key], begun[key] - first[seed_of[key]], uid_of[key]
    oracle()
    nb = split(budgets, budget, " ")
    for (b = 1; b <= nb; b++)
        for (i = 1; i <= n; i++) {
            if (a_truth[i] == "benign") continue
            run = seed[i] SUBSEP budget[b] SUBSEP variant[i]
            look(i, run)
            if (a_truth[i] == "staging") { staged = found; staged_when = when; staged_by = by; staged_tenth = a_tenth[i]; continue }
            if (a_kind[i] == "staged" && staged) { found = 1; when = staged_when; by = staged_by; a_tenth_here = staged_tenth } else a_tenth_here = a_tenth[i]
            print "attack", seed[i], variant[i], budget[b], a_kind[i], found, a_size[i], found ? max(0, when - a_tenth_here) / 3600 : "-", by, a_role[i], a_host[i], int(a_start[i] / 86400) - first[seed[i]], a_rate[i], a_feature[i]
        }
}
