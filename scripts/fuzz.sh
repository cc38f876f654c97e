#!/bin/bash
# Runs every fuzz target for some seconds each under ASan and UBSan (clang), one after the other, and tells how many inputs
# ran and whether one crashed. A crashing input lies in build/fuzz/TARGET-crash-*.
# usage: scripts/fuzz.sh [SECONDS]       default: 60 each
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-60}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
bad=0 total=0
for source in tests/fuzz/fuzz_*.c; do
    [ -e "$source" ] || { echo "fuzz: no targets" >&2 && exit 1; }
    target=$(basename "$source" .c)
    target=${target#fuzz_}
    total=$((total + 1))
    if make --no-print-directory "fuzz-$target" T="$seconds" >"$log" 2>&1; then
        verdict=clean
    else
        verdict=FAILED
        bad=$((bad + 1))
        grep -v '^#[0-9]*.*NEW\|REDUCE' "$log" | tail -n 60
    fi
    awk -v target="$target" -v verdict="$verdict" '/number_of_executed_units/ { n = $2 } /peak_rss_mb/ { m = $2 }
        END { printf "%-12s %-6s %12d executions, %5d MiB\n", target, verdict, n, m }' "$log"
done
echo "$((total - bad)) targets clean, $bad failed, $seconds s each"
[ "$bad" -eq 0 ]
