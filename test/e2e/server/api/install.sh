#!/usr/bin/env bash
# Installs what the tests of the server's API use: schemathesis from PyPI into .tools/schemathesis, and curl and gpg with
# apt-get. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

version=4.32.5
home="$PWD/.tools/schemathesis"

if [ "$("$home/bin/schemathesis" --version 2> /dev/null)" != "schemathesis, version $version" ]; then
  echo "schemathesis $version"
  if ! python3 -m venv --clear "$home" 2> /dev/null; then
    # Debian has venv in a package of its own.
    test/e2e/apt-install.sh python3-venv
    python3 -m venv --clear "$home"
  fi
  test/e2e/retry.sh "$home/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi

if ! command -v gpg > /dev/null || ! command -v curl > /dev/null; then
  test/e2e/apt-install.sh gnupg curl
fi
