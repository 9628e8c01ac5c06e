#!/usr/bin/env bash
# Installs the peers that measurements are made against: Debian's packages with apt-get, the others with Go into
# .tools/bin. Safe to run again. What cannot be had is named at the end; measurements go on without it and say so too.
#
#   bench/install.sh                        everything
#   bench/install.sh function|client|server what one part needs
set -uo pipefail
cd "$(dirname "$0")/.." || exit

parts=${1:-function client server}
export GOBIN="$PWD/.tools/bin" GOFLAGS=-trimpath
mkdir -p "$GOBIN"
missing=()

wants() { [[ " $parts " == *" $1 "* ]]; }

# Program, then what to install. Pinned: figures are of these versions.
go_program() {
  if [ ! -x "$GOBIN/$1" ]; then
    command -v go > /dev/null || { missing+=("$1 (there is no Go here)"); return; }
    echo "go install $2"
    go install "$2" || missing+=("$1 ($2 cannot be built)")
  fi
}

# Program, then module and version: for a module of which only this version can be asked for, while `go install` asks for
# all of them.
go_module_program() {
  if [ ! -x "$GOBIN/$1" ]; then
    command -v go > /dev/null || { missing+=("$1 (there is no Go here)"); return; }
    echo "go build $2@$3"
    local folder
    folder=$(mktemp -d)
    printf 'module peer\n\ngo 1.25\n\nrequire %s %s\n' "$2" "$3" > "$folder/go.mod"
    (cd "$folder" && go build -mod=mod -o "$GOBIN/$1" "$2") || missing+=("$1 ($2@$3 cannot be built)")
    rm -r "$folder"
  fi
}

# Program, then Debian's package. A release of Debian has one version of each.
debian_program() {
  command -v "$1" > /dev/null || [ -x "/usr/bin/$1" ] || packages+=("$2")
}

packages=()
debian_program time time
debian_program curl curl
if wants client; then
  debian_program gpg gnupg
  debian_program age age
  debian_program zstd zstd
  debian_program borg borgbackup
fi
if wants server; then
  ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1 || packages+=(postgresql postgresql-client)
fi
if [ ${#packages[@]} -gt 0 ]; then
  echo "apt-get install ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null || missing+=("${packages[@]}")
fi

if wants function; then
  go_program kustomize sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
  go_program helm helm.sh/helm/v4/cmd/helm@v4.3.2
  if command -v go > /dev/null; then
    # Ours, see bench/function/go-peer/main.go. Built every time: it may have changed, and Go knows if it has not.
    (cd bench/function/go-peer && go build -o "$GOBIN/go-peer" .) || missing+=('go-peer (cannot be built)')
  else
    missing+=('go-peer (there is no Go here)')
  fi
fi
if wants client; then
  go_program restic github.com/restic/restic/cmd/restic@v0.18.1
  go_module_program kopia github.com/kopia/kopia v0.22.3
fi
if wants server; then
  # Pinned by commit: this project's tags are not versions that Go understands. The end-to-end tests use the same one.
  go_program minio github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
fi

if [ ${#missing[@]} -gt 0 ]; then
  printf 'could not be had: %s\n' "${missing[@]}" >&2
fi
