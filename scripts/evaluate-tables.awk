# Tables in Markdown out of results.tsv (see evaluate-match.awk).
# SPDX-License-Identifier: Apache-2.0
BEGIN { FS = "\t"; nb = split(budgets, budget, " ") }

# Chance that a Poisson variable of this mean is at most k.
function poisson(k, mean,    i, term, sum) {
    term = sum = exp(-mean)
    for (i = 1; i <= k; i++) { term *= mean / i; sum += term }
    return sum
}

# The mean at which the chance of at most k is p.
function mean_at(k, p,    low, high, mid, i) {
    if (k > 400) return k + (p > 0.5 ? -1.96 : 1.96) * sqrt(k)
    low = 0
    high = k * 2 + 20
    for (i = 0; i < 60; i++) { mid = (low + high) / 2; if (poisson(k, mid) > p) low = mid; else high = mid }
    return mid
}

function interval(k, days) { return sprintf("%.2f to %.2f", (k ? mean_at(k - 1, 0.975) : 0) * 1000 / days, mean_at(k, 0.025) * 1000 / days) }

function sort_numbers(v, n,    i, j, x) {
    for (i = 2; i <= n; i++) {
        x = v[i]
        for (j = i - 1; j > 0 && v[j] > x; j--) v[j + 1] = v[j]
        v[j + 1] = x
    }
}

# The ring of values that a list "a b c" holds, at a share of its length.
function quantile(list, q,    v, n) {
    n = split(list, v, " ")
    if (!n) return "-"
    sort_numbers(v, n)
    return sprintf("%.1f", v[int((n - 1) * q + 0.5) + 1])
}

function rule(n,    i, s) { s = "|---|"; for (i = 0; i < n; i++) s = s "---:|"; print s }

$1 == "world" { seed[++worlds] = $2; hosts += $4 }
$1 == "hostdays" { judged += $3; young += $4; judged_of[$2] = $3 }
$1 == "false" {
    count[$3, $4]++
    if ($4 == "judged") {
        by_seed[$2, $3]++
        m = split($5, t, ",")
        for (i = 1; i <= m; i++) { if (!(t[i] in test_seen)) { test_seen[t[i]]; test_name[++tests] = t[i] } with_test[t[i], $3]++ }
        if (m == 1) alone[t[1], $3]++
    }
}
$1 == "attack" {
    if (!($5 in kind_seen)) { kind_seen[$5]; kind[++kinds] = $5 }
    n[$5, $4]++; n_all[$4]++
    if (!($7 in x)) { least[$5] = (!least[$5] || $7 < least[$5]) ? $7 : least[$5]; most[$5] = $7 > most[$5] ? $7 : most[$5] }
    if ($6) { hit[$5, $4]++; hit_all[$4]++; delay[$5, $4] = delay[$5, $4] " " $8; caught_by[$9, $4]++; if (!($9 in test_seen)) { test_seen[$9]; test_name[++tests] = $9 } }
}

END {
    printf "**False findings** in %d benign host-days of %d worlds with %d hosts (and %d learning days before, not counted in the rate).\n\n", judged, worlds, hosts, young
    print "| Budget per 1,000 | false | measured per 1,000 | 95 % interval | while learning, per 1,000 |"
    rule(4)
    for (b = 1; b <= nb; b++) {
        k = count[budget[b], "judged"] + 0
        printf "| %s | %d | %.2f | %s | %.2f |\n", budget[b], k, k * 1000 / judged, interval(k, judged), count[budget[b], "learning"] * 1000 / (young ? young : 1)
    }
    printf "\n**By test**, false findings per 1,000 host-days that the test raised (alone), and attacks that it raised first.\n\n| Test |"
    for (b = 1; b <= nb; b++) printf " %s | attacks |", budget[b]
    print ""
    rule(nb * 2)
    for (i = 1; i <= tests; i++) {
        printf "| %s |", test_name[i]
        for (b = 1; b <= nb; b++)
            printf " %.2f (%.2f) | %d |", with_test[test_name[i], budget[b]] * 1000 / judged, alone[test_name[i], budget[b]] * 1000 / judged, caught_by[test_name[i], budget[b]]
        print ""
    }
    printf "\n**By world**, false findings per 1,000 host-days.\n\n| Seed |"
    for (b = 1; b <= nb; b++) printf " %s |", budget[b]
    print ""
    rule(nb)
    for (i = 1; i <= worlds; i++) {
        s = seed[i]
        printf "| %s |", s
        for (b = 1; b <= nb; b++) printf " %.2f |", by_seed[s, budget[b]] * 1000 / judged_of[s]
        print ""
    }
    mid = budget[nb == 4 ? 2 : 1]
    printf "\n**Recall**: share of attacks found; hours to detect after the first tenth of the bytes (median, 90 %% quantile) at budget %s.\n\n| Kind | MB | attacks |", mid
    for (b = 1; b <= nb; b++) printf " %s |", budget[b]
    print " hours | 90 % |"
    rule(nb + 4)
    for (i = 1; i <= kinds; i++) {
        printf "| %s | %.1f to %.0f | %d |", kind[i], least[kind[i]] / 1e6, most[kind[i]] / 1e6, n[kind[i], budget[1]]
        for (b = 1; b <= nb; b++) printf " %.0f %% |", 100 * hit[kind[i], budget[b]] / n[kind[i], budget[b]]
        printf " %s | %s |\n", quantile(delay[kind[i], mid], 0.5), quantile(delay[kind[i], mid], 0.9)
        all = all delay[kind[i], mid]
    }
    printf "| **all** | | %d |", n_all[budget[1]]
    for (b = 1; b <= nb; b++) printf " **%.0f %%** |", 100 * hit_all[budget[b]] / n_all[budget[b]]
    printf " %s | %s |\n", quantile(all, 0.5), quantile(all, 0.9)
}
