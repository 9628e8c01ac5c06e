#!/bin/sh
# One database is loaded while it arrives, in one transaction; see load_database for why its end is held back.
# A cluster cannot be loaded in one transaction, so it is kept in scratch until it is complete.
set -e
umask 077
export PGAPPNAME=backup-maker PGCONNECT_TIMEOUT=30

fail() {
  printf 'postgres restore: %s\n' "$*" >&2
  exit 1
}

query() {
  psql --no-psqlrc --no-password --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"
}

[ -n "$PGHOST" ] || fail 'PGHOST is empty. Set the parameter hostname.'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

end_other_sessions='SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();'

# The schemas are created again with the owner and the grants they had, because a dump does not hold those of "public".
# One row for each schema; psql runs its columns one after the other.
empty_schemas="SELECT format('DROP SCHEMA %I CASCADE', nspname),
  format('CREATE SCHEMA %I AUTHORIZATION %I', nspname, pg_get_userbyid(nspowner)),
  (SELECT string_agg(format('GRANT %s ON SCHEMA %I TO %s %s', privilege_type, nspname,
      CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
      CASE WHEN is_grantable THEN 'WITH GRANT OPTION' END), '; ')
    FROM aclexplode(nspacl))
  FROM pg_namespace
  WHERE nspname IN (SELECT trim(item) FROM regexp_split_to_table(:'drop_schemas', ',') AS item) \\gexec"

# pg_restore writes COMMIT as soon as it has read the last table, and that can be before the client has verified the
# last byte. So the last lines of its script, COMMIT among them, wait until standard input has ended. Should anything
# die before, psql sees the end of its input without a COMMIT, and the server rolls back.
# shellcheck disable=SC2016 # $0 is awk's
hold_back_end='
  NR > size { print held[NR % size] }
  { held[NR % size] = last = $0 }
  END {
    if (last != verified) exit 1
    for (line = NR > size ? NR - size + 1 : 1; line < NR; line++) print held[line % size]
    print "SELECT " quote "restored" quote ";"
  }'

load_database() {
  set -- --clean --if-exists --exit-on-error --single-transaction --file=-
  [ "$OWNERS" != skip ] || set -- "$@" --no-owner --no-privileges
  {
    # Otherwise the BEGIN of pg_restore gives a warning, because the transaction begins here.
    printf '%s\n' 'SET client_min_messages = error;'
    [ "$DISCONNECT" != true ] || printf '%s\n' "$end_other_sessions"
    printf '%s\n' 'BEGIN;'
    [ -z "$DROP_SCHEMAS" ] || printf '%s\n' "$empty_schemas"
    pg_restore "$@" || exit 1
    cat >/dev/null || exit 1
    printf '%s\n' '-- verified'
  } |
    LC_ALL=C awk -v size=32 -v verified='-- verified' -v quote="'" "$hold_back_end" |
    query --set=drop_schemas="$DROP_SCHEMAS" --output="$scratch/result" --file=- ||
    fail 'the load failed and was rolled back: the database is as it was. The reason is above. If objects depend on what the dump replaces, set dropSchemas; if roles do not exist, create them or set owners to skip; if the database does not exist, create it empty.'

  [ "$(tail -n 1 "$scratch/result")" = restored ] ||
    fail 'the load did not end and was rolled back: the database is as it was. The reason is above. If the backup is one of a whole cluster, remove the parameter db.'
}

# What pg_dumpall writes before the first database, made fit for a server that is not empty: roles are changed rather
# than dropped and created, databases are dropped although someone is connected, and the role that connects keeps its
# password, which is needed until the last line.
# shellcheck disable=SC2016 # $0 is awk's
adapt_globals='
  /^-- Databases$/ { found = 1; exit }
  /^DROP ROLE IF EXISTS .*;$/ { print "--"; next }
  /^DROP DATABASE IF EXISTS .*;$/ { sub(/;$/, " WITH (FORCE);") }
  /^CREATE ROLE .*;$/ {
    print "DO $backup_maker$ BEGIN " $0 " EXCEPTION WHEN duplicate_object THEN NULL; END $backup_maker$;"; next
  }
  index($0, "ALTER ROLE " ENVIRON["own_role"] " WITH ") == 1 { print "--"; next }
  { print }
  END { exit !found }'

load_cluster() {
  export PGDATABASE=postgres
  dump=$scratch/dump.sql
  cat >"$dump" || fail 'the dump does not fit into /tmp. Free disk space on the node, or give the pod a larger volume named scratch in podTemplate.volumes.'

  [ "$(head -c 5 "$dump" | tr -d '\000')" != PGDMP ] ||
    fail 'this is the backup of one database, but no database is named. Set the parameter db. Nothing was changed.'
  tail -n 8 "$dump" | grep -q '^-- PostgreSQL database cluster dump complete' ||
    fail 'this is no complete dump of a cluster: its last line is missing. Choose another version. Nothing was changed.'
  # A variable of awk, which unlike -v takes backslashes as they are.
  own_role=$(query --command='SELECT quote_ident(current_user) FROM pg_roles WHERE rolname = current_user AND rolsuper') ||
    fail 'cannot connect to the database postgres, see above. Nothing was changed.'
  [ -n "$own_role" ] ||
    fail 'only a superuser can restore a whole cluster. Nothing was changed.'
  export own_role
  LC_ALL=C awk "$adapt_globals" "$dump" >"$scratch/globals.sql" ||
    fail 'cannot find where the databases begin in this dump. Nothing was changed.'

  # A database cannot be dropped while others are connected.
  query --command="SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()" >/dev/null
  lines=$(wc -l <"$scratch/globals.sql")
  {
    cat "$scratch/globals.sql" || exit 1
    tail -n +"$((lines + 1))" "$dump" || exit 1
    printf '%s\n' "SELECT 'restored';"
  } | query --output="$scratch/result" --file=- ||
    fail 'the load failed half-way, see above. Stop what is connected to the server, remove the cause and run the restore again: databases that were not reached are missing.'
  [ "$(tail -n 1 "$scratch/result")" = restored ] ||
    fail 'the load ended early. Run the restore again: databases that were not reached are missing.'
}

if [ -n "$PGDATABASE" ]; then load_database; else load_cluster; fi
