# What the scenarios of whole runs share: a small world of logs with a known truth, runs whose counters are checked,
# and the words of a summary. Sourced by cmd, which finds WEIR, BUILD, ROOT, TMP and DATA in its environment.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
set -u

# die TEXT...: the claim does not hold
die() {
    echo "$*" >&2
    exit 1
}

# rest SECONDS: a pipe that nobody writes to. No process for it: bash once waited for ever when a number of one came again
rest() {
    [ -p "$TMP/.quiet" ] || mkfifo "$TMP/.quiet"
    read -r -t "$1" <>"$TMP/.quiet" || :
}

# needs_data PATH: skip, aloud, where the real logs are not at hand
needs_data() {
    [ -n "$DATA" ] && [ -e "$DATA/$1" ] && return
    echo "real logs are absent: $1" >&2
    exit 77
}

# world FOLDER OPTION...: six days of five hosts in hourly objects. On the fifth day 10.0.5.10 sends 40 GB to an address
# never seen, two hours later 10.0.2.10 sends 20 GB to a known provider.
world() {
    local folder=$1
    shift
    "$BUILD/flowgen" --out "$folder" --seed 7 --days 6 --hosts 5 --intensity 20 --skipdata 20 --ipv6 300 --period 3600 \
        --attack bulk-new:host=4:day=4:hour=10:bytes=40G --attack bulk-known-provider:host=1:day=4:hour=12:bytes=20G \
        "$@" 2>"$TMP/flowgen.err" || die "flowgen failed: $(cat "$TMP/flowgen.err")"
}

# objects FOLDER: the paths of its objects in the order of their time
objects() {
    find "$1" -name '*.log.gz' | sort
}

# count NAME SECTION KEY or count NAME KEY: a number of the summary of run NAME; 0 if it is not there
count() {
    local n
    if [ $# -eq 3 ]; then
        n=$(sed -n 's/.*"'"$2"'":{[^}]*"'"$3"'":\([0-9]*\).*/\1/p' "$TMP/$1.json")
    else
        n=$(sed -n 's/.*"'"$2"'":\([0-9]*\).*/\1/p' "$TMP/$1.json")
    fi
    echo "${n:-0}"
}

# total NAME SECTION: the sum of a section
total() {
    sed -n 's/.*"'"$2"'":{\([^}]*\)}.*/\1/p' "$TMP/$1.json" | tr ',' '\n' | awk -F: '{ n += $2 } END { printf "%d\n", n }'
}

# law NAME: nothing vanishes silently in run NAME
law() {
    local read counted rejected
    [ "$(wc -l <"$TMP/$1.json")" -eq 1 ] || die "$1: the summary is not one line"
    read=$(count "$1" records read) counted=$(count "$1" records counted) rejected=$(count "$1" records rejected)
    [ "$read" -eq $((counted + rejected + $(count "$1" records duplicate))) ] || die "$1: read != counted + rejected + duplicate"
    [ "$rejected" -eq "$(total "$1" rejects)" ] || die "$1: a rejected record without a reason"
    [ "$counted" -eq "$(total "$1" log_status)" ] || die "$1: a counted record without a log status"
    [ "$(count "$1" log_status OK)" -eq "$(total "$1" action)" ] || die "$1: an OK record without an action"
    [ "$(count "$1" objects rejected)" -eq "$(total "$1" object_rejects)" ] || die "$1: a rejected object without a reason"
    [ "$(count "$1" objects listed)" -eq $(($(count "$1" objects 'done') + $(count "$1" objects duplicate) + $(count "$1" objects rejected) + ${2:-0})) ] ||
        die "$1: listed != done + duplicate + rejected"
}

# url NAME: the store of that name: a file, or a shard of the server that `redis` has started
url() {
    if [ -z "${SERVER-}" ]; then echo "sqlite:$TMP/$1.db"; else echo "$SERVER?shard=$1"; fi
}

# redis KIND: from now on stores are in a private server of that kind, which ends with this scenario
redis() {
    SERVER=$("$ROOT/scripts/redis" start "$1" "$TMP/$1" --ends-with $$) || die "no Redis"
    trap 'for d in "$TMP"/{plain,tls,cluster}; do [ ! -d "$d" ] || "$ROOT/scripts/redis" stop "$d"; done' EXIT
    [ "$1" != tls ] || export WEIR_REDIS_PASSWORD_FILE=$TMP/tls/password WEIR_REDIS_CA_FILE=$TMP/tls/tls/ca.crt \
        WEIR_REDIS_CERT_FILE=$TMP/tls/tls/client.crt WEIR_REDIS_KEY_FILE=$TMP/tls/tls/client.key
}

# batch NAME PATH...: one run on store NAME, as machines read it; sets rc. Killed runs have no summary, all others keep the law.
batch() {
    local name=$1
    shift
    rm -f "$TMP/$name.json"
    "$WEIR" batch --store "$(url "$name")" --summary "$TMP/$name.json" --format ndjson "$@" >"$TMP/$name.out" 2>"$TMP/$name.err"
    rc=$?
    [ ! -e "$TMP/$name.json" ] || law "$name"
}

# good NAME PATH...: a batch that must end with 0
good() {
    batch "$@"
    [ "$rc" -eq 0 ] || die "$1: exit $rc: $(tail -n 3 "$TMP/$1.err")"
}

# findings NAME: what store NAME holds now
findings() {
    "$WEIR" findings --store "$(url "$1")" --format ndjson || die "$1: weir findings failed"
}

# same NAME OTHER: both stores hold the same findings and coverage, byte for byte, and not none
same() {
    findings "$1" >"$TMP/a.findings" && findings "$2" >"$TMP/b.findings"
    [ -s "$TMP/a.findings" ] || die "$1: no findings to compare"
    cmp "$TMP/a.findings" "$TMP/b.findings" >&2 || die "findings of $1 and $2 differ"
    "$WEIR" coverage --store "sqlite:$TMP/$1.db" --format ndjson >"$TMP/a.coverage"
    "$WEIR" coverage --store "sqlite:$TMP/$2.db" --format ndjson >"$TMP/b.coverage"
    cmp "$TMP/a.coverage" "$TMP/b.coverage" >&2 || die "coverage of $1 and $2 differs"
}
