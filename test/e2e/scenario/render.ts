/** A package as a user keeps it in Git, rendered by the real function with the real tools. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { kptfile } from '../kpt/package.ts';
import { FLAGS, KUSTOMIZATION } from '../kustomize/kustomize.ts';
import {
  documents,
  filesOf,
  folderWith,
  git,
  type Manifest,
  programs,
  remember,
  root,
  write,
} from '../sandbox.ts';
import { yamlOf } from './objects.ts';

const execute = promisify(execFile);

export interface Package {
  /** Where it all goes. */
  namespace: string;
  /** Files and the objects in them. */
  files: Record<string, readonly Manifest[]>;
  with: 'kustomize' | 'kpt';
  /** Settings of the function. */
  config?: Manifest;
}

/** The objects that a GitOps tool would apply. What the tool prints to standard error is a failure's message only. */
export async function render(source: Package): Promise<Manifest[]> {
  const objects = source.with === 'kpt' ? await renderWithKpt(source) : await renderWithKustomize(source);
  return objects.filter(
    ({ metadata }) => metadata.annotations?.['config.kubernetes.io/local-config'] !== 'true',
  );
}

async function renderWithKustomize({ namespace, files, config }: Package): Promise<Manifest[]> {
  const component = readFileSync(join(root, 'components/expand-backups/kustomization.yaml'), 'utf8');
  const folder = folderWith({
    'component/kustomization.yaml': config
      ? component.replace('spec: {}', `spec: ${JSON.stringify(config)}`)
      : component,
    'kustomization.yaml': `${KUSTOMIZATION}namespace: ${namespace}\nresources: [${Object.keys(files).join(', ')}]\ncomponents: [component]\n`,
    ...textsOf(files),
  });
  return documents(await run('kustomize', ['build', ...FLAGS, '.'], folder));
}

/** In place, in a repository of Git, with the settings in a file as `functionConfig`. */
async function renderWithKpt({ namespace, files, config }: Package): Promise<Manifest[]> {
  const named = Object.entries(files).map(([name, objects]) => [
    name,
    objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } })),
  ]);
  const folder = folderWith({
    Kptfile: kptfile(
      `  mutators:\n    - exec: expand-backups\n${config ? '      configPath: function.yaml\n' : ''}`,
    ),
    ...textsOf(Object.fromEntries(named)),
  });
  if (config) {
    const annotations = { 'config.kubernetes.io/local-config': 'true' };
    const object = {
      apiVersion: 'riotkit.org/v1alpha1',
      kind: 'ExpandBackups',
      metadata: { name: 'expand-backups', annotations },
      spec: config,
    };
    write(folder, { 'function.yaml': yamlOf([object]) });
  }
  remember(folder);
  await run('kpt', ['fn', 'render', '--allow-exec', '--truncate-output=false', folder], folder);
  git(folder, 'add', '--all');
  const rendered = filesOf(folder);
  return Object.entries(rendered)
    .filter(([path]) => path.endsWith('.yaml'))
    .flatMap(([, text]) => documents(text));
}

function textsOf(files: Package['files']): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, objects]) => [name, yamlOf(objects)]));
}

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, PATH: [programs, process.env.PATH].join(delimiter) };
  const { stdout } = await execute(program, [...args], { cwd, env, maxBuffer: 1 << 26 });
  return stdout;
}
