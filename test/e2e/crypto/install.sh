#!/usr/bin/env bash
# Installs what the tests of encryption use: age, zstd and gpg from the distribution, and with Go a newer age into .tools/bin,
# which is the one that knows post-quantum keys. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/../../.."

if [ ! -x /usr/bin/age ] || ! command -v zstd > /dev/null || ! command -v gpg > /dev/null; then
  test/e2e/apt-install.sh age zstd gnupg
fi

version=1.3.1
export GOBIN="$PWD/.tools/bin" GOFLAGS=-trimpath
mkdir -p "$GOBIN"
for command in age age-keygen; do
  if [ "$("$GOBIN/$command" --version 2> /dev/null)" != "v$version" ]; then
    echo "go install filippo.io/age/cmd/$command@v$version"
    test/e2e/retry.sh go install "filippo.io/age/cmd/$command@v$version"
  fi
done
