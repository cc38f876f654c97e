# Tables in Markdown out of results.tsv (see evaluate-match.awk and evaluate-tune.awk).
# SPDX-License-Identifier: Apache-2.0
BEGIN { FS = "\t"; nb = split(budgets, budget, " "); split("sigma zscore fresh", simple, " ") }

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

# Of a list "a b c" the value at a share of its length.
function quantile(list, q,    v, n) {
    n = split(list, v, " ")
    if (!n) return "-"
    sort_numbers(v, n)
    return sprintf("%.1f", v[int((n - 1) * q + 0.5) + 1])
}

# Of a list "size:found ..." the smallest size so that of all attacks of at least that size 90 % were found; 0: there is none.
function size90(list,    v, n, i, part, share, k, best, sizes, ok) {
    n = split(list, v, " ")
    for (i = 1; i <= n; i++) { split(v[i], part, ":"); sizes[i] = part[1]; ok[part[1]] = part[2] }
    sort_numbers(sizes, n)
    for (i = n; i > 0; i--) {
        k += ok[sizes[i]]
        if (n - i >= 2 && k >= 0.9 * (n - i + 1)) best = sizes[i]
    }
    return best + 0
}

function size(x, relative) { return !x ? "-" : relative ? sprintf("%.2f days", x) : sprintf("%.1f MB", x / 1e6) }
function percent(k, n) { return n ? sprintf("%.0f %%", 100 * k / n) : "-" }
function rule(n,    i, s) { s = "|---|"; for (i = 0; i < n; i++) s = s "---:|"; print s }
function is_relative(kind) { return kind == "served" || kind == "bulk-known-provider" }

$1 == "world" { seed[++worlds] = $2; hosts += $4 }
$1 == "hostdays" { judged += $3; young += $4; judged_of[$2] = $3 }
$1 == "look-alike" { look_alikes++ }
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
    if (!($5 in kind_seen)) { kind_seen[$5]; kind[++kinds] = $5; least[$5] = most[$5] = $7 }
    n[$5, $4]++
    if ($7 + 0 < least[$5]) least[$5] = $7 + 0
    if ($7 + 0 > most[$5]) most[$5] = $7 + 0
    sizes["weir", $5, $4] = sizes["weir", $5, $4] " " $7 ":" $6
    if (!$6) next
    hit["weir", $5, $4]++
    delay[$5, $4] = delay[$5, $4] " " $8
    caught_by[$9, $4]++
    if (!($9 in test_seen)) { test_seen[$9]; test_name[++tests] = $9 }
}
# The oracle raises every look-alike: what these cost is not left for chance.
$1 == "oracle" {
    for (b = 1; b <= nb; b++) {
        found = $6 * 1000 <= budget[b] - look_alikes * 1000 / (judged + young)
        sizes["oracle", $4, budget[b]] = sizes["oracle", $4, budget[b]] " " $5 ":" found
        hit["oracle", $4, budget[b]] += found
    }
}
$1 == "simple" { threshold[$2, $3] = $4; simple_false[$2, $3] = $5 }
$1 == "simple-attack" { hit[$2, $4, $3] += $5 }

function false_table(    b, k) {
    printf "**False findings** in %d benign host-days of %d worlds with %d hosts (and %d learning days before, not counted in the rate). ", judged, worlds, hosts, young
    printf "Among them %d look-alikes: migrations, new backup targets, load tests.\n\n", look_alikes
    print "| Budget per 1,000 | false | measured per 1,000 | 95 % interval | while learning, per 1,000 |"
    rule(4)
    for (b = 1; b <= nb; b++) {
        k = count[budget[b], "judged"] + 0
        printf "| %s | %d | %.2f | %s | %.2f |\n", budget[b], k, k * 1000 / judged, interval(k, judged), count[budget[b], "learning"] * 1000 / (young ? young : 1)
    }
}

function test_table(    i, b) {
    printf "\n**By test**: false findings per 1,000 host-days that the test raised (that it alone raised), and attacks that it raised first.\n\n| Test |"
    for (b = 1; b <= nb; b++) printf " budget %s | attacks |", budget[b]
    print ""
    rule(nb * 2)
    for (i = 1; i <= tests; i++) {
        printf "| %s |", test_name[i]
        for (b = 1; b <= nb; b++)
            printf " %.2f (%.2f) | %d |", with_test[test_name[i], budget[b]] * 1000 / judged, alone[test_name[i], budget[b]] * 1000 / judged, caught_by[test_name[i], budget[b]]
        print ""
    }
}

function world_table(    i, b) {
    printf "\n**By world**: false findings per 1,000 host-days.\n\n| Seed | host-days |"
    for (b = 1; b <= nb; b++) printf " budget %s |", budget[b]
    print ""
    rule(nb + 1)
    for (i = 1; i <= worlds; i++) {
        printf "| %s | %d |", seed[i], judged_of[seed[i]]
        for (b = 1; b <= nb; b++) printf " %.2f |", by_seed[seed[i], budget[b]] * 1000 / judged_of[seed[i]]
        print ""
    }
}

function kind_row(k, b,    i, w, o) {
    printf "| %s | %d | %s to %s | %s | %s |", k, n[k, b], size(least[k], is_relative(k)), size(most[k], is_relative(k)), percent(hit["weir", k, b], n[k, b]), percent(hit["oracle", k, b], n[k, b])
    for (i = 1; i <= 3; i++) printf " %s |", percent(hit[simple[i], k, b], n[k, b])
    w = size90(sizes["weir", k, b])
    o = size90(sizes["oracle", k, b])
    printf " %s | %s | %s | %s | %s |\n", size(w, is_relative(k)), w && o ? sprintf("%.1f", w / o) : "-", percent(n[k, b] ? hit["weir", k, b] : 0, hit["oracle", k, b]), quantile(delay[k, b], 0.5), quantile(delay[k, b], 0.9)
}

function recall_table(b,    i, j, all, every, w, o, s) {
    printf "\n**Recall at budget %s per 1,000.**\n\n", b
    print "| Kind | attacks | sizes | weir | oracle | 3 sigma | z-score | new address | 90 % found from | times the oracle's | weir / oracle | hours | 90 % within |"
    rule(12)
    for (i = 1; i <= kinds; i++) {
        kind_row(kind[i], b)
        all += n[kind[i], b]
        w += hit["weir", kind[i], b]
        o += hit["oracle", kind[i], b]
        for (j = 1; j <= 3; j++) s[j] += hit[simple[j], kind[i], b]
        every = every delay[kind[i], b]
    }
    printf "| **all** | %d | | **%s** | **%s** |", all, percent(w, all), percent(o, all)
    for (j = 1; j <= 3; j++) printf " %s |", percent(s[j], all)
    printf " | | **%s** | %s | %s |\n", percent(w, o), quantile(every, 0.5), quantile(every, 0.9)
}

END {
    false_table()
    test_table()
    world_table()
    for (b = 1; b <= nb; b++) recall_table(budget[b])
}
