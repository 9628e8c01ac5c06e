#!/bin/sh
# The archive is unpacked into a folder beside the old files, on the same volume. When the stream has ended, old and new
# change places by renaming. The folder itself stays, because it can be where a volume is mounted.
set -e
umask 077

fail() {
  printf 'files restore: %s\n' "$*" >&2
  exit 1
}

[ -d "$FILES_PATH" ] || fail "$FILES_PATH is no folder. Check claim, subPath and path."
for left in "$FILES_PATH"/.backup-maker-restore.*; do
  [ ! -e "$left" ] ||
    fail "an earlier restore was killed and left $left. Look for old files in its folders old and meanwhile; move them back, or remove all of it, and restore again."
done

staging=$(mktemp -d "$FILES_PATH/.backup-maker-restore.XXXXXX") ||
  fail "cannot write to $FILES_PATH, see above. The pod needs the rights of the application: set podTemplate.securityContext."
# remove <folder>...: those without write permission could not be emptied.
remove() {
  chmod -R u+rwX "$@" 2>/dev/null || :
  rm -rf "$@"
}
keep=
trap '[ -n "$keep" ] || remove "$staging"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$staging/new" "$staging/old"

set -- --extract --file=- --directory="$staging/new" --preserve-permissions --numeric-owner --delay-directory-restore
[ "$FILES_XATTRS" != true ] || set -- "$@" --xattrs --xattrs-include='*' --acls

# Archives of earlier generators were packed with gzip, which tar does not find out by itself on a pipe.
dd bs=1 count=2 of="$staging/begin" 2>/dev/null
[ "$(od -An -tx1 "$staging/begin" | tr -d ' \n')" != 1f8b ] || set -- "$@" --gzip

# An archive that ends at the border of two files looks complete to tar, so what feeds it has to say that it reached the
# end: that is also when the client has verified the stream.
{ cat "$staging/begin" - && : >"$staging/complete"; } | tar "$@" ||
  fail 'the archive cannot be unpacked, see above. If there is no space, the volume needs room for old and new files together. Nothing was changed.'
[ -e "$staging/complete" ] || fail 'the archive ended early. Nothing was changed.'

# move <from> <to>: everything but what is not part of the data. A folder that its owner may not write can be renamed only
# while he may.
# shellcheck disable=SC2016 # the inner shell expands these
move() {
  (cd "$1" && find . -mindepth 1 -maxdepth 1 ! -name lost+found ! -name '.backup-maker-restore.*' -exec sh -c '
    to=$1
    shift
    for entry do
      mode=
      if [ -d "$entry" ] && [ ! -L "$entry" ] && [ ! -w "$entry" ]; then
        mode=$(stat -c %a "$entry")
        chmod u+w "$entry" || exit
      fi
      mv -t "$to" -- "$entry" || {
        [ -z "$mode" ] || chmod "$mode" "$entry"
        exit 1
      }
      [ -z "$mode" ] || chmod "$mode" "$to/$entry"
    done' sh "$2" {} +)
}

# undo <reason>: puts the old files back and fails. The folder may have new files by now, and some that a running application wrote
# meanwhile, under the names of old ones even: those are nobody's to remove.
undo() {
  taken=$(cd "$staging/new" && find . -mindepth 1 -maxdepth 1 -exec test -e "$FILES_PATH/{}" \; -print) || taken=unknown
  if ! { mkdir "$staging/meanwhile" && move "$FILES_PATH" "$staging/meanwhile" && move "$staging/old" "$FILES_PATH"; }; then
    fail "$1, and the old files cannot be moved back, see above. They are in $staging/old: stop what writes to $FILES_PATH, and move them back by hand."
  fi
  [ -n "$taken" ] || {
    keep=
    fail "$1. The old files are where they were."
  }
  remove "$staging/new" "$staging/old"
  fail "$1: something writes to $FILES_PATH. Scale the application down before the next restore. The old files are where they were; what was written meanwhile is in $staging/meanwhile, with new files."
}

sync -f "$FILES_PATH"
# Renaming takes no time, so no signal ends it in the middle. Until it is over, or undone, the old files are nowhere but in here.
trap '' HUP INT TERM
keep=1
move "$FILES_PATH" "$staging/old" || {
  move "$staging/old" "$FILES_PATH" ||
    fail "an old file cannot be moved away, and others cannot be moved back, see above. They are in $staging/old: stop what writes to $FILES_PATH, and move them back by hand."
  keep=
  fail 'an old file cannot be moved away, see above. The pod needs the rights of the application: set podTemplate.securityContext. The old files are where they were.'
}
move "$staging/new" "$FILES_PATH" || undo 'a new file cannot be moved into place, see above'
keep=
