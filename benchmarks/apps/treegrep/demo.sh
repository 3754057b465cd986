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

# The search that all of this is about: its output in $1, its report in err.
search() {
    local out=$1
    shift
    timed "$treegrep" -n --stats "$@" "$pattern" "${paths[@]}" \
        >"$scratch/$out" 2>"$scratch/err"
}

fail() {
    echo "   WRONG: $*"
    exit 1
}

say "1. Every line with '$pattern' in ${paths[*]}, packed files too"
search whole
sed -n '1,4s/^\(.\{76\}\).*/\1.../;1,4p' "$scratch/whole"
echo "   ... $(wc -l <"$scratch/whole") lines, exit status $status, $(seconds)"
report '(directories|files|skipped).*:' "$scratch/err"
[ "$status" -le 1 ] || fail "exit status $status"
# Each path of the command line is a part of its own, in the order given.
cut -d: -f1 "$scratch/whole" | uniq >"$scratch/order"
for path in "${paths[@]}"; do
    # (not by grep: a path without a match is in order)
    awk -v path="$path/" 'index($0, path) == 1' "$scratch/order" |
        sort -c 2>/dev/null ||
        fail "not in path order below $path"
done
echo "   They were printed in the order of the paths while it went."
if [ "$elapsed_ms" -gt 4000 ]; then
    paths=("${paths[0]}")
    echo "   That took long: from here on only ${paths[*]}."
fi
search whole
whole_ms=$elapsed_ms
files=$(count 'files: ([0-9]+) found' "$scratch/err")

say "2. Does grep find the same in the plain files of ${paths[0]}?"
timed grep -rPn --exclude='*.gz' "$pattern" "${paths[0]}" >"$scratch/grep"
grep_ms=$elapsed_ms
timed "$treegrep" -n "$pattern" "${paths[0]}" >"$scratch/ours"
grep -av '^[^:]*\.gz:' "$scratch/ours" | sort >"$scratch/ours.sorted"
sort "$scratch/grep" | cmp -s - "$scratch/ours.sorted" || fail "they differ"
echo "   Yes: the same $(wc -l <"$scratch/grep") lines." \
    "(grep $grep_ms ms, treegrep $elapsed_ms ms)"

# ---- cut short --------------------------------------------------------------

# A partial result: each of its lines must be in the whole one, and what was
# not searched must be named.
inspect() {
    awk 'NR == FNR { whole[$0] = 1; next } !($0 in whole) { exit 1 }' \
        "$scratch/whole" "$scratch/part" || fail "a line is not in the whole"
    report '(time was up|interrupted|done|directories|files: )' "$scratch/err" |
        grep -avE '(left|in part):'
    report '(left|in part):' "$scratch/err" | head -3
    echo "   ... all $(grep -acE '(left|in part):' "$scratch/err") places not" \
        "searched are named; the $(wc -l <"$scratch/part") lines found are" \
        "lines of the whole result."
}

say "3. With a deadline that is too short: $((whole_ms / 3 + 1)) ms"
search part --timeout "$((whole_ms / 3 + 1))ms"
echo "   exit status $status after $(seconds)"
inspect

say "4. Ctrl-C (SIGINT) in the middle"
# A shell starts what is in the background with SIGINT ignored; so may this
# script have been.
env --default-signal=INT "$treegrep" -n --stats "$pattern" "${paths[@]}" \
    >"$scratch/part" 2>"$scratch/err" &
pid=$!
sleep "$(awk -v ms="$whole_ms" 'BEGIN { print ms / 2000 }')"
interrupt() {
    kill -INT "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}
timed interrupt
echo "   exit status $status, $elapsed_ms ms from the signal to the end"
inspect

# ---- how much faster --------------------------------------------------------

say "5. 1 worker against $cores"
for workers in 1 "$cores"; do
    best=
    for _ in 1 2; do
        search again --workers "$workers"
        cmp -s "$scratch/again" "$scratch/whole" ||
            fail "$workers workers give another result"
        if [ -z "$best" ] || [ "$elapsed_ms" -lt "$best" ]; then
            best=$elapsed_ms
        fi
    done
    [ "$workers" -eq 1 ] && one=$best
    echo "   --workers $workers: $best ms (the better of 2), the same lines"
done
awk -v one="$one" -v all="$best" -v cores="$cores" -v files="$files" 'BEGIN {
    all = all ? all : 1
    printf "   %.2f times as fast with %d; %.0f files a second.\n",
        one / all, cores, files * 1000 / all }'
