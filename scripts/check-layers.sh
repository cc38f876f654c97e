#!/bin/bash
# Holds the shape of the program: data flows one way, through rooms in a fixed order.
#   - a room includes <weir/base.h>, its own header and the headers of rooms before it, never of rooms after it
#   - store knows base only, and only app knows store; nobody but app knows app; files of another room are private
#   - pure rooms neither print nor read the clock; no room but app ends the program
#   - functions that cannot be used safely on hostile input are used nowhere
# usage: scripts/check-layers.sh [ROOT]        check the tree (default: this one)
#        scripts/check-layers.sh --self-test   seed one violation of each kind and see each one caught
# SPDX-License-Identifier: Apache-2.0
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
PATH_ROOMS="source decode flow window baseline score finding sink"

BANNED='v?sscanf|strtok(_r)?|ato(i|l|ll|f)|strto(u?ll?|[ui]max)|v?sprintf|stp?cpy|str(cpy|cat|ncat|ncpy)|gets|alloca|tmpnam|mktemp'
CLOCK='time|clock_gettime|gettimeofday|timespec_get|clock|localtime(_r)?|ftime'
CLOCKLESS="decode flow window baseline score finding base"
PRINT='printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror|fopen|getenv'
PRINTLESS="decode flow window baseline score finding"
END='exit|_exit|_Exit|quick_exit'

# Every file of C under the folders named, as file:line:code. An empty list is an error of the check, not a pass.
code_of() {
    local files
    mapfile -t files < <(find "$@" \( -name '*.c' -o -name '*.h' -o -name '*.def' \) 2>/dev/null | sort)
    [ "${#files[@]}" -eq 0 ] || awk -f "$here/strip.awk" "${files[@]}"
}

check_includes() {
    code_of src include | awk -v rooms="$PATH_ROOMS" '
        BEGIN { n = split(rooms, list, " "); for (i = 1; i <= n; i++) place[list[i]] = i
                known["base"] = known["store"] = known["app"] = 1; for (r in place) known[r] = 1 }
        function room_of(path,   r) {                                    # src/ROOM/... or include/weir/ROOM.h or ROOM_topic.h
            r = path; sub(/^(src|include\/weir|weir)\//, "", r); sub(/[\/._].*/, "", r)
            return r
        }
        function may(from, to, public) {
            if (from == to) return 1
            if (!public) return 0
            if (from == "app" || to == "base") return 1
            return (from in place) && (to in place) && place[to] < place[from]
        }
        match($0, /^[^:]*:[0-9]+:/) {
            where = substr($0, 1, RLENGTH - 1); text = substr($0, RLENGTH + 1)
            if (text !~ /^[ \t]*#[ \t]*include/) next
            file = where; sub(/:.*/, "", file); from = room_of(file)
            if (!(from in known)) { print where ": no room is called \"" from "\""; next }
            name = text; sub(/^[^"<]*["<]/, "", name); sub(/[">].*/, "", name)
            if (name ~ /^models\/[a-z0-9-]+\.def$/ && from ~ /^(flow|score|app)$/) next # constants: data, not a room
            if (name ~ /\.\.\//) { print where ": path climbs out of its room: " name; next }
            if (name ~ /\.c$/) { print where ": includes a .c file: " name; next }
            public = name ~ /^weir\//
            if (!public && text !~ /"/) next                             # a system header
            to = public || name ~ /\// ? room_of(name) : from
            if (!(to in known)) print where ": no room is called \"" to "\": " name
            else if (!may(from, to, public)) print where ": room " from " must not know " name
        }'
}

# calls WHAT REGEX FOLDERS...: calls of the functions named
calls() {
    local what=$1 regex=$2
    shift 2
    code_of "$@" | awk -v what="$what" -v regex="(^|[^A-Za-z0-9_>.])($regex)[ \t]*[(]" '
        match($0, /^[^:]*:[0-9]+:/) {
            where = substr($0, 1, RLENGTH - 1); text = substr($0, RLENGTH + 1)
            if (match(text, regex)) { call = substr(text, RSTART, RLENGTH); sub(/^[^A-Za-z_]/, "", call); print where ": " what ": " call ")" }
        }'
}

folders() { for r in "$@"; do echo "src/$r" "include/weir/$r.h"; done; }

check_tree() {
    local found
    cd "$1"
    # shellcheck disable=SC2046,SC2086  # lists of words
    found=$(
        check_includes
        calls "banned function" "$BANNED" src include tests scripts
        calls "reads the clock" "$CLOCK" $(folders $CLOCKLESS)
        calls "prints or reads the environment" "$PRINT" $(folders $PRINTLESS)
        calls "ends the program" "$END" $(folders $PATH_ROOMS store base)
    )
    [ -z "$found" ] || { echo "$found" && return 1; }
    [ -n "$(code_of src)" ] || { echo "no source found under $1/src" && return 1; }
}

# seed CLAIM FILE LINE: a clean tree with that one line in that one file must be refused, with the file's name
seed() {
    local claim=$1 file=$2 line=$3 out
    rm -rf "${tree:?}/src" "$tree/include" "$tree/tests"
    mkdir -p "$tree/include/weir" "$tree/$(dirname "$file")"
    for room in $PATH_ROOMS store base app; do
        mkdir -p "$tree/src/$room"
        printf '#include <weir/base.h>\n#include <time.h>\nint x; /* time(NULL) */\n' >"$tree/src/$room/a.c"
    done
    if ! out=$(check_tree "$tree"); then
        echo "self-test: a clean tree is refused: $out" && return 1
    fi
    printf '%s\n' "$line" >>"$tree/$file"
    if out=$(check_tree "$tree") || [ "${out#"$file:"}" = "$out" ]; then
        echo "self-test: not caught: $claim" && return 1
    fi
    seeded=$((seeded + 1))
}

self_test() {
    tree=$(mktemp -d) seeded=0
    trap 'rm -rf "$tree"' EXIT
    seed "a room knows a later room" src/decode/a.c '#include <weir/window.h>' &&
        seed "a later room, spaced and quoted" src/flow/a.c ' #  include "weir/sink.h"' &&
        seed "a header knows a later room" include/weir/flow.h '#include <weir/score.h>' &&
        seed "private file of an earlier room" src/score/a.c '#include "window/slots.h"' &&
        seed "path out of the room" src/score/a.c '#include "../window/slots.h"' &&
        seed "includes a .c file" src/score/a.c '#include "b.c"' &&
        seed "a path room knows store" src/baseline/a.c '#include <weir/store.h>' &&
        seed "store knows a path room" src/store/a.c '#include <weir/window.h>' &&
        seed "base knows a room" src/base/a.c '#include <weir/flow.h>' &&
        seed "a room knows app" src/sink/a.c '#include "app/app.h"' &&
        seed "a header without a room" src/app/a.c '#include <weir/misc.h>' &&
        seed "a room that nobody knows" src/misc/a.c '#include <weir/base.h>' &&
        seed "a clock in a pure room" src/score/a.c 'long f(void) { return time(NULL); }' &&
        seed "a clock in a header" include/weir/window.h 'static inline int f(void) { return clock_gettime(0, 0); }' &&
        seed "a clock in base" src/base/a.c 'int f(void) { return gettimeofday (0, 0); }' &&
        seed "printing in a pure room" src/finding/a.c 'void f(void) { printf("x"); }' &&
        seed "the end of the program in a room" src/source/a.c 'void f(void) { exit(1); }' &&
        seed "the end of the program in store" src/store/a.c 'void f(void) { "//"; _exit(1); }' &&
        seed "VLA by hand" src/window/a.c 'void f(void) { char *p = alloca(9); }' || return 1
    for f in sscanf strtok strtok_r atoi strtol strtoul sprintf vsprintf strcpy strcat gets; do
        seed "banned $f" src/app/a.c "void f(void) { '\"'; $f(0); }" && seed "banned $f in a test" tests/a.c "int y = $f (0);" || return 1
    done
    echo "check-layers: $seeded seeded violations, all caught"
}

case "${1-}" in
--self-test) self_test ;;
*) check_tree "${1:-$here/..}" ;;
esac
