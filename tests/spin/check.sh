#!/usr/bin/env bash
# The models of models.txt, checked by spin: check.sh MODEL WORK [long]
# 77: spin is not here. A true model is exhausted without an error, each broken
# twin has one: that is what the model is for.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$1 work=$2 which=${3:-short} status=0 checked=0

command -v spin >/dev/null || {
    echo "spin: left out: it is not installed"
    exit 77
}

# verdict EXPECTED DEFINITIONS...: what pan says, in $work/out.
verdict() {
    local seconds=60 memory=1024 optimize=-O1
    if [[ $which == long ]]; then
        seconds=1200 memory=6000
    fi
    # A twin fails early: optimizing it costs more than it spares.
    [[ $1 != fails ]] || optimize=-O0
    shift
    rm -rf "$work" && mkdir -p "$work" && cp "$here"/*.pml "$here"/*.inc "$work"
    (cd "$work" && spin -a "$@" "$model" >out 2>&1 &&
        cc $optimize -DSAFETY -DNOCLAIM -DCOLLAPSE -DMEMLIM=$memory -o pan pan.c \
            2>>out && timeout $seconds ./pan -n -m300000 $deadlocks >out 2>&1)
    if ! grep -q 'errors: ' "$work/out"; then
        echo unfinished
    elif grep -q 'errors: 0' "$work/out" &&
        ! grep -qiE 'max search depth|out of memory|aborted|incomplete' \
            "$work/out"; then
        echo holds
    elif grep -qE '^pan:1: (assertion violated|invalid end state)' \
        "$work/out"; then
        echo fails
    else
        echo unfinished
    fi
}

while read -r name expected definitions; do
    [[ $name == "$model" ]] || continue
    if [[ $expected == long ]]; then
        [[ $which == long ]] || continue
    elif [[ $which == long ]]; then
        continue
    fi
    deadlocks=
    [[ $expected != asserts ]] || deadlocks=-E
    started=$SECONDS
    # shellcheck disable=SC2086 # a list of words
    found=$(verdict "$expected" $definitions)
    [[ $expected == fails ]] || expected=holds
    checked=$((checked + 1))
    printf '%-9s %s (%s states, %s s)\n' "$found" "$definitions" \
        "$(sed -n 's/ *\([0-9e+.]*\) states, stored.*/\1/p' "$work/out")" \
        $((SECONDS - started))
    if [[ $found != "$expected" ]]; then
        echo "spin: $model $definitions: it $found, and should be: $expected"
        tail -n 12 "$work/out"
        status=1
    fi
done <"$here/models.txt"
[[ $checked -gt 0 ]] || status=1
exit $status
