#!/usr/bin/env bash
# The library by every compiler that it is held to: compilers.sh [COMPILER...]
#
# For each of gcc-12, clang-14 and clang-19 (one that is not here is left out,
# and said so): the library, static and shared, at -O0, -O1, -O2, -O3 (without
# assertions, as it is installed) and with link-time optimisation; all of the
# project's warnings are errors. Then, at -O2, what must not compile (label
# compile), the unit tests and some of conformance, and the latter again with
# the library that was optimised as a whole: nothing in it may be moved across
# a switch of stacks because a compiler sees both sides.
#
# One line a build, and one a run of tests; what failed is shown. Kept in
# build/compilers/.
set -uo pipefail
cd "$(dirname "$0")/.."

levels="O0 O1 O2 O3 lto"
# Of conformance: what switches, waits, unwinds and goes to other threads.
some="run scope cancel deadline chan select mutex when io offload region"
some+=" guest parallel_for errors local fork cxx dump_place"
ctest_some="^conformance/(${some// /|})-w[14]\$"
status=0

say() {
    printf '   %s\n' "$*"
}

# The C++ compiler that comes with it.
cxx_of() {
    case $1 in
    gcc*) echo "g++${1#gcc}" ;;
    *) echo "clang++${1#clang}" ;;
    esac
}

flags_of() {
    case $1 in
    lto) echo "-O2 -g" ;;
    O3) echo "-O3 -DNDEBUG" ;;
    *) echo "-$1 -g" ;;
    esac
}

# The programs of the tests that are run: only these are built.
programs() {
    local file
    for file in $some; do
        echo "conformance_$file"
    done
    if [[ $1 == O2 ]]; then
        for file in tests/unit/*_test.c; do
            file=${file##*/}
            echo "unit_${file%_test.c}"
        done
    fi
}

# configure COMPILER LEVEL
configure() {
    local tests=OFF lto=OFF flags cxx
    flags=$(flags_of "$2")
    cxx=$(cxx_of "$1")
    [[ $2 != O2 && $2 != lto ]] || tests=ON
    [[ $2 != lto ]] || lto=ON
    command -v "$cxx" >/dev/null || cxx=
    cmake --no-warn-unused-cli -S . -B "build/compilers/$1-$2" -G Ninja \
        -DCMAKE_C_COMPILER="$1" ${cxx:+-DCMAKE_CXX_COMPILER="$cxx"} \
        -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags" \
        -DCMAKE_CXX_FLAGS="$flags" \
        -DCMAKE_INTERPROCEDURAL_OPTIMIZATION="$lto" -DROOST_WERROR=ON \
        -DROOST_TESTS="$tests" -DROOST_BENCHMARK=OFF -DROOST_APPS=OFF \
        -DROOST_TOOLS=OFF -DROOST_JEMALLOC=OFF
}

# build COMPILER LEVEL
build() {
    local tree=build/compilers/$1-$2 targets=(roost roost_static)
    mkdir -p "$tree"
    if [[ $2 == O2 || $2 == lto ]]; then
        # shellcheck disable=SC2207 # names without blanks
        targets+=($(programs "$2"))
    fi
    if configure "$1" "$2" >"$tree/log" 2>&1 &&
        cmake --build "$tree" --target "${targets[@]}" >>"$tree/log" 2>&1 &&
        ! grep -v '^ninja: ' "$tree/log" | # of a build that was cut off
            grep -q 'warning:'; then # the linker's are no errors
        say "$1 $2: clean"
        return 0
    fi
    say "$1 $2: FAILED, $tree/log"
    grep -E -A 5 'FAILED:|error:|warning:' "$tree/log" | head -n 40
    status=1
    return 1
}

# run COMPILER LEVEL WHAT CTEST-SELECTION...
run() {
    local tree=build/compilers/$1-$2 name="$1 $2: $3"
    local log="$tree/${3// /-}.log"
    shift 3
    if ctest --test-dir "$tree" --no-tests=error -j "$(nproc)" \
        --output-on-failure "$@" >"$log" 2>&1; then
        say "$name: $(sed -n 's/^100% tests passed, .* out of //p' "$log") pass"
    else
        say "$name: FAILED, $log"
        grep -E '\*\*\*|^FAIL|: .*failed' "$log" | head -n 20
        status=1
    fi
}

one() {
    local level
    if ! command -v "$1" >/dev/null; then
        say "$1: left out: not installed"
        return
    fi
    say "$1: $("$1" --version | head -n 1)"
    for level in $levels; do
        build "$1" "$level" || continue
        if [[ $level == O2 ]]; then
            run "$1" O2 "what must not compile" -L '^compile$'
            run "$1" O2 "unit" -L '^unit$'
        fi
        if [[ $level == O2 || $level == lto ]]; then
            run "$1" "$level" "some of conformance" -R "$ctest_some"
        fi
    done
}

[[ $# -gt 0 ]] || set -- gcc-12 clang-14 clang-19
for compiler; do
    one "$compiler"
done
exit $status
