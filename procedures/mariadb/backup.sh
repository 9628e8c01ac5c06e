#!/bin/sh
# An SQL script of mariadb-dump, taken in one transaction so that all tables are of the same moment (InnoDB).
set -e
umask 077

fail() {
  printf 'mariadb backup: %s\n' "$*" >&2
  exit 1
}

[ -n "$MYSQL_HOST" ] || fail 'MYSQL_HOST is empty. Set the parameter hostname.'

# Images before 11 know the program by its old name only.
dump=mariadb-dump
command -v "$dump" >/dev/null || dump=mysqldump

# The password is in MYSQL_PWD, which the client reads by itself. Option files of the image must not interfere.
set -- --no-defaults --protocol=TCP --host="$MYSQL_HOST" --port="$MYSQL_TCP_PORT" --user="$MYSQL_USER" \
  --default-character-set=utf8mb4
case $MYSQL_SSL_MODE in
  DISABLED) set -- "$@" --skip-ssl ;;
  VERIFY_IDENTITY) set -- "$@" --ssl --ssl-verify-server-cert ;;
  # Since 11.4 the client verifies by default, and would refuse the certificate that most servers make for themselves.
  *) set -- "$@" --ssl --skip-ssl-verify-server-cert ;;
esac
[ -z "$MYSQL_SSL_CA" ] || set -- "$@" --ssl-ca="$MYSQL_SSL_CA"

# Without tablespaces, because these need the privilege PROCESS.
set -- "$@" --single-transaction --quick --routines --triggers --events --hex-blob --no-tablespaces
if [ -n "$MYSQL_DATABASE" ]; then
  set -- "$@" -- "$MYSQL_DATABASE"
else
  set -- "$@" --all-databases --flush-privileges
fi
"$dump" "$@" || fail 'the dump failed, see above. Check hostname, port, user and password, and that the account may read, lock and see views, triggers, events and routines.'
