# A service in a scenario: started on a free port, asked by its metrics until something holds, ended by its id. Sourced
# after lib.sh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
export WEIR_SERVE_LISTEN=127.0.0.1:0 WEIR_SERVE_REST=0 WEIR_CHECKPOINT_INTERVAL=0
pid=
trap '' PIPE # the service may end while it is asked
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null' EXIT

# serve NAME DIR...: in the background on store NAME; sets pid and port
serve() {
    local name=$1 deadline=$((SECONDS + 60))
    shift
    : >"$TMP/$name.err"
    "$WEIR" serve --store "$(url "$name")" "$@" <&0 >"$TMP/$name.out" 2>"$TMP/$name.err" &
    pid=$!
    until port=$(sed -n 's/.*listen=127.0.0.1:\([0-9]*\).*/\1/p' "$TMP/$name.err" | head -n 1) && [ -n "$port" ]; do
        running || return 0
        [ "$SECONDS" -lt "$deadline" ] || die "$name does not start: $(cat "$TMP/$name.err")"
    done
}

running() {
    kill -0 "$pid" 2>/dev/null
}

# page PATH: what the service answers, without the header
page() {
    { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    printf 'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' "$1" >&3
    sed '1,/^\r$/d' <&3 2>/dev/null
    exec 3<&-
}

# metric NAME [LABELS]: its number, or nothing
metric() {
    page /metrics | awk -v name="$1${2-}" '$1 == name { print $2 }'
}

# until_idle: all that lies in the directories is counted and judged; not 0 when the service ended
until_idle() {
    local deadline=$((SECONDS + 120))
    until page /metrics >"$TMP/metrics" && awk '
        /^#/ { next } { v[$1] = $2 }
        END { exit !(v["weir_sweeps_total"] > 0 && v["weir_objects_waiting"] == 0 && v["weir_objects_resting"] == 0 && v["weir_open_unjudged"] == 0 && v["weir_store_up"] == 1) }' "$TMP/metrics"; do
        running || return 1
        [ "$SECONDS" -lt "$deadline" ] || die "the service does not come to rest: $(grep -v '^#' "$TMP/metrics")"
    done
}

# until_counted N: that many objects were counted, or recognised
until_counted() {
    local deadline=$((SECONDS + 120)) seen=0
    until [ "$seen" -ge "$1" ]; do
        seen=$(page /metrics | awk '/^weir_objects_total/ { n += $2 } END { print n + 0 }')
        running || return 1
        [ "$SECONDS" -lt "$deadline" ] || die "only $seen of $1 objects were counted"
    done
}

# stop [SIGNAL]: end the service; sets rc
stop() {
    kill "-${1:-TERM}" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    rc=$?
    pid=
}
