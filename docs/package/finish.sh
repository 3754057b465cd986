#!/usr/bin/env bash
# finish.sh EPOCH LIBDIR DEB - a package of CPack's as Debian's policy wants it:
# no scripts that call ldconfig (the trigger does), pages and changelog packed,
# `Multi-Arch: same` where the libraries are in a folder of their processor's.
# And the same bytes each time: every date is EPOCH, every owner root.
set -euo pipefail
epoch=$1 libdir=$2 deb=$3
root=$(mktemp -d)
# shellcheck disable=SC2064 # its name as it is now
trap "rm -rf '$root'" EXIT

dpkg-deb --raw-extract "$deb" "$root"
control=$root/DEBIAN/control
sed -i '/^$/d' "$control"
name=$(sed -n 's/^Package: //p' "$control")

rm -f "$root/DEBIAN/postinst" "$root/DEBIAN/postrm"
if [[ $name == libroost[0-9]* ]]; then
    echo "activate-noawait ldconfig" >"$root/DEBIAN/triggers"
    version=$(sed -n 's/^Version: //p' "$control")
    echo "libroost ${name#libroost} $name (>= $version)" \
        >"$root/DEBIAN/shlibs"
fi
if [[ $name != *-tools && $libdir == lib/*-linux-* ]]; then
    echo "Multi-Arch: same" >>"$control"
fi

# A page that only refers to another becomes a link to it.
shopt -s nullglob
for page in "$root"/usr/share/man/man*/*; do
    read -r first <"$page"
    if [[ $first == ".so "* ]]; then
        ln -s "${first##*/}.gz" "$page.gz"
        rm "$page"
    fi
done
pages=("$root"/usr/share/man/man*/*[0-9])
if [[ ${#pages[@]} -gt 0 ]]; then
    find "${pages[@]}" -type f -exec gzip -9n {} +
fi
gzip -9n "$root/usr/share/doc/$name/changelog"

# The address is nobody's: whoever gives the packages away sets his own.
if grep -q '^Maintainer: .*\.invalid>$' "$control"; then
    mkdir -p "$root/usr/share/lintian/overrides"
    echo "$name: bogus-mail-host" >"$root/usr/share/lintian/overrides/$name"
fi
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z |
    xargs -0 md5sum >DEBIAN/md5sums)
size=$(du -k --apparent-size -s "$root/usr" | cut -f 1)
sed -i "s/^Installed-Size: .*/Installed-Size: $size/" "$control"
find "$root" -type d -exec chmod 755 {} +
chmod 644 "$root"/DEBIAN/*
find "$root" -exec touch --no-dereference --date="@$epoch" {} +
SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group --build -Zxz \
    "$root" "$deb" >/dev/null
