#!/usr/bin/env bash
# Installs podman and buildah, and makes the images that the tests of generated pods run: our own from the Dockerfile, and
# stand-ins for stock ones under the names that our manifests use, from Debian packages, because no registry is needed then. An image
# of that name that is there already, such as the real one, is kept. Safe to run again; quick if nothing has changed.
# Needs root.
#
#   install.sh [<image>...]   only these: node, backup-maker, postgres, mariadb, redis, etcd, alpine, pgbr
set -euo pipefail
cd "$(dirname "$0")/../../.."

RECIPES=test/e2e/containers/stand-ins
TOOLS_DIR=${TOOLS_DIR:-.tools/bin}
DEBIAN=docker.io/library/debian:bookworm-slim
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
NODE=docker.io/library/node:$(sed -n 's/^ARG NODE_IMAGE=.*:\(.*\)$/\1/p' Dockerfile)
OURS=ghcr.io/riotkit-org/backup-maker:$(sed -n 's/^ARG VERSION=//p' Dockerfile)
# The versions that our manifests use by default, and those that the stand-ins really are.
declare -A TAGS=(
  [postgres]='docker.io/library/postgres:17 docker.io/library/postgres:16 docker.io/library/postgres:15'
  [mariadb]='docker.io/library/mariadb:11.8 docker.io/library/mariadb:10.11'
  [redis]='docker.io/library/redis:7.4 docker.io/library/redis:7.0'
  [etcd]='quay.io/coreos/etcd:v3.5.21 quay.io/coreos/etcd:v3.5.35'
  [alpine]='docker.io/library/alpine:3.22'
  # What the original's own example names.
  [pgbr]='ghcr.io/riotkit-org/pgbr:latest-pg13.2'
)

packages=()
for each in podman buildah runc debootstrap:debootstrap busybox:busybox-static netavark:netavark; do
  PATH="$PATH:/usr/sbin:/usr/lib/podman" command -v "${each%:*}" > /dev/null || packages+=("${each#*:}")
done
if ((${#packages[@]} > 0)); then test/e2e/apt-install.sh "${packages[@]}"; fi

# Containers of a run that was killed: their label is the number of the process that started them.
podman=(podman --runtime runc --cgroup-manager cgroupfs)
"${podman[@]}" ps --all --filter label=backup-maker-test --format '{{.ID}} {{index .Labels "backup-maker-test"}}' |
  while read -r id process; do
    [ -e "/proc/$process" ] || "${podman[@]}" rm --force --time 0 "$id" > /dev/null
  done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

exists() { podman image exists "$1"; }
# label <image> <name>: empty if it has none of that name.
label() { podman image inspect --format "{{index .Config.Labels \"$2\"}}" "$1"; }
build() {
  local started=$SECONDS
  # Most of them get packages from the network.
  test/e2e/retry.sh buildah build --isolation chroot --pull-never --quiet "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  echo "  $((SECONDS - started))s"
}

debian() {
  ! exists "$DEBIAN" || return 0
  echo "debootstrap $DEBIAN"
  # shellcheck disable=SC2016 # it is the other shell that expands them
  test/e2e/retry.sh sh -ec 'rm -rf --one-file-system "$1"; exec debootstrap --variant=minbase bookworm "$1" "$2"' \
    debootstrap "$work/debian" "$MIRROR" > "$work/log" || { cat "$work/log" >&2; exit 1; }
  rm -rf "$work"/debian/var/{cache/apt,lib/apt/lists}/* "$work"/debian/usr/share/{doc,man,locale,info}/* "$work"/debian/var/log/*
  printf 'deb %s bookworm main\ndeb %s bookworm-updates main\n' "$MIRROR" "$MIRROR" > "$work/debian/etc/apt/sources.list"
  tar -C "$work/debian" -c . | podman import --quiet --change 'LABEL stand-in="debootstrap, minbase"' - "$DEBIAN" > /dev/null
  rm -rf "$work/debian"
}

# stand_in <name> <folder> <image>...: from the recipe of that name, if it has changed since.
stand_in() {
  local name=$1 context=$2 recipe options=()
  shift 2
  recipe=$(cat "$RECIPES/$name".* | sha256sum | cut -c 1-16)
  if exists "$1" && { [ -z "$(label "$1" stand-in)" ] || [ "$(label "$1" recipe)" = "$recipe" ]; }; then return; fi
  debian
  for image in "$@"; do options+=(--tag "$image"); done
  echo "stand-in for $*"
  build --file "$RECIPES/$name.Dockerfile" --label "recipe=$recipe" "${options[@]}" "$context"
}

node() {
  ! exists "$NODE" || return 0
  mkdir "$work/node"
  cp node_modules/node/bin/node "$work/node/node"
  cp -R "$(npm root --global)/npm" "$work/node/npm"
  cp /etc/ssl/certs/ca-certificates.crt "$work/node/"
  stand_in node "$work/node" "$NODE"
}
ours() {
  node
  debian
  echo "$OURS"
  # Layers are kept, so only what has changed is built.
  build --layers --build-arg "REVISION=$(git rev-parse HEAD 2> /dev/null || echo unknown)" --tag "$OURS" .
}
pgbr() {
  # shellcheck disable=SC2086 # several names
  stand_in postgres "$RECIPES" ${TAGS[postgres]}
  # shellcheck disable=SC2086 # several names
  stand_in pgbr "$RECIPES" ${TAGS[pgbr]}
}
etcd() {
  [ -x "$TOOLS_DIR/etcd" ] || test/e2e/install-databases.sh
  mkdir -p "$work/etcd/root/usr/local/bin"
  cp "$TOOLS_DIR"/etcd{,ctl,utl} "$work/etcd/root/usr/local/bin/"
  # Where Go has linked them to the machine's C library, that comes with them.
  for library in $(ldd "$TOOLS_DIR"/etcd{,ctl,utl} 2> /dev/null | grep -o '/[^ ]*\.so[^ ]*' | sort -u); do
    cp -L --parents "$library" "$work/etcd/root/"
  done
  # shellcheck disable=SC2086 # several names
  stand_in etcd "$work/etcd" ${TAGS[etcd]}
}

[ $# -gt 0 ] || set -- backup-maker postgres mariadb redis etcd alpine pgbr
# shellcheck disable=SC2086 # several names of one image
for image; do
  case $image in
    backup-maker) ours ;;
    node) node ;;
    etcd) etcd ;;
    pgbr) pgbr ;;
    *) stand_in "$image" "$RECIPES" ${TAGS[$image]} ;;
  esac
done
