/** `kustomize build` of one package: with us, with `cat` in our place, and without any function. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { resources } from './input.ts';
import type { Command } from './measure.ts';

/** The program and its version, wherever it is installed. */
export function findKustomize(root: string): { path: string; version: string } | undefined {
  const places = [join(root, '.tools/bin/kustomize'), 'kustomize', join(homedir(), 'go/bin/kustomize')];
  for (const path of places) {
    if (path.includes('/') && !existsSync(path)) continue;
    const { status, stdout } = spawnSync(path, ['version'], { encoding: 'utf8' });
    if (status === 0) return { path, version: stdout.trim() };
  }
  return undefined;
}

/** Writes the packages into a folder and returns the builds of them. */
export function builds(
  kustomize: string,
  folder: string,
  programs: Readonly<Record<string, string>>,
): Command[] {
  const text = resources(100, 900).join('---\n');
  return [['no function', undefined] as const, ...Object.entries(programs)].map(([name, program]) => {
    const cwd = join(folder, name.replaceAll(' ', '-'));
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, 'resources.yaml'), text);
    const transformers = program === undefined ? '' : 'transformers: [function.yaml]\n';
    writeFileSync(join(cwd, 'kustomization.yaml'), `resources: [resources.yaml]\n${transformers}`);
    if (program !== undefined) writeFileSync(join(cwd, 'function.yaml'), functionOf(program));
    return { name, run: [kustomize, 'build', '--enable-alpha-plugins', '--enable-exec', '.'], cwd };
  });
}

function functionOf(program: string): string {
  return `apiVersion: riotkit.org/v1alpha1
kind: ExpandBackups
metadata:
  name: expand-backups
  annotations:
    config.kubernetes.io/function: |
      exec:
        path: ${program}
spec: {}
`;
}
