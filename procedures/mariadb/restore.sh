#!/bin/sh
# MariaDB commits every CREATE and DROP at once, so a load cannot be rolled back. Therefore the script is kept in scratch
# and the database is not touched before the script is complete.
# shellcheck disable=SC2016 # the backquotes are those of SQL
set -e
umask 077

fail() {
  printf 'mariadb restore: %s\n' "$*" >&2
  exit 1
}

[ -n "$MYSQL_HOST" ] || fail 'MYSQL_HOST is empty. Set the parameter hostname.'
[ "$RECREATE" != true ] || [ -n "$MYSQL_DATABASE" ] || fail 'recreate needs the parameter db.'

# Images before 11 know the program by its old name only.
client=mariadb
command -v "$client" >/dev/null || client=mysql

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
dump=$scratch/dump.sql

if [ "$DEFINERS" = strip ]; then
  # Only in the statements that carry it: rows are on lines that begin with INSERT, and stay as they are.
  # The character set C, because a dump may hold bytes that are no valid text.
  LC_ALL=C sed -e 's/^CREATE DEFINER=`[^`]*`\(@`[^`]*`\)* /CREATE /' \
    -e 's/^\(\/\*!50003 CREATE\*\/\) \/\*!50017 DEFINER=`[^`]*`\(@`[^`]*`\)*\*\/ /\1 /' \
    -e 's/^\(\/\*!50106 CREATE\*\/\) \/\*!50117 DEFINER=`[^`]*`\(@`[^`]*`\)*\*\/ /\1 /' \
    -e 's/^\/\*!50013 DEFINER=`[^`]*`\(@`[^`]*`\)* /\/*!50013 /' >"$dump" ||
    fail 'the dump does not fit into /tmp. Free disk space on the node, or give the pod a larger volume named scratch in podTemplate.volumes.'
else
  cat >"$dump" || fail 'the dump does not fit into /tmp. Free disk space on the node, or give the pod a larger volume named scratch in podTemplate.volumes.'
fi
tail -n 3 "$dump" | grep -q '^-- Dump completed' ||
  fail 'this is no complete dump: its last line is missing. Choose another version. Nothing was changed.'
if grep -q '^CREATE DATABASE /\*!32312 IF NOT EXISTS\*/ ' "$dump"; then all=true; else all=false; fi
[ "$all" = false ] || [ -z "$MYSQL_DATABASE" ] ||
  fail 'this is a backup of all databases. Remove the parameter db. Nothing was changed.'
[ "$all" = true ] || [ -n "$MYSQL_DATABASE" ] ||
  fail 'this is the backup of one database, but no database is named. Set the parameter db. Nothing was changed.'

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

query() {
  "$client" "$@" --batch --skip-column-names
}

if [ -n "$MYSQL_DATABASE" ]; then
  name=$(printf '%s' "$MYSQL_DATABASE" | sed 's/`/``/g')
  query "$@" --database="$MYSQL_DATABASE" --execute='SELECT 1' >/dev/null ||
    fail 'cannot use the database, see above. If it does not exist, create it empty. Nothing was changed.'
  if [ "$RECREATE" = true ]; then
    charset=$(query "$@" --database="$MYSQL_DATABASE" --execute='SELECT @@character_set_database')
    collation=$(query "$@" --database="$MYSQL_DATABASE" --execute='SELECT @@collation_database')
    printf 'DROP DATABASE `%s`;\nCREATE DATABASE `%s` CHARACTER SET %s COLLATE %s;\n' \
      "$name" "$name" "$charset" "$collation" | "$client" "$@" ||
      fail 'cannot drop and create the database, see above. The account needs all privileges on it.'
  fi
  set -- "$@" --database="$MYSQL_DATABASE"
else
  query "$@" --execute='SELECT 1' >/dev/null || fail 'cannot connect, see above. Nothing was changed.'
fi

# Binary mode takes bytes as they are, and refuses commands of the client such as "system" that a dump never needs.
"$client" "$@" --binary-mode <"$dump" ||
  fail 'the load failed half-way, see above. Tables loaded so far are those of the backup. Remove the cause and run the restore again; if accounts named as DEFINER do not exist, set definers to strip.'
