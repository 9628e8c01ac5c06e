#!/usr/bin/env bash
# Puts promtool, which checks the alerts of deploy/monitoring, into .tools/bin: out of Debian's package, which is not installed,
# because it would start a server. Building it with Go takes minutes. Safe to run again.
set -euo pipefail
root="$(cd "$(dirname "$0")/../../.." && pwd)"
tools="$root/.tools/bin"
[ ! -x "$tools/promtool" ] || exit 0

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
echo 'promtool'
# As root, apt would warn that its own user cannot write here.
download() { apt-get download -qq -o Acquire::Retries=5 -o APT::Sandbox::User=root prometheus; }
download 2> log || { "$root/test/e2e/retry.sh" apt-get update -qq -o Acquire::Retries=5 && download; } 2> log || { cat log >&2; exit 1; }
dpkg-deb -x prometheus_*.deb .
mkdir -p "$tools"
install -m 755 usr/bin/promtool "$tools/promtool.new"
mv "$tools/promtool.new" "$tools/promtool"
