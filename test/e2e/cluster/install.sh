#!/usr/bin/env bash
# Builds workload-controllers.go, which are Kubernetes' own controllers, for the end-to-end tests into .tools/bin. Needs Go 1.23
# or newer. Safe to run again; quick if everything is there.
#
# Same modules and compiler flags as test/e2e/server/kubernetes/install.sh, so that whichever of the two comes second finds most
# packages in Go's build cache.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../../.." && pwd)"
# The version stands in one place: a control plane is made of parts of one release.
kubernetes="$(sed -n 's/^kubernetes=//p' "$root/test/e2e/server/kubernetes/install.sh")"
target="$root/.tools/bin/workload-controllers"

# What it was built from stands beside it.
source="kubernetes $kubernetes, $(sha256sum <"$here/workload-controllers.go" | cut -d ' ' -f 1)"
if [[ -x "$target" && "$(cat "$target.source" 2>/dev/null)" == "$source" ]]; then exit 0; fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$here/workload-controllers.go" main.go
# The parts of Kubernetes are modules without a version of their own: each has to be replaced by its published release.
{
  printf 'module local/controllers\n\ngo 1.23.0\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$kubernetes"
  for part in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap \
    code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib \
    dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
    kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin \
    sample-controller; do
    printf '\tk8s.io/%s => k8s.io/%s v0.%s\n' "$part" "$part" "${kubernetes#1.}"
  done
  printf ')\n'
} >go.mod
# -e: tests of some dependencies need modules that are not to be had, and that nothing here needs.
go mod tidy -e >/dev/null 2>&1 || true
mkdir -p "$(dirname "$target")"
echo "go build workload-controllers $kubernetes"
# Without optimisation it builds in half the time.
nice "$root/test/e2e/retry.sh" go build -mod=mod -gcflags='all=-N -l' -ldflags="-s -w -X main.version=v$kubernetes" -o "$target" .
printf '%s\n' "$source" >"$target.source"
