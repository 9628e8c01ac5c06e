#!/bin/sh
# One database: an archive of pg_dump in its custom format. Whole cluster: the SQL script of pg_dumpall.
# Both are standard formats that pg_restore and psql load without us. Compression is the client's work.
set -e
umask 077
export PGAPPNAME=backup-maker PGCONNECT_TIMEOUT=30

fail() {
  printf 'postgres backup: %s\n' "$*" >&2
  exit 1
}

[ -n "$PGHOST" ] || fail 'PGHOST is empty. Set the parameter hostname.'

if [ -n "$PGDATABASE" ]; then
  # The name of the database stays in the environment, because as an argument it could be read as a connection string.
  pg_dump --no-password --format=custom --compress=0 ||
    fail 'pg_dump failed, see above. If it names a version mismatch, choose a version that is not older than the server.'
else
  pg_dumpall --no-password --clean --if-exists ||
    fail 'pg_dumpall failed, see above. The role must be a superuser: if it cannot be, name one database with the parameter db.'
fi
