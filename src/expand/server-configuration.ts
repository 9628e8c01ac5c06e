/**
 * The server's users and collections as one ConfigMap, which the server reads as a folder of YAML files: the whole
 * system declared in one place, without CustomResourceDefinitions.
 */
import type { ConfigMap } from 'kubernetes-types/core/v1.d.ts';
import type { BackupUser, ExpandBackupsSpec } from '../../gen/types.ts';
import { isSopsEncrypted } from '../api/credentials.ts';
import { API_VERSION, SERVER_API_VERSION } from '../api/kinds.ts';
import type { Problem } from '../api/problem.ts';
import { emitYaml } from '../krm/emit.ts';
import type { Generated } from '../krm/generated.ts';
import { Item } from '../krm/item.ts';
import { asJson } from '../krm/json.ts';
import { filePlace } from '../krm/result.ts';
import { NO_SUBSTITUTION, ownerOf } from './metadata.ts';

/** Kind in the ownership annotation: what is made of many sources is owned by none of them. */
export const SERVER_OWNER = 'ServerConfiguration';

export type ServerConfiguration = NonNullable<ExpandBackupsSpec['serverConfiguration']>;

/** What is wrong with which item. */
export type Finding = [item: Item, problem: Problem];

/** What the API server takes of one object, with room for what is not data. */
const MOST_BYTES = 1_000_000;
const PACKAGE = 'internal.config.kubernetes.io/package-path';

/** The ConfigMap of all sources, which have been found valid; none without sources. */
export function foldServerConfiguration(
  sources: readonly Item[],
  config: ServerConfiguration,
): { generated: Generated[]; findings: Finding[] } {
  const [first] = sources;
  if (!first) return { generated: [], findings: [] };
  const findings: Finding[] = [];
  const files = new Map<string, string>();
  for (const item of sources) {
    const { kind, name } = item.identity;
    const file = `${kind === 'BackupUser' ? 'user' : 'collection'}-${name}.yaml`;
    const message = `there is another ${kind} ${name}, and the server knows each by its name alone: rename one of the two`;
    if (files.has(file)) findings.push([item, { code: 'conflict', path: 'metadata.name', message }]);
    files.set(file, documentOf(item));
  }
  const namespaces = [...new Set(sources.map(({ identity }) => identity.namespace))].filter(
    (name) => name !== '',
  );
  const namespace = config.namespace ?? namespaces[0];
  if (config.namespace === undefined && namespaces.length > 1) {
    const message = `the users and collections are in ${namespaces.join(' and ')}: write serverConfiguration.namespace into the function's configuration`;
    findings.push([first, { code: 'conflict', path: 'metadata.namespace', message }]);
  }
  const size = [...files].reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  if (size > MOST_BYTES) {
    const message = `all users and collections together have ${size} bytes, and a ConfigMap may have ${MOST_BYTES}: install deploy/crds and let the server read them from the cluster`;
    findings.push([first, { code: 'unsupported', message }]);
  }
  const object: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: config.configMapName,
      ...(namespace && { namespace }),
      labels: {
        'app.kubernetes.io/name': 'backup-repository',
        'app.kubernetes.io/component': 'configuration',
        'app.kubernetes.io/managed-by': 'expand-backups',
      },
      // A file name of a collection holds ${version}.
      annotations: NO_SUBSTITUTION,
    },
    data: Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const owner = ownerOf(SERVER_OWNER, namespace, config.configMapName);
  const source = standIn(first, namespace, config.configMapName);
  return { generated: [{ owner, source, objects: [asJson(object)] }], findings };
}

/** The source as the server needs it: annotations are for others, and change on their way through the tools. */
function documentOf(item: Item): string {
  const { spec } = item.value();
  const { kind, name } = item.identity;
  return emitYaml({ apiVersion: SERVER_API_VERSION, kind, metadata: { name }, spec: spec ?? {} }, 0);
}

/** What the ConfigMap's file is named and placed by: its own name, in the folder of the first source. */
function standIn(first: Item, namespace: string | undefined, name: string): Item {
  const { path } = filePlace(first);
  const inPackage = first.annotations[PACKAGE];
  const annotations = {
    ...(path !== undefined && { 'internal.config.kubernetes.io/path': path }),
    ...(inPackage !== undefined && { [PACKAGE]: inPackage }),
  };
  const metadata = { name, ...(namespace && { namespace }), annotations };
  return Item.fromValue({ apiVersion: API_VERSION, kind: SERVER_OWNER, metadata }, -1);
}

/** Passwords that stand in a BackupUser. A ConfigMap is no place for them, and one in clear text does not get there. */
export function checkPasswords({ spec }: BackupUser): Problem[] {
  const keys = (spec.accessKeys ?? []).map(
    ({ password }, index) => [`spec.accessKeys[${index}].password`, password] as const,
  );
  return [['spec.password', spec.password] as const, ...keys].flatMap(([path, password]): Problem[] => {
    if (!password) return [];
    const instead = `keep it in a Secret that the server mounts, and name that in ${path}FromRef`;
    if (isSopsEncrypted(password))
      return [
        {
          code: 'invalid-value',
          path,
          message: `is encrypted with SOPS, which nobody decrypts in a ConfigMap: ${instead}`,
        },
      ];
    if (!isHash(password)) {
      const message =
        'is not an encoded password, and would stand in a ConfigMap in clear text: make one with `backup-repository encode-password`';
      return [{ code: 'invalid-value', path, message }];
    }
    const message = `a password's hash in a ConfigMap, where whoever reads it can try out passwords: ${instead}`;
    return [{ code: 'plaintext-secret', path, message }];
  });
}

/** `$argon2id$`, or its base64, as the server's own command prints it. */
function isHash(text: string): boolean {
  return /^(\$argon2|JGFyZ29u)/.test(text.trim());
}
