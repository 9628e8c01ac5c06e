#!/bin/sh
# An SQL script of mysqldump, taken in one transaction so that all tables are of the same moment (InnoDB).
set -e
umask 077

fail() {
  printf 'mysql backup: %s\n' "$*" >&2
  exit 1
}

[ -n "$MYSQL_HOST" ] || fail 'MYSQL_HOST is empty. Set the parameter hostname.'

# The password is in MYSQL_PWD, which the client reads by itself. Option files of the image must not interfere.
set -- --no-defaults --protocol=TCP --host="$MYSQL_HOST" --port="$MYSQL_TCP_PORT" --user="$MYSQL_USER" \
  --default-character-set=utf8mb4
# PREFERRED is what the client does anyway.
[ -z "$MYSQL_SSL_MODE" ] || [ "$MYSQL_SSL_MODE" = PREFERRED ] || set -- "$@" --ssl-mode="$MYSQL_SSL_MODE"
[ -z "$MYSQL_SSL_CA" ] || set -- "$@" --ssl-ca="$MYSQL_SSL_CA"

# A dump with the server's transaction identifiers loads only into a server that has none; one with column statistics
# cannot be made of an older server. "loose" lets a client pass that does not know these options.
set -- "$@" --loose-set-gtid-purged=OFF --loose-column-statistics=0

# Without tablespaces, because these need the privilege PROCESS.
set -- "$@" --single-transaction --quick --routines --triggers --events --hex-blob --no-tablespaces
if [ -n "$MYSQL_DATABASE" ]; then
  set -- "$@" -- "$MYSQL_DATABASE"
else
  set -- "$@" --all-databases --flush-privileges
fi
mysqldump "$@" || fail 'the dump failed, see above. Check hostname, port, user and password, and that the account may read, lock and see views, triggers, events and routines.'
