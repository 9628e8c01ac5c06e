#!/bin/sh
# A tar archive of a folder with names that begin with "./".
set -e
umask 077

fail() {
  printf 'files backup: %s\n' "$*" >&2
  exit 1
}

[ -d "$FILES_PATH" ] || fail "$FILES_PATH is no folder. Check claim, subPath and path."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# lost+found is the file system's own, and only root can read it. The other one is what a killed restore has left.
printf '%s\n' ./lost+found './.backup-maker-restore.*' >"$scratch/own"
printf '%s\n' "$FILES_EXCLUDE" >"$scratch/exclude"

if [ "$FILES_ALLOW_EMPTY" != true ]; then
  found=$(find "$FILES_PATH" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name '.backup-maker-restore.*' -print -quit) ||
    fail "cannot read $FILES_PATH, see above. The pod needs the rights of the application: set podTemplate.securityContext."
  [ -n "$found" ] ||
    fail "$FILES_PATH is empty. A volume that was not restored yet would push good backups out of the collection. If it is meant to be empty, set allowEmpty to true."
fi

set -- --create --file=- --directory="$FILES_PATH" --format=posix --pax-option=delete=atime,delete=ctime \
  --numeric-owner --sparse
[ "$FILES_XATTRS" != true ] || set -- "$@" --xattrs --xattrs-include='*' --acls
set -- "$@" --anchored --exclude-from="$scratch/own" --no-anchored --exclude-from="$scratch/exclude" -- .

status=0
tar "$@" || status=$?
case $status in
  0) ;;
  1)
    [ "$FILES_CHANGED" = accept ] ||
      fail 'files changed while they were read, see above. Stop what writes to them, exclude them, or set changed to accept.'
    printf 'files backup: files changed while they were read, see above; this is accepted\n' >&2
    ;;
  *)
    fail 'tar failed, see above. If it may not read a file, the pod needs the rights of the application: set podTemplate.securityContext.'
    ;;
esac
