/** Sources that the tests with real tools are about. */

/** A ScheduledBackup of a database; `more` goes below `spec`, indented by two. */
export function databaseBackup(name = 'database', { namespace = '', more = '' } = {}): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: ScheduledBackup
metadata:
  name: ${name}
${namespace && `  namespace: ${namespace}\n`}spec:
  collectionId: shop-database
  cronJob:
    enabled: true
  templateRef: {kind: internal, name: postgres, version: "16"}
  vars:
    params: {hostname: postgres, db: shop}
  varsSecretRef: {secretName: database-login, importOnlyKeys: [Params.password]}
  gpgKeySecretRef: {secretName: keys, email: shop@example.org}
  accessKeySecretRef: {name: backup-access}
  repository: {url: "https://backups.example.org"}
${more}`;
}

/** A RequestedBackupAction that restores what {@link databaseBackup} backed up. */
export function restoreAction(name = 'restore', { namespace = '', backup = 'database' } = {}): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: RequestedBackupAction
metadata:
  name: ${name}
${namespace && `  namespace: ${namespace}\n`}spec:
  action: restore
  scheduledBackupRef: {name: ${backup}}
`;
}

/** Generators for every Secret that {@link databaseBackup} refers to; kustomize adds a hash to their names. */
export const secretGenerators = `secretGenerator:
  - {name: database-login, literals: [Params.password=p4ssw0rd-of-the-database]}
  - {name: keys, literals: [key=private, key.pub=public, passphrase=phrase]}
  - {name: backup-access, literals: [username=shop$uploader, password=p4ssw0rd-of-the-server]}
  - {name: registry, type: kubernetes.io/dockerconfigjson, literals: ['.dockerconfigjson={}']}
`;

/** Settings that refer to other objects of the package. */
export const referringPod = `  podTemplate:
    serviceAccountName: runner
    imagePullSecrets: [{name: registry}]
    volumes: [{name: extra, persistentVolumeClaim: {claimName: extra}}]
    volumeMounts: [{name: extra, mountPath: /extra}]
`;

/** The objects that {@link referringPod} refers to. */
export const referredObjects = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: runner
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: extra
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
`;
