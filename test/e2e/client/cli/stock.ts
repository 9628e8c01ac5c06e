/** Programs as a reader has them: a PATH of stock tools, with ours beside them or without. */
import { spawn } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as assert from 'uvu/assert';
import { folderWith, type Ran, root } from '../../sandbox.ts';

const USUAL = 'bash sh cat cp mv rm mkdir ls seq sed head tail tr wc cmp sleep env curl tar chmod';

/** A folder that holds nothing but links to these tools and, if asked for, to our programs. */
export function pathWith(tools: string, ours: readonly string[] = []): string {
  const folder = folderWith();
  for (const tool of [...USUAL.split(' '), ...tools.split(' ')]) {
    const found = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, tool)));
    if (found === undefined) throw new Error(`${tool} is not installed`);
    if (!existsSync(join(folder, tool))) symlinkSync(join(found, tool), join(folder, tool));
  }
  for (const name of ours) symlinkSync(join(root, `dist/${name}/${name}.mjs`), join(folder, name));
  // Our programs begin with `#!/usr/bin/env node`.
  if (ours.length > 0) symlinkSync(process.execPath, join(folder, 'node'));
  return folder;
}

/** Runs a program to its end, while the servers of this process go on. */
export async function start(
  program: string,
  args: readonly string[],
  { cwd, env, input = '' }: { cwd: string; env: NodeJS.ProcessEnv; input?: string | Buffer },
): Promise<Ran> {
  const child = spawn(program, args, { cwd, env, timeout: 600_000 });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** The same, for what must succeed. @returns what it printed */
export async function succeed(...args: Parameters<typeof start>): Promise<string> {
  const { code, stdout, stderr } = await start(...args);
  assert.is(code, 0, `${args[0]} ${args[1].join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}
