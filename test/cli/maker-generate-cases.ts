/** The golden cases of the generator: definitions under fixtures/definitions, and the flags that each is rendered with. */
import { join } from 'node:path';
import { OPERATIONS } from '../../src/api/procedure.ts';
import type { GenerateOptions } from '../../src/cli/maker-generate-options.ts';
import { fixtures } from '../resource-lists.ts';

export const definitions = join(fixtures, 'definitions');

export interface GenerateCase {
  name: string;
  options: GenerateOptions;
}

type Flags = Omit<GenerateOptions, 'operation'>;

/** By the name of the folder with what is expected. */
const FLAGS: Readonly<Record<string, Flags>> = {
  postgres: { template: 'pg16', definition: 'postgres.yaml' },
  'postgres-kubernetes': {
    template: 'postgres',
    definition: 'postgres.yaml',
    kubernetes: true,
    k8sNamespace: 'backups',
    k8sJobSchedule: '30 2 * * *',
  },
  'postgres-sealed': {
    template: 'pg16',
    definition: 'postgres-sealed.yaml',
    gpgKeyPath: 'sealed-key.yaml',
    kubernetes: true,
    k8sName: 'app1',
    k8sNamespace: 'backups',
  },
  'mysql-dump': { template: 'mysql-dump', definition: 'mysql-dump.yaml' },
  'mysql-dump-kubernetes': {
    template: 'mysql-dump',
    definition: 'mysql-dump.yaml',
    kubernetes: true,
    k8sName: 'blog',
    k8sImage: 'mysql:8.0',
  },
  tar: { template: 'tar', definition: 'tar.yaml' },
  'tar-kubernetes': {
    template: 'tar',
    definition: 'tar-volume.yaml',
    gpgKeyPath: '',
    kubernetes: true,
    k8sName: 'uploads',
  },
  'own-template': { template: 'directory', definition: 'own-template.yaml' },
  'own-template-kubernetes': {
    template: 'directory',
    definition: 'own-template.yaml',
    kubernetes: true,
    k8sName: 'directory',
    k8sNamespace: 'ldap',
    k8sImage: 'registry.example.org/ldap-tools:2.6',
  },
};

/** Every case, for both operations. Paths are below fixtures/definitions. */
export const cases: readonly GenerateCase[] = Object.entries(FLAGS).flatMap(([name, flags]) =>
  OPERATIONS.map((operation) => {
    const { k8sJobSchedule, ...rest } = flags;
    const schedule = operation === 'backup' && k8sJobSchedule !== undefined && { k8sJobSchedule };
    const gpgKeyPath = flags.gpgKeyPath ?? (operation === 'backup' ? 'public.key' : 'private.key');
    const options = {
      ...rest,
      ...schedule,
      operation,
      gpgKeyPath,
      cwd: definitions,
      home: join(definitions, 'no-home'),
    };
    return { name, options };
  }),
);
