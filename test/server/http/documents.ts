/** Users, collections and secrets of the behavioural suite, as an operator would write them. */
import { createHash } from 'node:crypto';
import { cheapPassword } from '../access/accounts.ts';

const apiVersion = 'backups.riotkit.org/v1alpha1';
export const PASSWORD = 'admin';
const ADMIN_PASSWORD = cheapPassword(PASSWORD);
export const HEALTH_CODE = 'is-it-well';

export interface Document {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec?: object;
  stringData?: object;
  data?: object;
}

/** Limits that most tests do not care about. */
const ROOMY = {
  filenameTemplate: 'backup-${version}.gpg',
  maxBackupsCount: 10,
  maxOneVersionSize: '1M',
  maxCollectionSize: '20M',
};

/** Each test has a collection of its own, so that all can run on one server, and in any order. */
export function collection(name: string, spec: object = {}): Document {
  const accessControl = [
    { userName: 'uploader', roles: ['backupUploader'] },
    { name: 'downloader', type: 'user', roles: ['backupDownloader'] },
    { userName: 'machine', roles: ['backupUploader', 'backupDownloader'] },
  ];
  return {
    apiVersion,
    kind: 'BackupCollection',
    metadata: { name },
    spec: { ...ROOMY, accessControl, ...spec },
  };
}

function user(name: string, spec: object): Document {
  return {
    apiVersion,
    kind: 'BackupUser',
    metadata: { name },
    spec: { email: `${name}@example.org`, password: ADMIN_PASSWORD, ...spec },
  };
}

export const ACCOUNTS: readonly Document[] = [
  user('admin', { roles: ['systemAdmin'] }),
  user('uploader', {}),
  user('downloader', {}),
  user('stranger', {}),
  user('manager', { roles: ['collectionManager'] }),
  user('gone', { roles: ['systemAdmin'], deactivated: true }),
  user('elsewhere', { roles: ['systemAdmin'], restrictByIP: ['192.0.2.0/24'] }),
  user('machine', {
    accessKeys: [
      {
        name: 'key',
        password: ADMIN_PASSWORD,
        objects: [{ type: 'collection', name: 'keyed', roles: ['backupUploader'] }],
      },
    ],
  }),
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'codes' },
    stringData: { health: createHash('sha256').update(HEALTH_CODE).digest('hex') },
  },
];
