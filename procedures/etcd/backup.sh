#!/bin/sh
# A snapshot of the key space, checked before it is stored. The image holds no programs but those of etcd, so the
# small ones are called from the busybox that came with the shell.
# shellcheck disable=SC2153 # ETCD_PORT comes from the pod
set -e
umask 077
export ETCDCTL_API=3
PATH=$PATH:/opt/backup-maker/bin

fail() {
  printf 'etcd backup: %s\n' "$*" >&2
  exit 1
}

[ -n "$ETCD_HOST" ] || fail 'ETCD_HOST is empty. Set the parameter hostname.'
if [ "$ETCD_TLS" = true ]; then scheme=https; else scheme=http; fi
# etcdctl reads the password from ETCDCTL_PASSWORD and the certificates from ETCDCTL_CACERT, _CERT and _KEY by itself.
case $ETCD_HOST in
  *:*) export ETCDCTL_ENDPOINTS="$scheme://[$ETCD_HOST]:$ETCD_PORT" ;;
  *) export ETCDCTL_ENDPOINTS="$scheme://$ETCD_HOST:$ETCD_PORT" ;;
esac
[ -z "$ETCD_USER" ] || export ETCDCTL_USER="$ETCD_USER"

scratch=$(busybox mktemp -d)
trap 'busybox rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
snapshot=$scratch/snapshot.db

etcdctl snapshot save "$snapshot" >&2 ||
  fail "cannot save a snapshot of $ETCDCTL_ENDPOINTS, see above. Check hostname, port, tls, the certificates, user and password, and the size limit of the scratch volume."

# etcd 3.6 has the command only in etcdutl, versions before 3.5 only in etcdctl.
if command -v etcdutl >/dev/null; then tool=etcdutl; else tool=etcdctl; fi
"$tool" snapshot status "$snapshot" >&2 || fail 'the snapshot is damaged, see above. Nothing was stored.'

busybox cat "$snapshot"
