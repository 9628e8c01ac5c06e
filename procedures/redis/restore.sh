#!/bin/sh
# A running server cannot load an RDB file. A private server reads it, its keys are written down as RESTORE commands, and
# the target gets these in one go: as one transaction, as long as the target would accept one of that size.
# shellcheck disable=SC2016,SC2153 # the dollar signs are those of the protocol; REDIS_PORT comes from the pod
set -e
umask 077

fail() {
  printf 'redis restore: %s\n' "$*" >&2
  exit 1
}

[ -n "$REDIS_HOST" ] || fail 'REDIS_HOST is empty. Set the parameter hostname.'

scratch=$(mktemp -d)
private=
clean_up() {
  [ -z "$private" ] || kill -9 "$private" 2>/dev/null || :
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cat >"$scratch/dump.rdb" || fail 'the dump does not fit into /tmp. Free disk space on the node, or give the pod a larger volume named scratch in podTemplate.volumes.'
redis-check-rdb "$scratch/dump.rdb" >"$scratch/check" 2>&1 || {
  cat "$scratch/check" >&2
  fail 'this is no RDB file that this version can read, see above. Choose a version that is not older than the one that was backed up. Nothing was changed.'
}

# redis-cli reads the password from REDISCLI_AUTH by itself.
set -- -h "$REDIS_HOST" -p "$REDIS_PORT"
[ -z "$REDIS_USER" ] || set -- "$@" --user "$REDIS_USER"
if [ "$REDIS_TLS" = true ]; then
  set -- "$@" --tls
  [ -z "$REDIS_TLS_CA_CERT" ] || set -- "$@" --cacert "$REDIS_TLS_CA_CERT"
fi
pong=$(redis-cli "$@" PING) || fail 'cannot connect, see above. Check hostname, port and tls. Nothing was changed.'
[ "$pong" = PONG ] || fail "the server answers: $pong. Check user and password. Nothing was changed."

# ask <arguments of redis-cli>: what the server tells about itself, for field and lasting_keys. A server that does not answer
# must not look like one without keys.
ask() {
  redis-cli "$@" INFO >"$scratch/answer" || fail 'the server does not answer any more, see above. Nothing was changed.'
  tr -d '\r' <"$scratch/answer" >"$scratch/info"
  grep -q '^redis_version:' "$scratch/info" || {
    cat "$scratch/answer" >&2
    fail 'the server refuses INFO, see above. The user needs that command. Nothing was changed.'
  }
}
field() {
  sed -n "s/^$1://p" "$scratch/info"
}
# How many keys without an expiry time each database holds; those with one may be gone before they are counted.
lasting_keys() {
  sed -n 's/^\(db[0-9]*\):keys=\([0-9]*\),expires=\([0-9]*\).*/\1 \2 \3/p' "$scratch/info" |
    while read -r name keys expires; do
      [ "$keys" = "$expires" ] || printf '%s=%s ' "$name" "$((keys - expires))"
    done
}

ask "$@"
target_version=$(field redis_version)
role=$(field role)
cluster=$(field cluster_enabled)
[ "$role" != slave ] || fail 'this server is a replica. Set hostname to the primary. Nothing was changed.'
[ "$cluster" != 1 ] || fail 'this is a Redis Cluster, which this procedure cannot load. Nothing was changed.'

# --- the private server

# More databases than any server has, so that the last ones are free for the state of the copy.
redis-server --port 0 --unixsocket "$scratch/socket" --unixsocketperm 700 --dir "$scratch" --dbfilename dump.rdb \
  --databases 20000 --save '' --appendonly no --loglevel warning --daemonize no >"$scratch/log" 2>&1 &
private=$!

# It has no password; REDISCLI_AUTH is that of the target.
ours() (
  unset REDISCLI_AUTH
  redis-cli -s "$scratch/socket" "$@"
)
ask_ours() (
  unset REDISCLI_AUTH
  ask -s "$scratch/socket"
)
until [ "$(ours PING 2>/dev/null)" = PONG ]; do
  kill -0 "$private" 2>/dev/null || {
    cat "$scratch/log" >&2
    fail 'the private server cannot load the data, see above. Raise the memory limit of this container if it was killed. Nothing was changed.'
  }
  sleep 1
done
# It is in memory now, and the commands need the space.
rm "$scratch/dump.rdb"

# A server refuses values that a later version has written, and would do so only after the old keys were deleted.
as_number() {
  printf '%s\n' "$1" | sed 's/^\([0-9]*\)\.\([0-9]*\).*/\1 * 100 + \2/'
}
ask_ours
source_version=$(field redis_version)
[ "$(($(as_number "$target_version")))" -ge "$(($(as_number "$source_version")))" ] ||
  fail "the target is version $target_version, but this container is $source_version. Set version to the target's or an older one. Nothing was changed."

# --- the commands for the target

load=$scratch/load
# One page of a database as RESTORE commands in the protocol of Redis. Keys and values may hold any bytes, so they never
# pass through the shell. The position of the scan is kept in the private server, in a database of its own.
page='
  local number, state, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
  local function command(...)
    local words = {...}
    local text = {"*" .. #words .. "\r\n"}
    for _, word in ipairs(words) do text[#text + 1] = "$" .. #word .. "\r\n" .. word .. "\r\n" end
    return table.concat(text)
  end
  redis.call("SELECT", state)
  local position = redis.call("GET", "position") or "0"
  redis.call("SELECT", number)
  local scan = redis.call("SCAN", position, "COUNT", 500)
  local text, lasting = {}, 0
  if position == "0" then text[1] = command("SELECT", number) end
  for _, key in ipairs(scan[2]) do
    local value, left = redis.call("DUMP", key), redis.call("PTTL", key)
    if value then
      local expiry = "0"
      if left >= 0 then expiry = string.format("%.0f", now + left) else lasting = lasting + 1 end
      text[#text + 1] = command("RESTORE", key, expiry, value, "REPLACE", "ABSTTL")
    end
  end
  redis.call("SELECT", state)
  redis.call("INCRBY", "lasting", lasting)
  if scan[1] == "0" then redis.call("DEL", "position") else redis.call("SET", "position", scan[1]) end
  return table.concat(text)'

: >"$load"
databases=$(sed -n 's/^db\([0-9]*\):.*/\1/p' "$scratch/info")
for number in $databases; do
  while :; do
    ours EVAL "$page" 0 "$number" 19999 "$(date +%s)000" >"$scratch/page" ||
      fail 'the private server has ended. Raise the memory limit of this container. Nothing was changed.'
    # Protocol text begins with an asterisk; an empty page is the line end alone; all else is an error message.
    case $(head -c 1 "$scratch/page") in
      '*' | '') ;;
      *)
        cat "$scratch/page" >&2
        fail 'the private server cannot give out its keys, see above. Nothing was changed.'
        ;;
    esac
    cat "$scratch/page" >>"$load" || fail 'the data does not fit into /tmp. Free disk space on the node, or give the pod a larger volume named scratch in podTemplate.volumes.'
    [ "$(ours -n 19999 EXISTS position)" = 1 ] || break
  done
done

# Libraries of functions, which servers have since version 7.
libraries=$(ours FUNCTION LIST 2>/dev/null) || libraries=
case $libraries in
  '' | ERR*) ;;
  *)
    ours FUNCTION DUMP >"$scratch/functions"
    # Without the line end that redis-cli adds.
    length=$(($(wc -c <"$scratch/functions") - 1))
    {
      printf '*4\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n$%d\r\n' "$length"
      head -c "$length" "$scratch/functions"
      printf '\r\n$5\r\nFLUSH\r\n'
    } >>"$load"
    ;;
esac

# One page that got lost would be noticed only when the old keys are gone, so count before.
copied=$(ours -n 19999 GET lasting)
ours -n 19999 DEL lasting >/dev/null
ask_ours
expected=$(lasting_keys)
total=0
for each in $expected; do total=$((total + $(printf '%s' "$each" | sed 's/.*=//'))); done
[ "$((copied + 0))" -ge "$total" ] || fail "only $copied of $total keys could be read from the backup. Nothing was changed."

kill -9 "$private"
wait "$private" 2>/dev/null || :
private=

# --- the load

# A server closes a connection that queues more than 1 GiB, unless it is configured otherwise.
if [ "$(wc -c <"$load")" -le 536870912 ]; then
  mode='in one transaction'
  { printf 'MULTI\r\nFLUSHALL\r\n' && cat "$load" && printf 'EXEC\r\n'; } >"$scratch/commands"
else
  mode='without a transaction'
  { printf 'FLUSHALL\r\n' && cat "$load"; } >"$scratch/commands"
fi
printf 'redis restore: replacing all keys %s\n' "$mode" >&2
rm "$load"
redis-cli "$@" --pipe <"$scratch/commands" >"$scratch/replies" 2>&1 || {
  cat "$scratch/replies" >&2
  fail "the load failed $mode, see above. Remove the cause and run the restore again."
}

# The replies inside of a transaction are not looked at by redis-cli, so compare what has arrived.
redis-cli "$@" INFO >"$scratch/answer" || fail 'the keys were sent, but then the server did not answer. Check what it holds.'
tr -d '\r' <"$scratch/answer" >"$scratch/info"
actual=$(lasting_keys)
[ "$actual" = "$expected" ] ||
  fail "the target does not hold as many keys as the backup: $actual instead of $expected. Stop what writes to it, or raise its maxmemory, and run the restore again."
