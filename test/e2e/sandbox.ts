/** What the tests with real tools share: private folders, processes with the function on their PATH, YAML documents. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';

export const root = join(import.meta.dirname, '../..');

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A private folder with these files, by path; removed at the end. */
export function folderWith(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'backup-maker-'));
  folders.push(folder);
  write(folder, files);
  return folder;
}

export function write(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A copy of a folder of the repository. */
export function copyOf(path: string): string {
  const folder = folderWith();
  cpSync(join(root, path), folder, { recursive: true });
  return folder;
}

/** Every file of a folder except Git's own, by path. */
export function filesOf(folder: string): Record<string, string> {
  const paths = globSync('**', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('.git/'));
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** A folder in which the bundle has the name that users give it. */
export const programs = folderWith();
symlinkSync(join(root, 'dist/expand-backups.cjs'), join(programs, 'expand-backups'));

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  input?: string;
  env?: Record<string, string>;
  /** Folders in front of the PATH; by default the one with the function. Empty: no function, not even an installed one. */
  path?: readonly string[];
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Ran {
  const { cwd, input = '', env, path = [programs] } = options;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...(cwd !== undefined && { cwd }),
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env, PATH: [...path, ...machinePath(path.length === 0)].join(delimiter) },
  });
  if (error) throw error;
  return { code: status ?? -1, stdout, stderr };
}

function machinePath(withoutFunction: boolean): string[] {
  const path = (process.env.PATH ?? '').split(delimiter);
  return withoutFunction ? path.filter((folder) => !existsSync(join(folder, 'expand-backups'))) : path;
}

/** Runs a program that must succeed; returns what it printed. */
export function succeed(program: string, args: readonly string[], options: RunOptions = {}): string {
  const { code, stdout, stderr } = run(program, args, options);
  assert.is(code, 0, `${program} ${args.join(' ')} exited ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Runs Git on its own terms, whatever this machine's configuration says. */
export function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'core.abbrev=7'];
  return succeed('git', [...identity, ...args], {
    cwd: folder,
    env: { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
  });
}

/** Records what a folder holds, so that {@link changesIn} can tell what came after. */
export function remember(folder: string): void {
  git(folder, 'init', '--quiet', '--initial-branch=main');
  git(folder, 'add', '--all', '--force');
  git(folder, 'commit', '--quiet', '--allow-empty', '--message=before');
}

/** The difference to what {@link remember} recorded last; empty if there is none. */
export function changesIn(folder: string): string {
  git(folder, 'add', '--all', '--force');
  return git(folder, 'diff', '--cached', '--no-color', '--no-ext-diff', '--no-renames');
}

/** A Kubernetes object, as loosely as a test may look at one. */
// biome-ignore lint/suspicious/noExplicitAny: assertions fail on what is not there
export type Manifest = Record<string, any>;

export function documents(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => document.toJS());
}

/** `Kind namespace/name` of every object, sorted. */
export function names(objects: readonly Manifest[]): string[] {
  return objects
    .map(
      ({ kind, metadata }) => `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`,
    )
    .sort();
}

/** The only object of a kind whose name begins so. */
export function only(objects: readonly Manifest[], kind: string, name = ''): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.startsWith(name));
  assert.is(found.length, 1, `${found.length} of ${kind} ${name} among ${names(objects).join(', ')}`);
  return found[0] as Manifest;
}

/** The pod that a CronJob or Job starts. */
export function podOf(object: Manifest): Manifest {
  return (object.spec.jobTemplate ?? object).spec.template.spec;
}

/** Names of Secrets, ConfigMaps, claims and the account that a pod refers to, each sorted. */
export function referencesOf(pod: Manifest): Record<string, string[]> {
  const containers: Manifest[] = [...(pod.initContainers ?? []), ...pod.containers];
  const volumes: Manifest[] = pod.volumes ?? [];
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const sorted = (values: (string | undefined)[]) =>
    [...new Set(values.filter((value) => value !== undefined))].sort();
  return {
    env: sorted(
      containers.flatMap(({ env }) => env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ),
    projected: sorted(sources.map(({ secret }) => secret?.name)),
    configMaps: sorted(volumes.map(({ configMap }) => configMap?.name)),
    claims: sorted(volumes.map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName)),
    imagePullSecrets: sorted((pod.imagePullSecrets ?? []).map(({ name }: Manifest) => name)),
    serviceAccount: sorted([pod.serviceAccountName]),
  };
}

/** Objects in an order and with keys in an order that do not matter, for comparing what two tools printed. */
export function canonical(objects: readonly Manifest[]): Manifest[] {
  const key = ({ kind, metadata }: Manifest) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
