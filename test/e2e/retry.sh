#!/usr/bin/env bash
# Runs a command that needs the network, and again if it fails, because networks do.
for pause in 5 20 60; do
  if "$@"; then exit 0; fi
  echo "$1 failed; once more in $pause s" >&2
  sleep "$pause"
done
exec "$@"
