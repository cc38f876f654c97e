#!/bin/bash
# The marks of the house that a machine can measure: a head comment and a licence line in every file, files and functions
# of a size that can be read, nothing unfinished, nothing that ties the tree to one machine. Then shellcheck and mandoc, where
# they are installed.
# usage: scripts/check-style.sh [ROOT]        check the tree (default: this one)
#        scripts/check-style.sh --self-test   seed one violation of each kind and see each one caught
# SPDX-License-Identifier: Apache-2.0
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
bad=0

look() {
    mapfile -t c_files < <(find src include tests scripts \( -name '*.c' -o -name '*.h' \) 2>/dev/null | sort)
    mapfile -t scripts < <(grep -rlE '^#!/bin/(ba)?sh' scripts tests .ci 2>/dev/null | sort)
    mapfile -t texts < <(find Makefile README.md src include models tests scripts docs .ci testdata/README.md -type f -size -400k 2>/dev/null | sort)
}

# report LINES: a check has found these
report() {
    [ -z "$1" ] || { echo "$1" && bad=1; }
}

heads() {
    local f
    for f in "${c_files[@]}"; do
        [ "$(head -c 2 "$f")" = '/*' ] || echo "$f: no head comment"
    done
    for f in "${c_files[@]}" "${scripts[@]}" Makefile; do
        head -n 30 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f: no SPDX line near the top"
    done
}

sizes() {
    local f n
    for f in "${c_files[@]}" "${scripts[@]}"; do
        n=$(wc -l <"$f")
        [ "$n" -le 600 ] || echo "$f: $n lines, at most 600"
    done
    n=$(wc -l <Makefile)
    [ "$n" -lt 100 ] || echo "Makefile: $n lines, at most 99"
}

# Length of each function, from its opening to its closing brace; one line each: LENGTH file:line
function_lengths() {
    [ "${#c_files[@]}" -eq 0 ] || awk -f "$here/strip.awk" "${c_files[@]}" | awk '
        match($0, /^[^:]*:[0-9]+:/) {
            where = substr($0, 1, RLENGTH - 1); text = substr($0, RLENGTH + 1)
            file = where; sub(/:.*/, "", file)
            if (file != last_file) { depth = 0; in_macro = 0; before = ""; last_file = file; line = 0 }
            line++
            if (in_macro || text ~ /^[ \t]*#/) { in_macro = text ~ /\\[ \t]*$/; next }
            if (depth == 0 && text ~ /[{][ \t]*$/ && text !~ /=/ && before text ~ /[)][ \t]*[{]/) { start = line; at = where; is_function = 1 }
            for (i = 1; i <= length(text); i++) {
                ch = substr(text, i, 1)
                if (ch == "{") depth++
                else if (ch == "}" && --depth == 0 && is_function) { print line - start + 1, at; is_function = 0 }
            }
            if (text ~ /[^ \t]/) { before = text; sub(/[ \t]+$/, "", before) }
        }'
}

functions() {
    function_lengths | sort -n | awk '
        { n++; length_of[n] = $1; where[n] = $2; if ($1 > 60) long++; }
        $1 > 120 { print $2 ": function of " $1 " lines, at most 120" }
        END { if (!n) exit
              if (length_of[int((n + 1) / 2)] > 15) print "functions: median of " length_of[int((n + 1) / 2)] " lines, at most 15"
              if (long > n / 20) print "functions: " long " of " n " are longer than 60 lines, at most 5 %: the longest is " where[n] }'
}

unfinished() { grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "${c_files[@]}" "${scripts[@]}" | grep -v '^scripts/check-style.sh:'; }
blanks() { grep -nE '[[:space:]]+$' "${c_files[@]}" "${scripts[@]}" Makefile | cut -c 1-100; }
# Paths of one machine and of the folder of test logs beside the checkout: the latter may be named by tests and benches only.
ties() {
    grep -nE '(^|[^A-Za-z0-9_.])/(work|home|root)/' "${texts[@]}" | grep -v '^scripts/check-style.sh:'
    grep -nF '../shared' "${texts[@]}" | grep -vE '^(tests/|scripts/(bench|check-style))'
}

check_tree() {
    cd "$1" || return 1
    look
    report "$(heads)"
    report "$(sizes)"
    report "$(functions)"
    report "$(unfinished)"
    report "$(blanks)"
    report "$(ties)"
    if command -v shellcheck >/dev/null; then
        report "$(shellcheck "${scripts[@]}" 2>&1)"
    fi
    if command -v mandoc >/dev/null && ls docs/man/*.1 >/dev/null 2>&1; then
        report "$(mandoc -T lint -W warning docs/man/*.1 2>&1)"
    fi
    [ "$bad" -eq 0 ] && echo "check-style: ${#c_files[@]} C files, ${#scripts[@]} scripts, $(function_lengths | wc -l) functions: fine"
    return "$bad"
}

head_of_c='/* A head. */\n/* SPDX-License-Identifier: Apache-2.0 */\n'
head_of_sh='#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n'

# body N: a function of N lines
body() { printf 'int f%d(int x)\n{\n' "$1" && seq -f '    x += %.0f;' $(($1 - 3)) && printf '    return x;\n}\n'; }

# seed CLAIM WORD FILE TEXT: a clean tree with that one file (made by printf) must be refused, and WORD must stand in the reason
seed() {
    local claim=$1 word=$2 file=$3 out
    rm -rf "${tree:?}"/* && mkdir -p "$tree/src/app" "$tree/scripts" "$tree/$(dirname "$file")"
    # shellcheck disable=SC2059  # the text is a format on purpose
    { printf "$head_of_c" && body 10; } >"$tree/src/app/a.c" && printf "$head_of_sh" >"$tree/scripts/a" && printf '# SPDX-License-Identifier: Apache-2.0\n' >"$tree/Makefile"
    if ! out=$(check_tree "$tree"); then
        echo "self-test: a clean tree is refused: $out" && return 1
    fi
    # shellcheck disable=SC2059
    printf "$4" >>"$tree/$file"
    if out=$(check_tree "$tree") || [ "${out#*"$word"}" = "$out" ]; then
        echo "self-test: not caught: $claim: $out" && return 1
    fi
    seeded=$((seeded + 1))
}

self_test() {
    tree=$(mktemp -d) seeded=0
    trap 'rm -rf "$tree"' EXIT
    seed "no head comment" "no head" src/app/b.c 'int b; /* SPDX-License-Identifier: Apache-2.0 */\n' &&
        seed "no licence in C" "no SPDX" src/app/b.h '/* A head. */\n' &&
        seed "no licence in a script" "no SPDX" scripts/b '#!/bin/sh\n' &&
        seed "a file too long" "601 lines" src/app/b.c "$head_of_c$(printf 'int x;\\n%.0s' $(seq 599))" &&
        seed "a function too long" "121 lines" src/app/b.c "$head_of_c$(body 121)\n" &&
        seed "functions too long in the middle" "median" src/app/b.c "$head_of_c$(body 16)\n$(body 17)\n" &&
        seed "too many long functions" "longer than 60" src/app/b.c "$head_of_c$(body 61)\n" &&
        seed "something unfinished" "TO""DO" src/app/b.c "$head_of_c/* TO""DO: later */\n" &&
        seed "blanks at the end of a line" "b.c:3" src/app/b.c "${head_of_c}int x; \n" &&
        seed "a path of one machine" "b.c:3" src/app/b.c "$head_of_c/* see /wo""rk/x */\n" &&
        seed "the folder of test logs in the program" "b.c:3" src/app/b.c "$head_of_c/* see ../sha""red/x */\n" || return 1
    echo "check-style: $seeded seeded violations, all caught"
}

case "${1-}" in
--self-test) self_test ;;
*) check_tree "${1:-$here/..}" ;;
esac
