#!/bin/sh
# An archive of mongodump, without compression, which is the client's work.
# shellcheck disable=SC2153 # MONGODB_PORT comes from the pod
set -e
umask 077

fail() {
  printf 'mongodb backup: %s\n' "$*" >&2
  exit 1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

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

if [ -n "$MONGODB_DATABASE" ]; then
  [ "$MONGODB_OPLOG" != true ] || fail 'oplog records all databases, but one is named. Remove the parameter db or oplog.'
  set -- "$@" --db="$MONGODB_DATABASE"
elif [ "$MONGODB_OPLOG" = true ]; then
  set -- "$@" --oplog
fi

mongodump "$@" --archive ||
  fail 'mongodump failed, see above. Check hostname, port, tls, user and password. The account needs the role backup; oplog needs a replica set.'
