# Simple detectors at weir's own false rate. Reads results.tsv (false findings and attacks) and the statistics of evaluate-naive.awk, finds for
# each detector and budget the threshold at which it raises as often as weir did in worlds without attacks (a run of days counts once, as weir's
# findings do), and tells which attacks it finds there: those with a raised day. So an attack on a day that would be raised anyway counts as found.
# SPDX-License-Identifier: Apache-2.0
BEGIN { FS = OFS = "\t"; nb = split(budgets, budget, " "); split("sigma zscore fresh", word, " ") }

$1 == "world" { first[$2] = $3 }
$1 == "false" && $4 == "judged" { false_of[$3]++ }
$1 == "place" { # host and days of an attack, or of one of its parts
    n++
    id[n] = $2; kind[n] = $3; bytes[n] = $4; key[n] = $5 SUBSEP $6 SUBSEP $7; from[n] = $8; to[n] = $9
}
$1 == "S" && $3 == 0 && $5 >= first[$2] + warm {
    rows++
    for (d = 1; d <= 3; d++) {
        value[d, rows] = $(5 + d)
        if ($(5 + d) > top[d]) top[d] = $(5 + d)
    }
    at[$2, $4, $5] = rows
    before[rows] = at[$2, $4, $5 - 1]
}
$1 == "S" && $3 != 0 { for (d = 1; d <= 3; d++) attacked[$2, $3, $4, $5, d] = $(5 + d) }

function days_raised(d, threshold,    i, k) {
    for (i = 1; i <= rows; i++) if (value[d, i] >= threshold) k++
    return k + 0
}

function raised(d, threshold,    i, k) {
    for (i = 1; i <= rows; i++)
        if (value[d, i] >= threshold && !(before[i] && value[d, before[i]] >= threshold)) k++
    return k + 0
}

# First for raised days, whose number falls as the threshold rises; then lower while there are not more runs of them than wanted.
function threshold_of(d, wanted,    low, high, mid, i) {
    low = -10
    high = log(top[d] + 2)
    for (i = 0; i < 30; i++) { mid = (low + high) / 2; if (days_raised(d, exp(mid)) > wanted) low = mid; else high = mid }
    for (i = 0; i < 40 && raised(d, exp(high - 0.03)) <= wanted; i++) high -= 0.03
    return exp(high)
}

END {
    for (d = 1; d <= 3; d++)
        for (b = 1; b <= nb; b++) {
            threshold = threshold_of(d, false_of[budget[b]] + 0)
            print "simple", word[d], budget[b], threshold, raised(d, threshold)
            for (i = 1; i <= n; i++) {
                found = 0
                for (day = from[i]; day <= to[i]; day++) if ((key[i], day, d) in attacked && attacked[key[i], day, d] >= threshold) found = 1
                if (id[i] == id[i - 1]) found = found || last # the parts of a staged attack
                last = found
                if (id[i + 1] != id[i]) print "simple-attack", word[d], budget[b], kind[i], found, bytes[i]
            }
        }
}
