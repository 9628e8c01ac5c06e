/** Containers that stay: the databases and the server that pods of the tests talk to. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PATIENCE_MS } from '../../eventually.ts';
import { type Finished, podman, podmanInto, RUN_OPTIONS } from './podman.ts';

export interface ServiceRequest {
  /** Part of the container's name, and the name of its log. */
  name: string;
  image: string;
  /** The whole command; without one the image's own. */
  command?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** More arguments of `podman run`: mounts, users, rights. */
  options?: readonly string[];
  /** Whether it can be used now; what it throws means no. */
  ready: (service: Service) => Promise<unknown>;
}

export interface Service {
  /** What it printed so far, of both streams. */
  log(): string;
  /** Runs a program of the image in it, with variables besides its own. */
  exec(
    command: readonly string[],
    options?: { env?: Readonly<Record<string, string>>; input?: string; user?: string },
  ): Promise<Finished>;
  /** As Kubernetes would end it: SIGTERM first. Nothing is left of it; without an effect if it has ended before. */
  stop(): Promise<void>;
}

const services = new Map<string, () => string>();
const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  if (services.size > 0) spawnSync('podman', ['rm', '--force', '--time', '0', ...services.keys()]);
});

/** Starts a container and waits until it is ready. Rejects with its log if it ends before or takes too long. */
export async function startService(request: ServiceRequest): Promise<Service> {
  const { name, image, command = [], env = {}, options = [], ready } = request;
  const folder = mkdtempSync(join(tmpdir(), 'backup-maker-service-'));
  const id = folder.slice(tmpdir().length + 1).replace('service', `service-${name}`);
  folders.add(folder);
  const files = { stdout: join(folder, 'stdout'), stderr: join(folder, 'stderr') };
  const [entry, ...args] = command;
  const log = () => readFileSync(files.stdout, 'utf8') + readFileSync(files.stderr, 'utf8');
  services.set(id, log);
  let over = false;
  const ended = podmanInto(files, [
    'run',
    '--name',
    id,
    ...RUN_OPTIONS,
    ...Object.entries(env).map(([key, value]) => `--env=${key}=${value}`),
    ...options,
    ...(entry === undefined ? [] : [`--entrypoint=${JSON.stringify([entry])}`]),
    image,
    ...args,
  ]).finally(() => (over = true));
  let gone: Promise<void> | undefined;
  const remove = async () => {
    await podman(['stop', '--time', '3', id]);
    await ended;
    await podman(['rm', '--force', '--time', '0', id]);
    services.delete(id);
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  };
  const service: Service = {
    log,
    stop: () => (gone ??= remove()),
    exec: (words, { env: more = {}, input, user } = {}) =>
      podman(
        [
          'exec',
          ...(input === undefined ? [] : ['--interactive']),
          ...(user === undefined ? [] : [`--user=${user}`]),
          ...Object.entries(more).map(([key, value]) => `--env=${key}=${value}`),
          id,
          ...words,
        ],
        input,
      ),
  };
  const deadline = Date.now() + 3 * PATIENCE_MS;
  for (;;) {
    try {
      await ready(service);
      return service;
    } catch (error) {
      if (over || Date.now() > deadline) {
        const printed = log().split('\n').slice(-30).join('\n');
        await service.stop();
        throw new Error(
          `${name} did not start: ${error instanceof Error ? error.message : error}\n${printed}`,
        );
      }
      await sleep(150);
    }
  }
}

/** Writes what each service that is there now has printed into a folder, which is made. */
export function keepServiceLogs(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [id, log] of services) writeFileSync(join(folder, `${id}.log`), log());
}

/** What a program of a service printed; throws with its words if it failed. */
export async function output(service: Service, ...rest: Parameters<Service['exec']>): Promise<string> {
  const { code, stdout, stderr } = await service.exec(...rest);
  if (code !== 0) throw new Error(`${rest[0].join(' ')} exited ${code}: ${stderr}${stdout}`);
  return stdout;
}
