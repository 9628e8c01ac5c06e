#!/usr/bin/env bash
# Installs what the tests of the server's engines use: PostgreSQL with apt-get, MinIO with Go into $GOBIN or .tools/bin.
# Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/../.."

export GOBIN="${GOBIN:-${TOOLS_DIR:-$PWD/.tools/bin}}" GOFLAGS=-trimpath
mkdir -p "$GOBIN"

# Pinned by commit: this project's tags are not versions that Go understands.
if [ ! -x "$GOBIN/minio" ]; then
  echo 'go install github.com/minio/minio'
  GOBIN="$GOBIN/new" test/e2e/retry.sh go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
  mv "$GOBIN/new/minio" "$GOBIN/minio"
fi

if ! ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1; then
  test/e2e/apt-install.sh postgresql postgresql-client
fi
