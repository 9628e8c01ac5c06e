#!/usr/bin/env bash
# Installs the tools that the end-to-end tests use: into .tools/bin with Go, the rest with apt-get. Safe to run again.
# kpt and kubectl are expected to be there; test/e2e/tools.ts says so if they are not.
set -euo pipefail
cd "$(dirname "$0")/../.."

export GOBIN="$PWD/.tools/bin" GOFLAGS=-trimpath
mkdir -p "$GOBIN"

# What an earlier run was killed in.
test/e2e/apt-install.sh

# Pinned: golden files hold what these versions print. Under its name only when it is whole.
go_install() {
  [ ! -x "$GOBIN/$1" ] || return 0
  echo "go install $2"
  GOBIN="$GOBIN/new" test/e2e/retry.sh go install "$2"
  mv "$GOBIN/new/$1" "$GOBIN/$1"
}
go_install kustomize sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
go_install kube-score github.com/zegl/kube-score/cmd/kube-score@v1.20.0

command -v shellcheck > /dev/null || test/e2e/apt-install.sh shellcheck

# Each of these says itself what it installs, and does nothing where everything is there.
TOOLS_DIR="$GOBIN" test/e2e/install-databases.sh
for script in test/e2e/install-server.sh test/e2e/*/install.sh test/e2e/*/*/install.sh; do "$script"; done
