/** What all worlds have in common: servers, the model beside them, and how they are brought back to their feet. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/free-port.ts';
import { call } from '../../test/server/http/client.ts';
import { ACCOUNTS, PASSWORD } from '../../test/server/http/documents.ts';
import { documents, POLICIES } from '../collections.ts';
import { Model } from '../model.ts';
import type { Server, Start } from '../play/server.ts';
import type { WorldName } from '../scenario.ts';

export const JWT_KEY = 'a key of the torture, long enough to be one';
/** Of transfers in which nothing moves; a half open line is noticed after so long. */
export const IDLE_MS = 2000;

export interface World {
  readonly name: WorldName;
  readonly servers: readonly Server[];
  readonly model: Model;
  /** Of an administrator; good for a hundred years. */
  readonly token: string;
  /** How long a collection may be locked after its uploader has died. */
  readonly lockedMs: number;
  /** Makes sure that everything runs and nothing is in the way. @returns faults */
  recover(): Promise<string[]>;
  /** Objects in the storage, of whatever there is a row or not. */
  objects(): Promise<number>;
  /** What interrupted uploads have left. */
  temporary(): Promise<string[]>;
  stop(): Promise<string[]>;
}

/** A folder for a server, with the configuration in it. */
export function serverFolder(under: string, name: string): string {
  const folder = mkdtempSync(join(under, `${name}-`));
  mkdirSync(join(folder, 'config'));
  const yaml = [...ACCOUNTS, ...documents()].map((document) => JSON.stringify(document)).join('\n---\n');
  writeFileSync(join(folder, 'config/all.yaml'), yaml, { mode: 0o600 });
  return folder;
}

/** The program as it is shipped, with SQLite. */
export async function programStart(
  program: string,
  folder: string,
  flags: readonly string[],
): Promise<Start> {
  // Nobody is given it by the system while the server is down.
  const port = await freePort();
  const limits = ['--rate-default-limit', '800', '--rate-auth-limit', '600'];
  const args = [
    ...[program, 'serve', '--config-local-path', join(folder, 'config'), '--provider', 'filesystem'],
    ...['--listen', `127.0.0.1:${port}`, '--log-level', 'warn', '--precise-statuses', ...limits],
    ...['--rate-server-health-limit', '0', '--hang-up-grace', '0s'],
    ...['upload-idle', 'idle'].flatMap((what) => [`--${what}-timeout`, `${IDLE_MS / 1000}s`]),
    ...['--token-lifetime', '876000h', '--shutdown-timeout', '3s', ...flags],
  ];
  return { args, env: { BR_JWT_SECRET_KEY: JWT_KEY }, port, folder };
}

export function newModel(): Model {
  return new Model(POLICIES);
}

export async function login({ url }: Server): Promise<string> {
  const answer = await call('POST', `${url}/api/stable/auth/login`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: PASSWORD }),
  });
  if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.bytes}`);
  return (answer.json as { data: { token: string } }).data.token;
}

/** Starts what is down. @returns a fault then: whoever ends a server in a round also starts it again */
export async function revive(server: Server): Promise<string[]> {
  if (server.alive) return [];
  const fault = `the server ended by itself:\n${server.output.slice(-3000)}`;
  await server.start();
  return [fault];
}
