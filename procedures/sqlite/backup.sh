#!/bin/sh
# The database file itself, copied with SQLite's online backup: consistent, while the application reads and writes.
set -e
umask 077

fail() {
  printf 'sqlite backup: %s\n' "$*" >&2
  exit 1
}

# sqlite3 would create a database that does not exist, and an empty backup would look like a good one.
[ -f "$SQLITE_PATH" ] || fail "there is no file $SQLITE_PATH in the claim $VOLUME_CLAIM. Check claim, subPath and path."
[ -s "$SQLITE_PATH" ] || fail "$SQLITE_PATH is empty: it is no database."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
copy=$scratch/copy

sqlite3 -init /dev/null -bail -readonly -cmd '.timeout 60000' "$SQLITE_PATH" ".backup '$copy'" >&2 ||
  fail 'the copy failed, see above. If the database cannot be opened, the pod needs the rights of the application: set podTemplate.securityContext. If it is locked, a long transaction is at work. If there is no space, raise the size limit of the scratch volume.'

# Immutable, so that the check itself writes nothing beside the copy.
result=$(sqlite3 -init /dev/null -batch "file:$copy?immutable=1" 'PRAGMA quick_check(5)') || :
[ "$result" = ok ] ||
  fail "the database is damaged: $result. Nothing was stored, and older backups are kept. Repair it, or restore an older version."

cat "$copy"
