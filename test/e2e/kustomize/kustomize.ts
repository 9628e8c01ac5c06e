/** Real kustomize, the way users run it, and the pieces that their kustomizations are made of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  documents,
  folderWith,
  type Manifest,
  type Ran,
  type RunOptions,
  root,
  run,
  succeed,
} from '../sandbox.ts';

/** The flags without which kustomize does not run a program. */
export const FLAGS = ['--enable-alpha-plugins', '--enable-exec'];

/** How every kustomization begins. */
export const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';

/** Builds a folder and returns the objects. */
export function build(folder: string, path = '.'): Manifest[] {
  return documents(succeed('kustomize', ['build', ...FLAGS, path], { cwd: folder }));
}

/** Builds a folder, whatever comes of it. */
export function tryBuild(folder: string, flags: readonly string[] = FLAGS, options: RunOptions = {}): Ran {
  return run('kustomize', ['build', ...flags, '.'], { cwd: folder, ...options });
}

/** A folder with these files, and the real component in `component/`: kustomize refuses absolute paths. */
export function folderToBuild(files: Record<string, string>): string {
  const component = readFileSync(join(root, 'components/expand-backups/kustomization.yaml'), 'utf8');
  return folderWith({ 'component/kustomization.yaml': component, ...files });
}

/** A configuration object that asks kustomize to run the function; `spec` is indented by two. */
export function functionConfig(
  spec = ' {}',
  kind = 'apiVersion: riotkit.org/v1alpha1\nkind: ExpandBackups',
): string {
  return `${kind}
metadata:
  name: expand-backups
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: expand-backups
${kind.includes('ConfigMap') ? 'data' : 'spec'}:${spec}
`;
}
