/** `kustomize build` of one package: with us, with `cat` in our place, and without any function. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../shared/measure.ts';
import { resources } from './input.ts';

const ROLES: Readonly<Record<string, NonNullable<Command['role']>>> = {
  'expand-backups': 'ours',
  'Go function': 'peer',
};

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
    const role = ROLES[name] ?? 'reference';
    return { name, run: [kustomize, 'build', '--enable-alpha-plugins', '--enable-exec', '.'], cwd, role };
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
