#!/bin/sh
# Makes a root file system of installed Debian packages and what they depend on, without what only installing needs. Scanners
# find the packages in /var/lib/dpkg/status.d.
#
#   root.sh <folder> <package>...
set -eu
target=$1
shift
# Needed by maintainer scripts, or documentation. No program that is kept calls them.
skip=' awk debconf debianutils dpkg install-info libc-bin mawk perl-base readline-common '

installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
dependencies() {
  dpkg-query --show --showformat='${Pre-Depends},${Depends}\n' "$1" | tr ',|' '\n' | sed 's/^ *//; s/[ (:].*//'
}

chosen=' '
while [ $# -gt 0 ]; do
  package=$1
  shift
  case $skip$chosen in *" $package "*) continue ;; esac
  installed "$package" || continue
  chosen="$chosen$package "
  # shellcheck disable=SC2046 # names of packages
  set -- "$@" $(dependencies "$package")
done

mkdir -p "$target/usr"
for folder in bin sbin lib lib32 lib64 libx32; do
  [ ! -L "/$folder" ] || { mkdir -p "$target/usr/$folder" && ln -s "usr/$folder" "$target/$folder"; }
done
# Conversions of character sets other than the ones that the C library has built in are a third of its size.
# shellcheck disable=SC2086 # names of packages
dpkg-query --listfiles $chosen | grep '^/.' | sort -u |
  grep --extended-regexp --invert-match '^/usr/(share/(man|info|locale|lintian|bug|doc-base)|lib/[^/]*/gconv)/' |
  while read -r path; do
    case $path in /usr/share/doc/*/copyright) ;; /usr/share/doc/*/*) continue ;; esac
    # Base images leave out parts of packages.
    [ ! -e "$path" ] && [ ! -L "$path" ] || printf '%s\n' "${path#/}"
  done >"$target.files"
tar --create --directory=/ --no-recursion --files-from="$target.files" |
  tar --extract --directory="$target" --keep-directory-symlink
rm "$target.files"

mkdir -p "$target/var/lib/dpkg/status.d" "$target/tmp" "$target/usr/local/bin"
for package in $chosen; do dpkg-query --status "$package" >"$target/var/lib/dpkg/status.d/$package"; done

cat >"$target/etc/passwd" <<'EOF'
root:x:0:0:root:/root:/usr/sbin/nologin
nonroot:x:65532:65532:nonroot:/tmp:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
EOF
printf 'root:x:0:\nnonroot:x:65532:\nnogroup:x:65534:\n' >"$target/etc/group"
echo 'hosts: files dns' >"$target/etc/nsswitch.conf"
chmod 1777 "$target/tmp"

ln -s /opt/backup-maker/lib/node "$target/usr/local/bin/node"
ln -s /opt/backup-maker/bin/backup-maker "$target/usr/local/bin/backup-maker"
ln -s ../lib/backup-repository/backup-repository.mjs "$target/usr/local/bin/backup-repository"
ln -s ../lib/expand-backups.cjs "$target/usr/local/bin/expand-backups"

find "$target" -xdev -type f -perm /6000 -exec chmod a-s {} +
