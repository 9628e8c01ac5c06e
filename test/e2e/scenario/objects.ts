/** Sources as users write them into their packages. */
import { stringify } from 'yaml';
import type { Manifest } from '../sandbox.ts';

const V1ALPHA1 = 'riotkit.org/v1alpha1';
const SERVER = 'backups.riotkit.org/v1alpha1';

export function scheduledBackup(name: string, spec: Manifest): Manifest {
  return { apiVersion: V1ALPHA1, kind: 'ScheduledBackup', metadata: { name }, spec };
}

export function action(name: string, backup: string, spec: Manifest): Manifest {
  return {
    apiVersion: V1ALPHA1,
    kind: 'RequestedBackupAction',
    metadata: { name },
    spec: { scheduledBackupRef: { name: backup }, ...spec },
  };
}

export function ownTemplate(
  name: string,
  spec: { image: string; backup: string; restore: string },
): Manifest {
  return { apiVersion: V1ALPHA1, kind: 'ClusterBackupProcedureTemplate', metadata: { name }, spec };
}

export function secret(name: string, stringData: Record<string, string>, namespace?: string): Manifest {
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData };
}

export function backupUser(name: string, spec: Manifest): Manifest {
  return { apiVersion: SERVER, kind: 'BackupUser', metadata: { name }, spec };
}

export function backupCollection(name: string, spec: Manifest): Manifest {
  return { apiVersion: SERVER, kind: 'BackupCollection', metadata: { name }, spec };
}

export function yamlOf(objects: readonly Manifest[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}
