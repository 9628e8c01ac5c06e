/**
 * The second half of the demo: a backup and a restore that really happen, with what the function renders for `fixtures/demo`. The
 * rendered containers' commands, arguments, variables and scripts run here as they would in a pod; only the places that a pod
 * mounts are folders of a temporary one.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';

const root = join(import.meta.dirname, '..');
const sources = join(root, 'fixtures/demo');
const CLIENT = [process.execPath, join(root, 'src/cli/backup-maker.ts')];
const SERVER = [process.execPath, join(root, 'src/cli/backup-repository.ts')];

interface Container {
  command: string[];
  args: string[];
  env: { name: string; value?: string; valueFrom?: { secretKeyRef?: { key: string }; fieldRef?: object } }[];
}

interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec?: { template?: Template; jobTemplate?: { spec: { template: Template } } };
}

interface Template {
  spec: { containers: Container[] };
}

export interface Loop {
  /** A folder that the caller removes. */
  folder: string;
  /** Makes manifests of sources, as kustomize or kpt would. */
  render(sources: readonly string[]): string;
  say(line: string): void;
}

/** Why the loop cannot run on this machine; undefined if it can. */
export function explainMissing(): string | undefined {
  const { stdout } = spawnSync('tar', ['--version'], { encoding: 'utf8' });
  if (!stdout?.includes('GNU tar')) return 'GNU tar, which the pods have, is not installed here';
  return spawnSync('sh', ['-c', 'true']).status === 0 ? undefined : 'there is no shell here';
}

/** @throws if anything is not as it should be. */
export async function runLoop({ folder, render, say }: Loop): Promise<void> {
  const at = (name: string) => join(folder, name);
  for (const name of ['files', 'secrets', 'scratch', 'server']) mkdirSync(at(name));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const password = randomBytes(16).toString('base64url');

  say('1. A key pair. The private key stays with those who may restore.');
  await run([...CLIENT, 'keygen', '--out', at('secrets/identity')]);
  const recipient = readFileSync(at('secrets/identity.pub'), 'utf8').trim();
  rmSync(at('secrets/identity.pub'));
  say(`   ${recipient}`);

  say(`2. The server, on nothing but a folder: ${url}`);
  const encoded = (await run([...SERVER, 'encode-password'], { input: password })).trim();
  writeFileSync(at('server/shop.yaml'), source('server.yaml').replace('PASSWORD', encoded));
  const server = await startServer(at('server'), port, url);
  try {
    const backup = source('backup.yaml').replace('RECIPIENT', recipient).replace('SERVER', url);
    const pod = podsOf(folder, password);

    say('3. The files, and the backup that the rendered CronJob makes of them');
    writeFiles(at('files'));
    const before = digests(at('files'));
    await pod(render([backup]), 'CronJob');
    const [stored = ''] = readdirSync(at('server/data/objects/shop-uploads'));
    const object = readFileSync(join(at('server/data/objects/shop-uploads'), stored));
    say(`   ${before.size} files went in; the server holds ${object.length} bytes, and they begin with`);
    say(`   ${JSON.stringify(object.subarray(0, 21).toString('latin1'))}: it cannot read them`);

    say('4. Disaster: all files are gone');
    for (const name of readdirSync(at('files'))) rmSync(join(at('files'), name), { recursive: true });

    say('5. A RequestedBackupAction in Git: its Job restores');
    const restore = render([backup, source('restore.yaml')]);
    await pod(restore, 'Job');
    compare(before, digests(at('files')));
    say(`   all ${before.size} files are back, and each has the SHA-256 that it had`);

    say('6. The same Job again, as a GitOps tool may create it: the ledger knows that it was done');
    writeFileSync(join(at('files'), 'new.txt'), 'written after the restore\n');
    await pod(restore, 'Job');
    if (!existsSync(join(at('files'), 'new.txt'))) throw new Error('the second run restored once more');
    say('   nothing was touched');
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
}

function source(name: string): string {
  return readFileSync(join(sources, name), 'utf8');
}

async function startServer(folder: string, port: number, url: string): Promise<ChildProcess> {
  const env = {
    ...process.env,
    BR_CONFIG_PROVIDER: 'filesystem',
    BR_CONFIG_LOCAL_PATH: folder,
    BR_LISTEN: `127.0.0.1:${port}`,
    BR_LOG_LEVEL: 'warn',
  };
  const child = start([...SERVER, 'serve'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    if (
      await fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return child;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error('the server did not start');
}

/** Runs the container of a rendered manifest, with what a pod would mount in folders of ours. */
function podsOf(
  folder: string,
  password: string,
): (rendered: string, kind: 'CronJob' | 'Job') => Promise<void> {
  const places: Readonly<Record<string, string>> = {
    '/etc/backup-maker': join(folder, 'scripts'),
    '/mnt/secrets': join(folder, 'secrets'),
    '/data': join(folder, 'files'),
    '/tmp': join(folder, 'scratch'),
  };
  const mounted = new RegExp(`(?<![^ ])(${Object.keys(places).join('|')})(?=/|$)`, 'g');
  const here = (text: string) => text.replace(mounted, (place) => places[place] ?? place);
  const secrets: Readonly<Record<string, string>> = { username: 'shop$uploads', password };
  return async (rendered, kind) => {
    const manifests = parseAllDocuments(rendered).map((document) => document.toJS() as Manifest | null);
    const found = manifests.find((manifest) => manifest?.kind === kind);
    const template = found?.spec?.template ?? found?.spec?.jobTemplate?.spec.template;
    const [container] = template?.spec.containers ?? [];
    if (!container) throw new Error(`nothing of kind ${kind} was rendered`);
    const operation = kind === 'CronJob' ? 'backup' : 'restore';
    const scripts = manifests.find((manifest) => manifest?.metadata.name === `uploads-${operation}`)?.data;
    rmSync(join(folder, 'scripts'), { recursive: true, force: true });
    mkdirSync(join(folder, 'scripts'));
    for (const [name, text] of Object.entries(scripts ?? {}))
      writeFileSync(join(folder, 'scripts', name), text);
    const env: NodeJS.ProcessEnv = { PATH: process.env.PATH };
    for (const { name, value, valueFrom } of container.env) {
      const key = valueFrom?.secretKeyRef?.key;
      env[name] = key !== undefined ? secrets[key] : valueFrom ? 'shop' : here(value ?? '');
    }
    await run([...CLIENT, ...container.args.map(here)], { env, show: true });
  };
}

/** What is running, so that it ends with us, whatever ends us. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function start(words: readonly string[], options: SpawnOptions): ChildProcess {
  const [program = '', ...args] = words;
  const child = spawn(program, args, options);
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

async function run(
  words: readonly string[],
  { input = '', env, show }: { input?: string; env?: NodeJS.ProcessEnv; show?: boolean } = {},
): Promise<string> {
  const child = start(words, { ...(env && { env }), stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  child.stdin?.on('error', () => {}).end(input);
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`exit status ${status}: ${words.slice(2).join(' ')}\n${said.stderr}`);
  if (show) process.stdout.write(said.stderr.replace(/^/gm, '   ').trimEnd().concat('\n'));
  return said.stdout;
}

/** Text, random bytes, folders, an empty file and a name with a space. */
function writeFiles(folder: string): void {
  for (let number = 1; number <= 40; number++) {
    const year = join(folder, `20${10 + (number % 5)}`);
    mkdirSync(year, { recursive: true });
    writeFileSync(join(year, `invoice ${number}.txt`), `invoice ${number}\n`.repeat(number * 50));
    writeFileSync(join(year, `photo-${number}.jpg`), randomBytes(64 * 1024));
  }
  writeFileSync(join(folder, 'empty'), '');
}

function digests(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path, createHash('sha256').update(readFileSync(path)).digest('hex'));
  }
  return found;
}

function compare(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const wrong = [...before].filter(([path, digest]) => after.get(path) !== digest).map(([path]) => path);
  if (wrong.length > 0 || after.size !== before.size)
    throw new Error(`not as before: ${wrong.join(', ')}; ${after.size} files instead of ${before.size}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
