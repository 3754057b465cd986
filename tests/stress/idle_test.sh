#!/bin/sh
# idle_test.sh PROGRAM [SECONDS]: an idle runtime makes no system call (R66).
#
# PROGRAM is built from benchmarks/idle.c: it starts a runtime, marks a span in
# which only its main thread sleeps, and ends it. Any other system call between
# the marks is a failure: never used, after work, with a task asleep, with one
# that waits for a descriptor, and both in the loop of a host, who is not to be
# woken either.
# Catches: safety time-outs, ticks, polling, workers that wake each other.
# Exit status 77 (skipped) where strace is missing or may not trace.
set -eu

program=$1
seconds=${2:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if ! strace -o "$dir/probe" true 2>/dev/null; then
    echo "skipped: strace is missing or not allowed to trace"
    exit 77
fi

# What threads did between the marks, the main thread's own calls left out:
# its write of the marks and its sleep or poll, resumed or not.
between() {
    awk '
        NR == 1 { main = $1 }
        /write\(2, "idle ends/ { inside = 0; ended = 1 }
        inside && !($1 == main && /nanosleep|poll/) { print }
        /write\(2, "idle begins/ { inside = 1; begun = 1 }
        END { if (!begun || !ended) print "the marks are missing" }' "$1"
}

failed=0
for mode in never after sleeper reader guest guests; do
    strace -f -o "$dir/$mode" "$program" "$mode" "$seconds" 2>/dev/null || {
        echo "idle $mode: exit status $?"
        failed=1
    }
    between "$dir/$mode" >"$dir/calls"
    count=$(wc -l <"$dir/calls")
    echo "idle $mode: $count system calls in $seconds s"
    if [ "$count" -ne 0 ]; then
        head -20 "$dir/calls"
        failed=1
    fi
done
exit "$failed"
