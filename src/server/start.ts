/** Starts a whole server from its options, and stops it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { UserError } from '../api/problem.ts';
import { createTokens, explainWeakKey } from './access/token.ts';
import { type Bootstrapped, bootstrap } from './configuration/bootstrap.ts';
import type { ConfigurationProvider } from './configuration/configuration.ts';
import { FilesystemProvider } from './configuration/filesystem.ts';
import { expandHome } from './configuration/folder.ts';
import { reportProblems } from './configuration/report.ts';
import { type EngineOptions, type Engines, openEngines, tokenKey } from './engines.ts';
import { buildServer } from './http/server.ts';
import { DEFAULT_SETTINGS, type Settings } from './http/settings.ts';

export interface ServerOptions extends EngineOptions {
  provider: 'filesystem' | 'kubernetes';
  /** Configuration folder of the file system provider. */
  configPath: string;
  namespace: string;
  /** Folder of mounted Secrets, see `FilesystemOptions`. */
  secretsPath?: string | undefined;
  listen: { host: string; port: number };
  /** Address under which clients reach the server, for commands to print. Default: this machine and the port. */
  url?: string | undefined;
  jwtKey?: string | undefined;
  tokenLifetimeMs?: number | undefined;
  settings: Partial<Settings>;
  log: { level: string; stream?: { write(line: string): void } };
}

export interface Running {
  server: FastifyInstance;
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  address: string;
  /** What the very first start made; undefined at every other. */
  bootstrapped: Bootstrapped | undefined;
  /** Stops gracefully; resolves once everything is closed. */
  close(): Promise<void>;
}

/** @throws {UserError} for options that cannot work, `MetadataUnavailable` and `StorageError` if an engine does not answer. */
export async function startServer(options: ServerOptions): Promise<Running> {
  const bootstrapped = await firstStart(options);
  const configuration = await openConfiguration(options);
  await configuration.start();
  let engines: Engines | undefined;
  let stopReporting = () => {};
  try {
    const key = await tokenKey(options.jwtKey, options);
    engines = await openEngines(options);
    await engines.storage.check(
      options.settings.storageHealthTimeoutMs ?? DEFAULT_SETTINGS.storageHealthTimeoutMs,
    );
    const { metadata, storage, alone } = engines;
    const server = await buildServer({
      configuration,
      metadata,
      storage,
      alone,
      tokens: createTokens({ key, ...(options.tokenLifetimeMs && { lifetimeMs: options.tokenLifetimeMs }) }),
      settings: options.settings,
      log: options.log,
    });
    const weak = explainWeakKey(key);
    if (weak) server.log.warn(weak);
    stopReporting = reportProblems(configuration, server.log);
    const address = await listen(server, options);
    const opened = engines;
    return {
      server,
      address,
      bootstrapped,
      close: async () => {
        await server.close();
        stopReporting();
        await configuration.stop();
        await opened.close();
      },
    };
  } catch (error) {
    stopReporting();
    await configuration.stop();
    await engines?.close();
    throw error;
  }
}

/** Writes a first configuration if there is none at all; undefined if there is one. */
export async function firstStart({
  provider,
  configPath,
  namespace,
  url,
  listen,
}: ServerOptions): Promise<Bootstrapped | undefined> {
  if (provider !== 'filesystem') return undefined;
  return bootstrap({ path: configPath, namespace, url: url ?? `http://localhost:${listen.port}` });
}

/** What to tell the operator after the first start. Holds passwords: for a terminal, or a file of its owner. */
export function describeFirstStart(made: Bootstrapped): string {
  return [
    `This is the first start: wrote ${made.file} with an administrator and a collection.`,
    '',
    `  administrator       ${made.adminName}`,
    `  password            ${made.adminPassword}`,
    `  collection          ${made.collectionId}`,
    `  upload access key   ${made.uploaderName}`,
    `  password            ${made.uploaderPassword}`,
    '',
    'Keep the passwords: they are not stored in clear text, and not shown again. To log in:',
    '',
    `  ${made.loginCommand}`,
    '',
    'The first backup:',
    '',
    ...[...made.uploaderCommands, ...made.backupCommands].map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** Keeps that text in a file of its owner, where standard output is a log. Returns the file. */
export async function keepFirstStart(
  made: Bootstrapped,
  { configPath }: Pick<ServerOptions, 'configPath'>,
): Promise<string> {
  const folder = expandHome(configPath);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'first-login.txt');
  await writeFile(file, describeFirstStart(made), { mode: 0o600 });
  return file;
}

async function openConfiguration(options: ServerOptions): Promise<ConfigurationProvider> {
  const { provider, configPath, namespace, secretsPath } = options;
  if (provider === 'filesystem') {
    return new FilesystemProvider({ path: configPath, namespace, ...(secretsPath && { secretsPath }) });
  }
  // Only here: the client library takes longer to load than the rest of the server.
  const { KubernetesProvider } = await import('./configuration/kubernetes.ts');
  return new KubernetesProvider({ namespace });
}

async function listen(server: FastifyInstance, { listen: { host, port } }: ServerOptions): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    await server.close();
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    throw new UserError(
      {
        code: 'invalid-value',
        message: `cannot listen on ${host}:${port} (${code}): choose another address with --listen`,
      },
      { cause: error },
    );
  }
}
