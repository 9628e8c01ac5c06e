#!/usr/bin/env bash
# Puts promtool, which checks the alerts of deploy/monitoring, into .tools/bin: out of Debian's package, which is not installed,
# because it would start a server. Building it with Go takes minutes. Safe to run again.
set -euo pipefail
tools="$(cd "$(dirname "$0")/../../.." && pwd)/.tools/bin"
[ ! -x "$tools/promtool" ] || exit 0

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
echo 'promtool'
# As root, apt would warn that its own user cannot write here.
(apt-get download -qq -o APT::Sandbox::User=root prometheus || { apt-get update -qq && apt-get download -qq -o APT::Sandbox::User=root prometheus; }) 2> log ||
  { cat log >&2; exit 1; }
dpkg-deb -x prometheus_*.deb .
mkdir -p "$tools"
install -m 755 usr/bin/promtool "$tools/promtool"
