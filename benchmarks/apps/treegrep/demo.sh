#!/usr/bin/env bash
# demo.sh TREEGREP - a parallel search of this machine's own files: to the end,
# against a deadline, until Ctrl-C, and with 1 worker against all.
# Under a minute; writes to a temporary directory alone.
set -uo pipefail

treegrep=${1:?usage: demo.sh TREEGREP}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C
unset ROOST_WORKERS

say() {
    printf '\n== %s\n' "$*"
}

# A figure out of the report: count 'files: ([0-9]+) found' FILE
count() {
    sed -nE "s/.*$1.*/\1/p" "$2" | head -1
}

seconds() { # of the last `timed` command
    awk -v ms="$elapsed_ms" 'BEGIN { printf "%.2f s", ms / 1000 }'
}

# Runs a command; its status in $status, its time in $elapsed_ms.
timed() {
    local begun=${EPOCHREALTIME/./} ended
    "$@"
    status=$?
    ended=${EPOCHREALTIME/./}
    elapsed_ms=$(((ended - begun) / 1000))
}

# What treegrep says of a search on stderr, without its name.
report() {
    grep -E "$1" "$2" | sed 's/^treegrep: /   /'
}

# ---- what there is to search ------------------------------------------------

# Enough text that the searches take a while, some of it packed.
make_tree() {
    local i
    mkdir -p "$scratch/tree"
    for i in $(seq 40); do
        mkdir -p "$scratch/tree/$i/packed"
        seq "$i" 7 60000 | awk '{ print "int f" $1 "(struct list *next); /* " \
            $1 * $1 % 9973 " */" }' >"$scratch/tree/$i/header.h"
        gzip -c "$scratch/tree/$i/header.h" >"$scratch/tree/$i/packed/page.gz"
    done
}

paths=()
for path in /usr/include /usr/share/man /usr/share/doc; do
    [ -d "$path" ] && paths+=("$path")
done
files=$(find "${paths[@]}" -type f 2>/dev/null | head -3000 | wc -l)
if [ "${#paths[@]}" -eq 0 ] || [ "$files" -lt 1000 ]; then
    echo "There is little to search on this machine: it gets a tree of its own."
    make_tree
    paths=("$scratch/tree")
fi
cores=$(nproc)

# ---- to the end -------------------------------------------------------------

pattern='\b(int|char)\s+\*?\w+_(new|open|init)\b'
say "1. Every line with '$pattern' in ${paths[*]}, packed files too"
timed "$treegrep" -n --stats "$pattern" "${paths[@]}" \
    >"$scratch/whole" 2>"$scratch/err"
sed -n '1,4s/^\(.\{76\}\).*/\1.../;1,4p' "$scratch/whole"
echo "   ... $(wc -l <"$scratch/whole") lines, exit status $status, $(seconds)"
report '(directories|files|skipped).*:' "$scratch/err"
whole_ms=$elapsed_ms
files=$(count 'files: ([0-9]+) found' "$scratch/err")
order=$(cut -d: -f1 "$scratch/whole" | uniq)
# Each path of the command line is one part, in the order given.
for path in "${paths[@]}"; do
    part=$(grep "^$path/" <<<"$order")
    if ! LC_ALL=C sort -c <<<"$part" 2>/dev/null; then
        echo "   NOT in path order below $path"
        exit 1
    fi
done
echo "   The lines came in the order of the paths while it went."

say "2. Does grep find the same in plain files?"
plain=${paths[0]}
timed grep -rPn --exclude='*.gz' "$pattern" "$plain" >"$scratch/grep"
grep_ms=$elapsed_ms
timed "$treegrep" -n "$pattern" "$plain" >"$scratch/ours"
grep -v '^[^:]*\.gz:' "$scratch/ours" | sort >"$scratch/ours.sorted"
if sort "$scratch/grep" | cmp -s - "$scratch/ours.sorted"; then
    echo "   Yes: $(wc -l <"$scratch/grep") lines of $plain are the same." \
        "(grep $grep_ms ms, treegrep $elapsed_ms ms)"
else
    echo "   NO: they differ."
    exit 1
fi

# ---- cut short --------------------------------------------------------------

# What is left out of a partial result has to be named; what is in it has to
# be in the whole.
inspect() {
    local lines
    lines=$(wc -l <"$scratch/part")
    if [ "$lines" -gt 0 ] &&
        ! awk 'NR == FNR { whole[$0] = 1; next } !($0 in whole) { exit 1 }' \
            "$scratch/slow" "$scratch/part"; then
        echo "   WRONG: a line is not in the whole result"
        exit 1
    fi
    report '(time was up|interrupted|directories|files).*' "$scratch/err" |
        grep -vE 'left:|in part:' || true
    report '(left|in part):' "$scratch/err" | head -3
    echo "   ... and so on: all that was not searched is named. The $lines" \
        "lines that were found are all in the whole result."
}

# Work for a second or so, whatever the machine.
slow='(\w+)\W+(?:\w+\W+){0,4}\1\b.*\d$'
timed "$treegrep" -n "$slow" "${paths[@]}" >"$scratch/slow" 2>/dev/null
slow_ms=$elapsed_ms

say "3. A costlier pattern ($(seconds) to the end) with a third of that time"
timed "$treegrep" -n --stats --timeout "$((slow_ms / 3 + 1))ms" "$slow" \
    "${paths[@]}" >"$scratch/part" 2>"$scratch/err"
echo "   exit status $status after $(seconds)"
inspect

say "4. The same, and Ctrl-C (SIGINT) after half of the time"
# bash starts what is in the background with SIGINT ignored, unless it has job
# control.
set -m
begun=${EPOCHREALTIME/./}
"$treegrep" -n --stats "$slow" "${paths[@]}" \
    >"$scratch/part" 2>"$scratch/err" &
search=$!
set +m
sleep "$(awk -v ms="$slow_ms" 'BEGIN { print ms / 2000 }')"
sent=${EPOCHREALTIME/./}
kill -INT "$search" 2>/dev/null
wait "$search" 2>/dev/null
status=$?
ended=${EPOCHREALTIME/./}
elapsed_ms=$(((ended - begun) / 1000))
echo "   exit status $status after $(seconds):" \
    "$(((ended - sent) / 1000)) ms from the signal to the end"
inspect

# ---- how much faster --------------------------------------------------------

say "5. 1 worker against $cores"
for workers in 1 "$cores"; do
    best=
    for _ in 1 2 3; do
        timed "$treegrep" --workers "$workers" -n "$slow" "${paths[@]}" \
            >"$scratch/again" 2>/dev/null
        if [ -z "$best" ] || [ "$elapsed_ms" -lt "$best" ]; then
            best=$elapsed_ms
        fi
        if ! cmp -s "$scratch/again" "$scratch/slow"; then
            echo "   WRONG: $workers workers give another result"
            exit 1
        fi
    done
    echo "   $workers worker(s): $best ms (the best of 3), the same lines"
    [ "$workers" -eq 1 ] && one=$best
done
awk -v one="$one" -v all="$best" -v cores="$cores" -v files="$files" 'BEGIN {
    printf "   %.2f times as fast with %d; %.0f files a second.\n",
        one / all, cores, files * 1000 / all }'
