#!/usr/bin/env bash
# Installs the tools that the end-to-end tests use: into .tools/bin with Go, the rest with apt-get. Safe to run again.
# kpt and kubectl are expected to be there; test/e2e/tools.ts says so if they are not.
set -euo pipefail
cd "$(dirname "$0")/../.."

export GOBIN="$PWD/.tools/bin" GOFLAGS=-trimpath
mkdir -p "$GOBIN"

# Pinned: golden files hold what these versions print.
go_install() { [ -x "$GOBIN/$1" ] || (echo "go install $2" && go install "$2"); }
go_install kustomize sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
go_install kube-score github.com/zegl/kube-score/cmd/kube-score@v1.20.0

if ! command -v shellcheck > /dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends shellcheck
fi

# Each of these says itself what it installs, and does nothing where everything is there.
TOOLS_DIR="$GOBIN" test/e2e/install-databases.sh
for script in test/e2e/install-server.sh test/e2e/*/install.sh test/e2e/*/*/install.sh; do "$script"; done
