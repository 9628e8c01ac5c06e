#!/usr/bin/env bash
# Installs Debian packages as a machine needs it that is not ours alone: waits until another apt has ended, tries again where the network
# fails, and finishes what was killed in the middle. Services of packages are not started, because the tests start instances of their own.
#
#   apt-install.sh <package>...   without any, only what was not finished
set -euo pipefail

# Somebody who may not install needs this only if there is nothing to do.
if [ $# -eq 0 ] && [ -z "$(dpkg --audit)" ]; then exit 0; fi
[ $# -eq 0 ] || echo "apt-get install $*"

export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
mine='# of test/e2e/apt-install.sh'
log=$(mktemp)
trap 'rm -f "$log"; if grep -qsF "$mine" "$policy"; then rm -f "$policy"; fi' EXIT
# One of a run that was killed is ours, too.
if [ ! -e "$policy" ] || grep -qF "$mine" "$policy"; then
  printf '#!/bin/sh\n%s\nexit 101\n' "$mine" > "$policy"
  chmod +x "$policy"
fi

install() {
  # apt itself waits for the lock of dpkg, and for no other.
  dpkg --configure -a --force-confdef --force-confold &&
    apt-get update -qq -o Acquire::Retries=5 &&
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 \
      -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
for pause in 5 10 20 40 60 60 0; do
  if install --fix-broken "$@" > "$log" 2>&1 < /dev/null; then exit 0; fi
  sleep "$pause"
done
cat "$log" >&2
exit 1
