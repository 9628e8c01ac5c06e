/**
 * The procedures' scripts, as a pod would run them: another user, a private /tmp, nothing in the environment but the
 * parameters.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { asUser, check, find, folder, killGroup, path, podUser, root, running } from './machine.ts';

export type Shell = 'dash' | 'busybox';
export const shells: Shell[] = ['dash', 'busybox'];

let busyboxApplets = '';

/** Folder with the applets of busybox, as in an Alpine image, where there are no others. */
export function applets(): string {
  if (busyboxApplets === '') {
    busyboxApplets = folder();
    const busybox = find('busybox') as string;
    for (const name of check(busybox, ['--list']).split('\n').filter(Boolean)) {
      symlinkSync(busybox, join(busyboxApplets, name));
    }
    check('chmod', ['0755', busyboxApplets]);
  }
  return busyboxApplets;
}

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
  /** Command lines seen while it ran that held one of the secrets. */
  leaks: string[];
  /** What was left in the private /tmp. */
  leftovers: string[];
}

export interface Run {
  procedure: string;
  operation: 'backup' | 'restore';
  params: Record<string, string>;
  input?: Buffer;
  shell?: Shell;
  /** Folders instead of the machine's PATH. */
  programs?: string[];
  /** Who runs it; a user without a name when not given. */
  user?: string | number;
  /** Called once `input` was written; standard input stays open until it returns. What it returns decides. */
  beforeEnd?: (child: ChildProcess) => Promise<'end' | 'kill'>;
}

/** Runs one script with the parameters and defaults of its procedure.yaml. */
export async function run(options: Run): Promise<Outcome> {
  const { procedure, operation, params, input, shell = 'dash' } = options;
  const { properties } = describe(procedure).parameters;
  const unknown = Object.keys(params).find((name) => !(name in properties));
  if (unknown !== undefined) throw new Error(`${procedure} has no parameter ${unknown}`);

  const tmp = folder(options.user ?? podUser);
  const env: Record<string, string> = { BM_OPERATION: operation, TMPDIR: tmp, HOME: tmp };
  const secrets: string[] = [];
  for (const [name, parameter] of Object.entries(properties)) {
    const value = params[name] ?? parameter.default;
    if (value !== undefined) env[parameter['x-env']] = value;
    if (value !== undefined && value !== '' && parameter['x-secret']) secrets.push(value);
  }
  env.PATH =
    options.programs?.join(delimiter) ?? (shell === 'busybox' ? [applets(), path].join(delimiter) : path);

  const script = join(root, 'procedures', procedure, `${operation}.sh`);
  const interpreter = shell === 'busybox' ? [find('busybox') as string, 'sh'] : ['/bin/dash'];
  const [command, ...args] = asUser(options.user ?? podUser, [...interpreter, script]);
  // A process group of its own, as the client makes one, so that all of it can be killed at once.
  const child = spawn(find(command as string) ?? (command as string), args, {
    env,
    cwd: '/',
    detached: true,
  });
  running.add(child);

  const leaks = new Set<string>();
  const sampler = setInterval(() => sample(secrets, leaks), 15);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk) => stdout.push(chunk));
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  if (input !== undefined && options.beforeEnd !== undefined) {
    await new Promise((resolve) => child.stdin.write(input, resolve));
    if ((await options.beforeEnd(child)) === 'kill') killGroup(child);
    else child.stdin.end();
  } else {
    child.stdin.end(input);
  }
  const [code, signal] = await ended;
  clearInterval(sampler);
  running.delete(child);
  const leftovers = signal === null ? globSync('**', { cwd: tmp }).filter((name) => name !== '.') : [];
  return { code, signal, stdout: Buffer.concat(stdout), stderr, leaks: [...leaks], leftovers };
}

/** Runs a script that must succeed, leave nothing behind and show no secret. */
export async function succeed(options: Run): Promise<Buffer> {
  const outcome = await run(options);
  const what = `${options.procedure} ${options.operation} (${options.shell ?? 'dash'})`;
  if (outcome.code !== 0)
    throw new Error(`${what} failed: ${outcome.code ?? outcome.signal}\n${outcome.stderr}`);
  if (outcome.leaks.length > 0) throw new Error(`${what} showed a secret: ${outcome.leaks.join('\n')}`);
  if (outcome.leftovers.length > 0) throw new Error(`${what} left ${outcome.leftovers.join(', ')}`);
  return outcome.stdout;
}

/** Runs a script that must fail by itself, leave nothing behind and show no secret, neither in its messages. */
export async function refuse(options: Run): Promise<Outcome> {
  const outcome = await run(options);
  const what = `${options.procedure} ${options.operation} (${options.shell ?? 'dash'})`;
  if (outcome.code === 0) throw new Error(`${what} succeeded, but must not\n${outcome.stderr}`);
  if (outcome.code === null) throw new Error(`${what} was ended by ${outcome.signal}`);
  if (outcome.leaks.length > 0) throw new Error(`${what} showed a secret: ${outcome.leaks.join('\n')}`);
  if (outcome.leftovers.length > 0) throw new Error(`${what} left ${outcome.leftovers.join(', ')}`);
  for (const name of ['password', 'uri']) {
    const secret = options.params[name];
    if (secret && outcome.stderr.includes(secret)) throw new Error(`${what} wrote the ${name} to its log`);
  }
  return outcome;
}

interface Description {
  parameters: { properties: Record<string, { default?: string; 'x-env': string; 'x-secret'?: true }> };
}

function describe(procedure: string): Description {
  return parse(readFileSync(join(root, 'procedures', procedure, 'procedure.yaml'), 'utf8')) as Description;
}

function sample(secrets: string[], leaks: Set<string>): void {
  for (const file of globSync('/proc/[0-9]*/cmdline')) {
    let line = '';
    try {
      line = readFileSync(file, 'utf8');
    } catch {
      continue; // the process has ended
    }
    if (secrets.some((secret) => line.includes(secret))) leaks.add(line.replaceAll('\0', ' '));
  }
}
