/** What the real function makes of the examples and the fixtures: the objects that a GitOps tool would apply. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { goodCases, inputOf, objectsOf, resourceList } from '../../resource-lists.ts';
import { EXAMPLES, expectationOf } from '../kpt/example.ts';
import { FLAGS } from '../kustomize/kustomize.ts';
import { documents, type Manifest, root, succeed } from '../sandbox.ts';

/** Kinds of other projects in the fixtures, which this API server does not know; and what SOPS has not yet decrypted. */
export const FOREIGN_KINDS: readonly string[] = [
  'Secret with sops',
  'ExternalSecret.external-secrets.io',
  'ExternalSecret.kubernetes-client.io',
  'ScheduledBackup.postgresql.cnpg.io',
  'SealedSecret.bitnami.com',
  'Service.serving.knative.dev',
];

export interface Package {
  /** Of the fixture or the example. */
  name: string;
  /** All that is to be deployed, in namespaces that no other package uses. */
  objects: Manifest[];
  /** Kinds that were left out. */
  foreign: string[];
}

let packages: Package[] | undefined;

/** All examples and fixtures, rendered. */
export function allPackages(): Package[] {
  packages ??= [
    ...readdirSync(join(root, EXAMPLES)).map((name) => packageOf(name, buildExample(name))),
    ...goodCases().map((fixture) => packageOf(fixture.name, expandList(inputOf(fixture)))),
  ];
  return packages;
}

/** What the function makes of these sources, in one namespace. */
export function render(sources: readonly string[], namespace: string, config?: string): Manifest[] {
  const objects = deployable(expandList(resourceList(sources, config)));
  return objects.map((object) => inNamespace(object, namespace));
}

/** Whether the function made it. */
export function isGenerated({ metadata }: Manifest): boolean {
  return metadata.annotations?.['riotkit.org/generated-by'] !== undefined;
}

/** `Kind name` of each, sorted. */
export function kindsAndNames(objects: readonly Manifest[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
}

function buildExample(name: string): Manifest[] {
  const path = join(root, EXAMPLES, name, expectationOf(name).path ?? '.');
  return documents(succeed('kustomize', ['build', ...FLAGS, path]));
}

function expandList(list: string): Manifest[] {
  return objectsOf(succeed('expand-backups', [], { input: list }));
}

function packageOf(name: string, objects: readonly Manifest[]): Package {
  const mine = (namespace: string | undefined) => (namespace === undefined ? name : `${name}-${namespace}`);
  const all = deployable(objects);
  return {
    name,
    objects: all
      .filter((object) => !FOREIGN_KINDS.includes(kindOf(object)))
      .map((object) => inNamespace(object, mine(object.metadata.namespace)))
      .map((object) => withSubjects(object, mine)),
    foreign: all.map(kindOf).filter((kind) => FOREIGN_KINDS.includes(kind)),
  };
}

/** Without what is configuration of the tools only, which no tool applies. */
function deployable(objects: readonly Manifest[]): Manifest[] {
  return objects.filter(
    ({ metadata }) => metadata.annotations?.['config.kubernetes.io/local-config'] !== 'true',
  );
}

function inNamespace(object: Manifest, namespace: string): Manifest {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** A RoleBinding names the namespaces of the accounts that it is for. */
function withSubjects(object: Manifest, mine: (namespace: string | undefined) => string): Manifest {
  if (object.kind !== 'RoleBinding') return object;
  const subjects = object.subjects.map((subject: Manifest) => ({
    ...subject,
    namespace: mine(subject.namespace),
  }));
  return { ...object, subjects };
}

/** `Kind.group`, in any version. */
function kindOf({ apiVersion, kind, sops }: Manifest): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
  return `${kind}${group}${sops ? ' with sops' : ''}`;
}
