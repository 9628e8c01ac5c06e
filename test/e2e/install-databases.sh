#!/usr/bin/env bash
# Installs the databases that test/e2e/procedures runs: from Debian, and what Debian has too old, with Go into $TOOLS_DIR.
# Safe to run again; quick if everything is there. Needs root only if a package is missing.
#
# MongoDB is in neither. If mongodump, mongorestore and ferretdb are in $TOOLS_DIR, the tests use them; otherwise they say
# that they ran without.
set -euo pipefail
cd "$(dirname "$0")/../.."

TOOLS_DIR=$(mkdir -p "${TOOLS_DIR:-.tools/bin}" && cd "${TOOLS_DIR:-.tools/bin}" && pwd)
ETCD=v3.5.35

declare -A packages=(
  [attr]=setfattr [busybox-static]=busybox [dash]=dash [mariadb-client]=mariadb-dump [mariadb-server]=mariadbd
  [postgresql]=pg_ctl [redis-server]=redis-server [shellcheck]=shellcheck [sqlite3]=sqlite3 [util-linux]=setpriv
)
missing=()
for package in "${!packages[@]}"; do
  PATH="$PATH:/usr/sbin" command -v "${packages[$package]}" > /dev/null ||
    compgen -G "/usr/lib/postgresql/*/bin/${packages[$package]}" > /dev/null || missing+=("$package")
done
if ((${#missing[@]} > 0)); then test/e2e/apt-install.sh "${missing[@]}"; fi

# As dependencies of an empty module, because their own modules replace others, which "go install" refuses.
if [ ! -x "$TOOLS_DIR/etcd" ] || [ ! -x "$TOOLS_DIR/etcdutl" ] || [ ! -x "$TOOLS_DIR/etcdctl" ]; then
  echo "go build etcd $ETCD"
  retry="$PWD/test/e2e/retry.sh"
  mkdir -p "$TOOLS_DIR/new"
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
  (
    cd "$build"
    export GOFLAGS=-mod=mod
    go mod init tools 2> /dev/null
    "$retry" go get "go.etcd.io/etcd/server/v3@$ETCD" "go.etcd.io/etcd/etcdctl/v3@$ETCD" "go.etcd.io/etcd/etcdutl/v3@$ETCD" \
      2> log || { cat log >&2; exit 1; }
    for program in etcd:server etcdctl:etcdctl etcdutl:etcdutl; do
      "$retry" go build -o "$TOOLS_DIR/new/${program%:*}" "go.etcd.io/etcd/${program#*:}/v3"
      # Under its name only when it is whole.
      mv "$TOOLS_DIR/new/${program%:*}" "$TOOLS_DIR/${program%:*}"
    done
  )
fi
