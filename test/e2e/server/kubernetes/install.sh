#!/usr/bin/env bash
# Builds a kube-apiserver for the end-to-end tests into .tools/bin. Needs Go 1.23 or newer; some four minutes on two cores.
# etcd comes from the distribution's package etcd-server.
set -euo pipefail
kubernetes=1.32.3
root="$(cd "$(dirname "$0")/../../../.." && pwd)"
target="$root/.tools/bin/kube-apiserver"

if [[ -x "$target" ]] && "$target" --version | grep -qF "$kubernetes"; then exit 0; fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
# The parts of Kubernetes are modules without a version of their own: each has to be replaced by its published release.
{
  printf 'module local/apiserver\n\ngo 1.23.0\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$kubernetes"
  for part in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
    code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
    dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
    kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin \
    sample-controller; do
    printf '\tk8s.io/%s => k8s.io/%s v0.%s\n' "$part" "$part" "${kubernetes#1.}"
  done
  printf ')\n'
} >go.mod
cat >main.go <<'GO'
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
GO
go mod tidy -e >/dev/null 2>&1 || true
mkdir -p "$(dirname "$target")"
version="-X k8s.io/component-base/version.gitVersion=v$kubernetes"
# Without optimisation it builds in half the time.
nice "$root/test/e2e/retry.sh" go build -mod=mod -gcflags='all=-N -l' -ldflags="-s -w $version" -o "$target.new" .
mv "$target.new" "$target"
