#!/bin/bash
# pgbr db backup|restore --host= --port= --user= --password= --db-name=
set -euo pipefail
action=$2
shift 2
for argument; do
  case $argument in
    --host=*) export PGHOST=${argument#*=} ;;
    --port=*) export PGPORT=${argument#*=} ;;
    --user=*) export PGUSER=${argument#*=} ;;
    --password=*) export PGPASSWORD=${argument#*=} ;;
    --db-name=*) name=${argument#*=} ;;
    *) echo "pgbr: unknown argument ${argument%%=*}" >&2; exit 2 ;;
  esac
done
case $action in
  backup) exec pg_dump --clean --create --blobs "$name" --format=c --compress=7 ;;
  restore)
    psql -Xqd postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name'" > /dev/null
    exec pg_restore --clean --create --exit-on-error --format=c --dbname=postgres
    ;;
  *) echo "pgbr: unknown action $action" >&2; exit 2 ;;
esac
