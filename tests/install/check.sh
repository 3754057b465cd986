#!/usr/bin/env bash
# What a stranger finds after `cmake --install`: check.sh CASE, with BUILD (the
# build tree), WORK (scratch), CMAKE, GENERATOR, CC, CXX, PKG_CONFIG, LIBDIR,
# VERSION, ABI,
# MANDIR, FULL_LIBDIR, TOOLS and JEMALLOC in the environment. Case `prefix` comes first.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
prefix=$WORK/moved # where it is used; $WORK/prefix is where it was installed
lib=$prefix/$LIBDIR
scratch=$WORK/$1
# Nothing of the machine's own may answer in place of what was installed.
export PKG_CONFIG_LIBDIR=$lib/pkgconfig
unset PKG_CONFIG_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH LIBRARY_PATH CPATH

fail() {
    echo "install: $*" >&2
    exit 1
}

# Runs a consumer and looks at what it says.
run_consumer() {
    local said
    said=$("$@") || fail "$* ended with $?"
    [[ $said == "42 of 42 tasks" ]] || fail "$* said: $said"
}

# The prefix is moved after the installation: no file may name its old place.
prefix() {
    rm -rf "$WORK/prefix" "$prefix"
    "$CMAKE" --install "$BUILD" --prefix "$WORK/prefix" >/dev/null
    mv "$WORK/prefix" "$prefix"
    if grep -rIl "$WORK/prefix" "$prefix"; then
        fail "the files above name the prefix they were installed to"
    fi
    if grep -rIl "$source_tree" "$prefix"; then
        fail "the files above name the source tree"
    fi
}

# Every public header and nothing private.
contents() {
    local found wanted page
    found=$(cd "$prefix" && find . -type f -o -type l | sort)
    wanted=$({
        (cd "$source_tree" && find include/roost -name '*.h' | sed 's|^|./|')
        printf "./$LIBDIR/%s\n" libroost.a libroost.so \
            "libroost.so.$ABI" "libroost.so.$VERSION" \
            pkgconfig/roost.pc cmake/roost/roostConfig.cmake \
            cmake/roost/roostConfigVersion.cmake \
            cmake/roost/roostTargets.cmake
        for page in "$source_tree"/docs/man/*.[37]; do
            sed -n 's/^\.Nm \([^ ]*\).*/\1/p' "$page" |
                sed "s|.*|./$MANDIR/man${page##*.}/&.${page##*.}|"
        done
        (cd "$prefix" && find "./$LIBDIR/cmake/roost" \
            -name 'roostTargets-*.cmake')
        printf './share/%s\n' roost/roost-{gdb.py,waits.bt,cancels.bt,work.bt} \
            "gdb/auto-load$FULL_LIBDIR/libroost.so.$VERSION-gdb.py"
        if [[ $TOOLS == 1 ]]; then
            printf './%s\n' bin/roost-{ps,top} "$MANDIR"/man1/roost-{ps,top}.1
        fi
    } | sort)
    diff <(echo "$wanted") <(echo "$found") || fail "not what was expected"
}

# The names of what a shared library exports; each bears the version of the ABI.
# Without those that end in _: what headers inline needs them (the thread-local
# of hot.h is one), and they have no page.
exports() {
    local unversioned
    unversioned=$(nm -D --defined-only "$1" |
        awk -v "v=ROOST_$ABI" '$2 != "A" && $3 !~ "@@" v "$" { print $3 }')
    [[ -z $unversioned ]] || fail "not of version ROOST_$ABI: $unversioned"
    nm -D --defined-only "$1" | awk '$2 != "A" { print $3 }' |
        sed 's/@.*//' | grep -v '_$' | sort -u
}

# man NAME finds a page for each function that the library exports, and each
# reference leads to a page with that name.
look_at_pages() {
    local name file pages=$1 exported
    exported=$(exports "$lib/libroost.so")
    for name in $exported; do
        [[ -f $pages/man3/$name.3 ]] || fail "no page for $name"
    done
    for file in "$pages"/man*/*; do
        name=$(sed -n 's/^\.so //p' "$file")
        [[ -z $name || -f $pages/$name ]] || fail "$file leads nowhere"
        if [[ -n $name ]]; then
            grep -q "^\.Nm $(basename "${file%.*}")\( \|$\)" \
                "$pages/$name" || fail "$file is not in the page it names"
        fi
    done
}

# plant WHAT COMMAND...: after the command in a copy of the pages WHAT is said.
plant() {
    local what=$1 said
    shift
    rm -rf "$scratch"
    cp -r "$prefix/$MANDIR" "$scratch"
    (cd "$scratch/man3" && "$@")
    if said=$(look_at_pages "$scratch" 2>&1) || [[ $said != *"$what"* ]]; then
        fail "a planted fault is not found: $what"
    fi
}

manual() {
    look_at_pages "$prefix/$MANDIR"
    plant "no page for roost_run" rm roost_run.3
    plant "roost_call.3 leads nowhere" \
        sed -i 's/roost_start/roost_begin/' roost_call.3
    plant "roost_call.3 is not in the page" \
        sed -i 's/roost_start/roost_run/' roost_call.3
}

# What the shared library exports, needs and is called.
library() {
    local so=$lib/libroost.so declared dynamic exported
    dynamic=$(readelf -d "$so")
    grep -q "Library soname: \[libroost.so.$ABI\]" <<<"$dynamic" ||
        fail "its SONAME is not libroost.so.$ABI"
    # libgcc_s: the marks at which an exception stops (sched/boundary.h).
    if grep NEEDED <<<"$dynamic" |
        grep -vE '\[(libc|libgcc_s|ld-linux[^]]*)\.so'; then
        fail "it needs more than the C library and the compiler's own"
    fi
    if grep -E 'TEXTREL|RPATH|RUNPATH' <<<"$dynamic"; then
        fail "text relocations or a run path"
    fi
    if ! readelf -lW "$so" | grep -qE 'GNU_STACK.* RW  '; then
        fail "it asks for an executable stack"
    fi
    if nm -g --defined-only "$lib/libroost.a" | awk 'NF == 3 { print $3 }' |
        grep -vE '^(roost)?_|^DW\.ref\.'; then
        fail "libroost.a has the names above, which a program may have, too"
    fi
    exported=$(exports "$so")
    declared=$(cat "$prefix"/include/roost/*.h | tr '\n' ' ' |
        grep -oE 'ROOST_API [^;{]*' | grep -oE '\broost_[a-z0-9_]+ *\(' |
        tr -d ' (' | grep -v '_$' | sort -u)
    diff <(echo "$declared") <(echo "$exported") ||
        fail "declared (<) and exported (>) differ"
}

# find_package, both forms of the library, with jemalloc where it was found:
# by_find_package LANGUAGE [STANDARD]
by_find_package() {
    local kind
    "$CMAKE" -S "$here/consumer" -B "$scratch" -G "$GENERATOR" \
        "-DCMAKE_PREFIX_PATH=$prefix" "-DCMAKE_C_COMPILER=$CC" \
        "-DCONSUMER_LANGUAGE=$1" "-DCONSUMER_VERSION=$VERSION" \
        ${2:+"-DCMAKE_CXX_STANDARD=$2"} \
        "-DCONSUMER_JEMALLOC=$JEMALLOC" \
        ${CXX:+"-DCMAKE_CXX_COMPILER=$CXX"} >/dev/null
    look_at_flags "$scratch/compile_commands.json" \
        "$prefix/include" "${2:-17}"
    "$CMAKE" --build "$scratch" >/dev/null
    for kind in shared static; do
        run_consumer "$scratch/consumer_$kind"
    done
    if [[ $JEMALLOC == 1 ]]; then
        run_consumer "$scratch/consumer_jemalloc"
    fi
}

# A consumer is compiled with the path to the headers and nothing else of
# roost's: look_at_flags COMMANDS HEADERS STANDARD
look_at_flags() {
    local flags
    flags=$(sed -n 's/.*"command": "\(.*\) -o .*consumer\.c.*/\1/p' "$1" |
        tr ' ' '\n' | grep '^-' |
        grep -vxE -e "-isystem|-I$2|-std=[a-z+]*$3" || true)
    [[ -z $flags ]] || fail "a consumer is compiled with $flags"
}

# by_pkg_config COMPILER SOURCE [-static]
by_pkg_config() {
    local compiler source=$2 form=${3:-} flags
    read -ra compiler <<<"$1"
    [[ -n $PKG_CONFIG ]] || fail "there is no pkg-config"
    mkdir -p "$scratch"
    read -ra flags <<<"$("$PKG_CONFIG" ${form:+--static} --cflags --libs roost)"
    [[ $("$PKG_CONFIG" --modversion roost) == "$VERSION" ]] ||
        fail "roost.pc is not of version $VERSION"
    [[ $("$PKG_CONFIG" --cflags roost) =~ ^-I[^\ ]*/include\ ?$ ]] ||
        fail "roost.pc asks for flags: $("$PKG_CONFIG" --cflags roost)"
    [[ $("$PKG_CONFIG" --libs roost) =~ ^-L[^\ ]*\ -lroost\ ?$ ]] ||
        fail "roost.pc links more: $("$PKG_CONFIG" --libs roost)"
    "${compiler[@]}" $form -Wall -Wextra -Werror -o "$scratch/consumer" \
        "$here/consumer/$source" "${flags[@]}"
    if [[ -z $form ]]; then
        readelf -d "$scratch/consumer" | grep -q 'NEEDED.*libroost\.so\.' ||
            fail "not linked to the shared library"
    fi
    LD_LIBRARY_PATH=$lib run_consumer "$scratch/consumer"
}

# Built by a project that has roost's sources: in_tree VARIABLE
in_tree() {
    "$CMAKE" -S "$here/consumer" -B "$scratch" -G "$GENERATOR" \
        "-DCMAKE_C_COMPILER=$CC" -DCONSUMER_LANGUAGE=C \
        "-D$1=$source_tree" >/dev/null
    look_at_flags <(grep -A 1 -B 1 '/consumer/consumer\.c' \
        "$scratch/compile_commands.json") "$source_tree/include" 11
    "$CMAKE" --build "$scratch" --target consumer_static >/dev/null
    run_consumer "$scratch/consumer_static"
    if "$CMAKE" --build "$scratch" --target help |
        grep treegrep; then
        fail "a host project gets programs that it did not ask for"
    fi
    if [[ -e $scratch/CPackConfig.cmake ]]; then
        fail "a host project gets packages that it did not ask for"
    fi
}

# As a folder of its own tree, and by FetchContent.
as_subdirectory() {
    in_tree CONSUMER_SUBDIRECTORY
}

as_fetched() {
    in_tree CONSUMER_FETCH
}

if [[ $1 != prefix ]]; then
    rm -rf "$scratch"
fi
case $1 in
prefix | contents | library | manual | as_subdirectory | as_fetched) "$1" ;;
find_package_c) by_find_package C ;;
find_package_cxx17) by_find_package CXX 17 ;;
find_package_cxx20) by_find_package CXX 20 ;;
pkg_config_c_shared) by_pkg_config "$CC" consumer.c ;;
pkg_config_c_static) by_pkg_config "$CC" consumer.c -static ;;
pkg_config_cxx_shared) by_pkg_config "$CXX -std=c++17" consumer.cpp ;;
pkg_config_cxx_static) by_pkg_config "$CXX -std=c++20" consumer.cpp -static ;;
*) fail "no case $1" ;;
esac
