#!/bin/sh
# A new data directory for a member that is stopped. It is built under another name, and renamed when it is complete.
set -e
umask 077
export ETCDCTL_API=3
PATH=$PATH:/opt/backup-maker/bin

fail() {
  printf 'etcd restore: %s\n' "$*" >&2
  exit 1
}

[ -d "$ETCD_DATA_DIR" ] ||
  fail "there is no folder $ETCD_DATA_DIR. Set the parameter claim, and dataDir to a folder in it."
[ ! -e "$ETCD_DATA_DIR/member" ] ||
  fail "$ETCD_DATA_DIR/member exists, and data of a member is never overwritten. Stop the member, rename that folder, for instance to member.old, and restore again."

scratch=$(busybox mktemp -d)
trap 'busybox rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
snapshot=$scratch/snapshot.db
busybox cat >"$snapshot" || fail 'the snapshot does not fit into /tmp. Free disk space on the node, or give the pod a larger volume named scratch in podTemplate.volumes.'

staging=$(busybox mktemp -d "$ETCD_DATA_DIR/restore-XXXXXX") ||
  fail "cannot write to $ETCD_DATA_DIR, see above. The pod needs the rights of etcd: set podTemplate.securityContext."
trap 'busybox rm -rf "$scratch" "$staging"' EXIT

# etcd 3.6 has the command only in etcdutl, versions before 3.5 only in etcdctl.
if command -v etcdutl >/dev/null; then tool=etcdutl; else tool=etcdctl; fi
"$tool" snapshot restore "$snapshot" --data-dir "$staging/new" --name "$ETCD_NAME" \
  --initial-cluster "$ETCD_INITIAL_CLUSTER" --initial-cluster-token "$ETCD_INITIAL_CLUSTER_TOKEN" \
  --initial-advertise-peer-urls "$ETCD_INITIAL_ADVERTISE_PEER_URLS" >&2 ||
  fail 'the snapshot cannot be restored, see above. If its hash does not match, choose another version; else check memberName, initialCluster and initialAdvertisePeerUrls. Nothing was changed.'

busybox sync
busybox mv "$staging/new/member" "$ETCD_DATA_DIR/member"
