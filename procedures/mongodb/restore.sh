#!/bin/sh
# MongoDB loads collection by collection and cannot roll back. Therefore the archive is kept in scratch, and the database is
# not touched before the archive is complete. A trial run then shows that it is an archive and that the server answers.
# shellcheck disable=SC2153 # MONGODB_PORT comes from the pod
set -e
umask 077

fail() {
  printf 'mongodb restore: %s\n' "$*" >&2
  exit 1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cat >"$scratch/dump" || fail 'the dump does not fit into /tmp. Free disk space on the node, or give the pod a larger volume named scratch in podTemplate.volumes.'

# The tools read secrets from a file of YAML, or else only from arguments, which everyone on the node can see.
# secret <key> <value>
secret() {
  case $2 in
    *"
"*) fail "the $1 must not hold a line break." ;;
  esac
  printf '%s: "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')"
}

config=$scratch/config.yaml
if [ -n "$MONGODB_URI" ]; then
  secret uri "$MONGODB_URI" >"$config"
  set -- --config="$config"
else
  [ -n "$MONGODB_HOST" ] || fail 'MONGODB_HOST is empty. Set the parameter hostname.'
  case $MONGODB_HOST in
    *:*) host="[$MONGODB_HOST]:$MONGODB_PORT" ;;
    *) host=$MONGODB_HOST:$MONGODB_PORT ;;
  esac
  [ -z "$MONGODB_REPLICA_SET" ] || host=$MONGODB_REPLICA_SET/$host
  set -- --host="$host"
  if [ -n "$MONGODB_USER" ]; then
    secret password "$MONGODB_PASSWORD" >"$config"
    set -- "$@" --config="$config" --username="$MONGODB_USER" --authenticationDatabase="$MONGODB_AUTHENTICATION_DATABASE"
  fi
  [ "$MONGODB_TLS" != true ] || set -- "$@" --ssl
fi
[ -z "$MONGODB_TLS_CA_FILE" ] || set -- "$@" --sslCAFile="$MONGODB_TLS_CA_FILE"

set -- "$@" --archive="$scratch/dump"
if [ -n "$MONGODB_DATABASE" ]; then
  # A pattern, in which an asterisk would mean any name.
  pattern=$(printf '%s' "$MONGODB_DATABASE" | sed 's/[\\*]/\\&/g')
  set -- "$@" --nsInclude="$pattern.*"
elif [ "$MONGODB_OPLOG" = true ]; then
  set -- "$@" --oplogReplay
fi

mongorestore "$@" --dryRun ||
  fail 'the archive cannot be read or the server not be reached, see above. Check hostname, port, tls, user and password. Nothing was changed.'
mongorestore "$@" --drop --stopOnError --objcheck ||
  fail 'the load failed half-way, see above. Collections loaded so far are those of the backup. Remove the cause and run the restore again. The account needs the role restore.'
