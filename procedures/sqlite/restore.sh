#!/bin/sh
# The backup is put beside the database and checked. Then SQLite copies it into the database in one transaction, so an
# application that has it open sees the old content or the new, and its write-ahead log cannot be mixed up.
set -e
umask 077

fail() {
  printf 'sqlite restore: %s\n' "$*" >&2
  exit 1
}

[ -n "$SQLITE_PATH" ] || fail 'SQLITE_PATH is empty. Set the parameter path.'
[ -d "$(dirname "$SQLITE_PATH")" ] ||
  fail "there is no folder $(dirname "$SQLITE_PATH") in the claim $VOLUME_CLAIM. Check claim, subPath and path."

staging=$(mktemp -d "$SQLITE_PATH.restore-XXXXXX") ||
  fail 'cannot write to the folder of the database, see above. The pod needs the rights of the application: set podTemplate.securityContext.'
trap 'rm -rf "$staging"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
new=$staging/new

cat >"$new" || fail 'the backup does not fit onto the volume beside the database. Make space. Nothing was changed.'
[ "$(head -c 15 "$new" | tr -d '\000')" = 'SQLite format 3' ] ||
  fail 'this is no SQLite database. Choose another version. Nothing was changed.'
# The link has a name without characters that would mean something in a URI.
plain=$(mktemp -d)
trap 'rm -rf "$staging" "$plain"' EXIT
ln -s "$new" "$plain/new"
result=$(sqlite3 -init /dev/null -batch "file:$plain/new?immutable=1" 'PRAGMA integrity_check(5)') || :
[ "$result" = ok ] || fail "this backup is damaged: $result. Choose another version. Nothing was changed."

# The modes that a file made by the application would most likely have; an existing file keeps its own.
chmod 0660 "$new"

if [ ! -s "$SQLITE_PATH" ]; then
  # Logs without a database belong to none, and would be replayed into the new one.
  rm -f "$SQLITE_PATH-wal" "$SQLITE_PATH-shm" "$SQLITE_PATH-journal"
  sync "$new"
  mv "$new" "$SQLITE_PATH"
  exit
fi

if [ "$(head -c 15 "$SQLITE_PATH" | tr -d '\000')" != 'SQLite format 3' ]; then
  aside=$SQLITE_PATH.damaged-$(date +%Y%m%dT%H%M%S)
  printf 'sqlite restore: the present file is no database, it is kept as %s\n' "$aside" >&2
  for suffix in -wal -shm -journal; do
    [ ! -e "$SQLITE_PATH$suffix" ] || mv "$SQLITE_PATH$suffix" "$aside$suffix"
  done
  sync "$new"
  # A link, so that the path is at no time without a file.
  ln "$SQLITE_PATH" "$aside"
  mv "$new" "$SQLITE_PATH"
  exit
fi

sqlite3 -init /dev/null -bail -cmd '.timeout 60000' "$SQLITE_PATH" ".restore '$plain/new'" >&2 ||
  fail 'the load failed and was rolled back: the database is as it was. The reason is above. If it is locked, stop the application. If it is read-only although the pod may write it, the page size differs in WAL mode: stop the application, run "PRAGMA journal_mode=DELETE" in it, and restore again.'
