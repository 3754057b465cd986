#!/usr/bin/env bash
# The Debian packages, tried: check.sh CASE PACKAGES WORK, with CMAKE.
#   lintian        nothing that Debian's policy forbids
#   unpacked       unpacked to a folder, a program is built from that
#   chroot         installed in a Debian with nothing but a compiler, likewise,
#                  and removed again (root, mmdebstrap; long)
#   reproducible   two builds in different folders are the same to the last byte
#                  (long; PACKAGES is not looked at)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(cd "$here/../.." && pwd)
consumer=$source_tree/tests/install/consumer
packages=$2 work=$3/$1

fail() {
    echo "package: $*" >&2
    exit 1
}

skip() {
    echo "package: left out: $*"
    exit 77
}

# Of a build that was not configured for /usr?
made_elsewhere() {
    dpkg-deb -c "$packages"/libroost-dev_*.deb |
        grep ' \./usr/lib/pkgconfig/' >/dev/null
}

# run_consumer COMMAND...
run_consumer() {
    local said
    said=$("$@") || fail "$* ended with $?"
    [[ $said == "42 of 42 tasks" ]] || fail "$* said: $said"
}

lintian_clean() {
    local said elsewhere=()
    command -v lintian >/dev/null || skip "no lintian here"
    if made_elsewhere; then
        elsewhere=(--suppress-tags
            pkg-config-unavailable-for-cross-compilation)
    fi
    said=$(lintian --allow-root --no-cfg --fail-on error,warning \
        "${elsewhere[@]}" "$packages"/*.deb) || fail "lintian: $said"
    [[ -z $said ]] || fail "lintian: $said"
}

unpacked() {
    local deb pc flags
    for deb in "$packages"/*.deb; do
        dpkg-deb --extract "$deb" "$work"
    done
    pc=$(find "$work/usr" -name pkgconfig)
    export PKG_CONFIG_LIBDIR=$pc PKG_CONFIG_SYSROOT_DIR=$work
    unset PKG_CONFIG_PATH
    read -ra flags <<<"$(pkg-config --cflags --libs roost)"
    cc -Wall -Werror -o "$work/shared" "$consumer/consumer.c" "${flags[@]}"
    LD_LIBRARY_PATH=${pc%/pkgconfig} run_consumer "$work/shared"
    read -ra flags <<<"$(pkg-config --static --cflags --libs roost)"
    cc -static -o "$work/static" "$consumer/consumer.c" "${flags[@]}"
    run_consumer "$work/static"
    [[ $(readlink -f "${pc%/pkgconfig}/libroost.so") == "$work"/* ]] ||
        fail "libroost.so leads out of the packages"
    [[ -f $work/usr/share/man/man3/roost_call.3.gz ]] || fail "no manual"
}

inside() {
    chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

in_chroot() {
    local tool
    [[ $(id -u) == 0 ]] || skip "only root can change roots"
    command -v mmdebstrap >/dev/null || skip "no mmdebstrap here"
    mmdebstrap --quiet --variant=minbase \
        --include=gcc,libc6-dev,pkg-config bookworm "$work/root" \
        2>"$work/log" || {
        grep -E 'resolv|connect to|unreachable' "$work/log" >/dev/null &&
            skip "Debian is not to be reached from here"
        fail "mmdebstrap: $(cat "$work/log")"
    }
    cp "$packages"/*.deb "$consumer/consumer.c" "$work/root/tmp"
    # What they depend on comes from Debian, as for everybody.
    cp /etc/resolv.conf "$work/root/etc/"
    inside sh -c 'apt-get update &&
        apt-get install -y --no-install-recommends /tmp/*.deb' \
        >"$work/log" 2>&1 || fail "not installed: $(cat "$work/log")"
    inside sh -c 'cd /tmp && cc -Wall -Werror -o shared consumer.c \
        $(pkg-config --cflags --libs roost)'
    run_consumer inside /tmp/shared
    inside sh -c 'cd /tmp && cc -static -o static consumer.c \
        $(pkg-config --static --cflags --libs roost)'
    run_consumer inside /tmp/static
    if ! made_elsewhere && inside sh -c 'pkg-config --cflags --libs roost' |
        grep -- '-[IL]'; then
        fail "flags for what is where everybody looks"
    fi
    for tool in $(dpkg-deb -c "$packages"/roost-tools_*.deb |
        sed -n 's|.* \./\(usr/bin/.*[^/]\)$|\1|p'); do
        inside "/$tool" --help >/dev/null || fail "$tool does not run"
    done
    inside sh -c 'apt-get purge -y "*roost*"' >"$work/log" 2>&1 ||
        fail "not removed: $(cat "$work/log")"
    if inside find /usr /etc -name '*roost*' | grep .; then
        fail "the files above are left behind"
    fi
}

copy_sources() {
    mkdir -p "$1"
    (cd "$source_tree" && tar -c CMakeLists.txt CMakePresets.json LICENSE \
        sched sync include docs) | tar -x -C "$1"
}

# build_in SOURCES
build_in() {
    (cd "$1" && "$CMAKE" --preset package && "$CMAKE" --build --preset package &&
        cd build/package && "$(dirname "$CMAKE")/cpack" -B "$1/debs") \
        >"$1.log" 2>&1 || fail "$(tail -n 20 "$1.log")"
}

# Same sources, other folder, other day, other language.
reproducible() {
    local file one=$work/here two=$work/quite/elsewhere
    export SOURCE_DATE_EPOCH=1700000000 CCACHE_DISABLE=1
    copy_sources "$one"
    copy_sources "$two"
    build_in "$one"
    LC_ALL=C.UTF-8 TZ=Asia/Tokyo build_in "$two"
    for file in "$one"/debs/*.deb "$one"/build/package/libroost.{a,so}; do
        cmp "$file" "$two${file#"$one"}" || fail "two builds differ"
    done
}

rm -rf "$work"
mkdir -p "$work"
case $1 in
lintian) lintian_clean ;;
unpacked | reproducible) "$1" ;;
chroot) in_chroot ;;
*) fail "no case $1" ;;
esac
