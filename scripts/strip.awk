# C source to `file:line:code`, with comments dropped and strings and characters emptied, so that the checks see code only.
# Lines keep their numbers. A preprocessor line keeps its text: the name in an #include is a string too.
# SPDX-License-Identifier: Apache-2.0
FNR == 1 { in_comment = 0 }
{
    line = $0; code = ""
    is_include = !in_comment && line ~ /^[ \t]*#[ \t]*include/
    while (line != "") {
        if (in_comment) {
            at = index(line, "*/")
            if (!at) { line = ""; break }
            line = substr(line, at + 2); in_comment = 0; code = code " "
        } else if (is_include ? !match(line, /\/[*\/]/) : !match(line, /\/[*\/]|["']/)) {
            code = code line; line = ""
        } else {
            code = code substr(line, 1, RSTART - 1)
            mark = substr(line, RSTART, 1); rest = substr(line, RSTART)
            if (substr(rest, 1, 2) == "//") { line = ""; break }
            if (substr(rest, 1, 2) == "/*") { in_comment = 1; line = substr(rest, 3); continue }
            for (i = 2; i <= length(rest) && substr(rest, i, 1) != mark; i++)
                if (substr(rest, i, 1) == "\\") i++
            code = code mark mark; line = substr(rest, i + 1)
        }
    }
    print FILENAME ":" FNR ":" code
}
