/** Peers: where they are, which versions they are, and which could not be had. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface Tool {
  name: string;
  version: string;
}

export const root = join(import.meta.dirname, '../..');

/** Ours first, so that the pinned versions take part wherever others are installed too. */
export const toolPath = [
  join(root, '.tools/bin'),
  join(root, 'node_modules/.bin'),
  process.env.PATH ?? '',
  join(homedir(), 'go/bin'),
].join(delimiter);

/** Absolute path of a program, or undefined if it cannot be had. */
export function findProgram(name: string): string | undefined {
  for (const folder of toolPath.split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there, or not for us.
    }
  }
  return undefined;
}

const VERSION_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  helm: ['version', '--short'],
  kustomize: ['version'],
  restic: ['version'],
};

/** The programs that are there, with what they say of themselves, and the names of those that are not. */
export function findTools(names: readonly string[]): { tools: Tool[]; missing: string[] } {
  const tools: Tool[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const path = findProgram(name);
    if (!path) missing.push(name);
    else tools.push({ name, version: versionOf(path, VERSION_ARGUMENTS[name] ?? ['--version']) });
  }
  return { tools, missing };
}

function versionOf(path: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(path, args, {
    encoding: 'utf8',
    env: { ...process.env, GOMAXPROCS: '1' },
  });
  // The first line alone: others are of what it was built with.
  const [first = ''] = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n');
  return /\d+\.\d+[.\d]*|DEVELOPMENT\S*/.exec(first)?.[0] ?? 'of unknown version';
}

/** "helm 4.3.2, kopia 0.22.3". */
export function toolsText(tools: readonly Tool[]): string {
  return tools.map(({ name, version }) => `${name} ${version}`).join(', ');
}
