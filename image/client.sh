#!/bin/sh
# Makes the client's folder, all but our own program: Node.js, its libraries and their loader, a shell, the launcher. It works
# in any Linux image of this architecture if it is copied to /opt/backup-maker.
#
#   client.sh <folder>
set -eu
target=$1
here=$(dirname "$0")
mkdir -p "$target/bin" "$target/lib"

# Debug information is a seventh of it, and every pod copies it.
node=$(node --print process.execPath)
strip --strip-unneeded -o "$target/lib/node" "$node"

# Lines like "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)"; the loader stands alone. Name resolution with files and DNS
# is in libc itself since glibc 2.34.
ldd "$node" >"$target/libraries"
while read -r name _ path _; do
  case $name in
    linux-vdso.so.*) ;;
    /*) cp -L "$name" "$target/lib/ld.so" ;;
    *) cp -L "$path" "$target/lib/$name" ;;
  esac
done <"$target/libraries"
rm "$target/libraries"

busybox=$(command -v busybox)
if ldd "$busybox" >/dev/null 2>&1; then
  echo "client.sh: $busybox is not static: install busybox-static" >&2
  exit 1
fi
cp "$busybox" "$target/bin/busybox"
ln -s busybox "$target/bin/sh"
cp "$here/launcher" "$target/bin/backup-maker"
# What is copied has to come with its licence.
for package in busybox-static libc6 libgcc-s1 libstdc++6; do
  [ ! -e "/usr/share/doc/$package/copyright" ] || cp "/usr/share/doc/$package/copyright" "$target/lib/LICENSE.$package"
done
[ ! -e "$(dirname "$node")/../LICENSE" ] || cp "$(dirname "$node")/../LICENSE" "$target/lib/LICENSE.node"
chmod -R a=rX,u+w "$target"
chmod a+x "$target"/bin/* "$target/lib/ld.so" "$target/lib/node"

"$target/lib/ld.so" --inhibit-cache --library-path "$target/lib" "$target/lib/node" --version
