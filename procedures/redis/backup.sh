#!/bin/sh
# An RDB file, which the server sends as it would to a new replica. Where the server does not know the length before it
# has sent everything, redis-cli leaves the 40 bytes of the end mark after the data: all readers of RDB ignore them.
# shellcheck disable=SC2153 # REDIS_PORT comes from the pod
set -e
umask 077

fail() {
  printf 'redis backup: %s\n' "$*" >&2
  exit 1
}

[ -n "$REDIS_HOST" ] || fail 'REDIS_HOST is empty. Set the parameter hostname.'

# redis-cli reads the password from REDISCLI_AUTH by itself.
set -- -h "$REDIS_HOST" -p "$REDIS_PORT"
[ -z "$REDIS_USER" ] || set -- "$@" --user "$REDIS_USER"
if [ "$REDIS_TLS" = true ]; then
  set -- "$@" --tls
  [ -z "$REDIS_TLS_CA_CERT" ] || set -- "$@" --cacert "$REDIS_TLS_CA_CERT"
fi

# A wrong password is only a warning to redis-cli, so ask first.
pong=$(redis-cli "$@" PING) || fail 'cannot connect, see above. Check hostname, port and tls.'
[ "$pong" = PONG ] || fail "the server answers: $pong. Check user and password."

redis-cli "$@" --rdb - ||
  fail 'the snapshot failed, see above. The user needs the commands PSYNC, SYNC and REPLCONF, which hosted services often refuse.'
