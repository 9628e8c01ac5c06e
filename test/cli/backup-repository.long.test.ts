import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addServerFlags, readVariables } from '../../src/cli/repository-flags.ts';
import { type RepositoryFlags, serverOptions } from '../../src/cli/repository-options.ts';
import { EXIT, runRepository } from '../../src/cli/repository-program.ts';
import { verifyPassword } from '../../src/server/access/password.ts';
import { openMetadata } from '../../src/server/metadata/open-metadata.ts';
import { freePort } from '../free-port.ts';
import { call } from '../server/http/client.ts';
import { json } from '../server/http/world.ts';

const home = mkdtempSync(join(tmpdir(), 'backup-repository-cli-'));
const test = suite('backup-repository');
test.after(() => rmSync(home, { recursive: true, force: true }));

interface Run {
  exitCode: Promise<number>;
  out(): string;
  err(): string;
  /** Resolves when a server runs, and can be told to stop. */
  started: Promise<void>;
  stop(): void;
}

function run(
  args: readonly string[],
  { env = {}, input = '', isTTY = false }: { env?: NodeJS.ProcessEnv; input?: string; isTTY?: boolean } = {},
): Run {
  let out = '';
  let err = '';
  let stop = () => {};
  const { promise: started, resolve: starts } = Promise.withResolvers<void>();
  const exitCode = runRepository(args, {
    env,
    stdin: Readable.from([input]),
    stdout: { isTTY, write: (text) => (out = `${out}${text}`) },
    stderr: { write: (text) => (err = `${err}${text}`) },
    onSignal: (handler) => {
      stop = handler;
      starts();
    },
  });
  return { exitCode, out: () => out, err: () => err, started, stop: () => stop() };
}

async function finished(
  args: readonly string[],
  options?: Parameters<typeof run>[1],
): Promise<{ code: number; out: string; err: string }> {
  const running = run(args, options);
  return { code: await running.exitCode, out: running.out(), err: running.err() };
}

function options(args: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof serverOptions> {
  const command = addServerFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse([...args], { from: 'user' });
  readVariables(command, env);
  return serverOptions(command.opts<RepositoryFlags>(), env);
}

test('passwords and tokens: as sub-commands on standard output, as the original flags on standard error', async () => {
  const encoded = await finished(['encode-password'], { input: 'secret\n' });
  assert.is(encoded.code, EXIT.ok);
  assert.is(await verifyPassword(encoded.out.trim(), 'secret'), true);
  const original = await finished(['--encode-password', 'secret']);
  assert.is(original.out, '');
  assert.is(await verifyPassword(original.err.trim(), 'secret'), true);
  const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n';
  assert.equal(await finished(['hash-jwt', 'abc']), { code: 0, out: sha256, err: '' });
  assert.equal(await finished(['--hash-jwt', 'abc']), { code: 0, out: '', err: sha256 });
  assert.is((await finished(['encode-password'])).code, EXIT.failed);
});

test('options: the original flags and variables; flags win', () => {
  const plain = options([]);
  assert.equal(plain.listen, { host: '::', port: 8080 });
  assert.is(plain.provider, 'filesystem');
  assert.is(plain.database, undefined);
  assert.is(plain.dataPath, '~/.backup-repository/data');
  assert.equal(plain.settings.rateLimits, { default: 5, auth: 10, collectionHealth: 10, serverHealth: 160 });
  assert.is(plain.settings.uploadTimeoutMs, 180 * 60_000);
  assert.is(options([], { KUBERNETES_SERVICE_HOST: '10.0.0.1' }).provider, 'kubernetes');

  const env = {
    BR_DB_HOSTNAME: 'db',
    BR_DB_USERNAME: 'us/er',
    BR_DB_PASSWORD: 'p@ss',
    BR_DB_NAME: 'backups',
    BR_DB_PORT: '5433',
    BR_JWT_SECRET_KEY: 'key',
    BR_HEALTH_CHECK_KEY: 'code',
    BR_STORAGE_DRIVER_URL: 's3://bucket?endpoint=minio:9000',
    BR_STORAGE_IO_TIMEOUT: '1h30m',
    BR_HTTP_UPLOAD_TIMEOUT: '10m',
    BR_CONFIG_PROVIDER: 'kubernetes',
    BR_CONFIG_LOCAL_PATH: '/mnt/config/',
    BR_LOG_LEVEL: 'panic',
    BR_USE_GOOGLE_CLOUD: 'false',
    BR_OPEN_METRICS: 'true',
    BR_PUBLIC_URL: '',
  };
  const original = options(
    ['-n', 'prod', '--listen', '127.0.0.1:9090', '--rate-auth-limit', '3', '--http-upload-timeout=20m'],
    env,
  );
  assert.is(original.database, 'postgres://us%2Fer:p%40ss@db:5433/backups');
  assert.is(original.storage, 's3://bucket?endpoint=minio:9000');
  assert.is(original.jwtKey, 'key');
  assert.is(original.namespace, 'prod');
  assert.is(original.provider, 'kubernetes');
  assert.is(original.dataPath, '/mnt/config/data');
  assert.is(original.log.level, 'fatal');
  assert.equal(original.listen, { host: '127.0.0.1', port: 9090 });
  assert.is(original.settings.storageTimeoutMs, 5_400_000);
  assert.is(original.settings.uploadTimeoutMs, 1_200_000);
  assert.is(original.settings.rateLimits?.auth, 3);
  assert.is(original.settings.healthCheckKey, 'code');
  assert.is(original.settings.openMetrics, true);
  assert.is(original.url, undefined, 'an empty variable is none');
  assert.is(options(['--database', 'sqlite:///x.db'], env).database, 'sqlite:///x.db');
  assert.is(options(['--db-hostname', '::1', '--db-user', 'u']).database, 'postgres://u:@[::1]:5432/u');
  assert.throws(() => options(['--use-google-cloud']), /HMAC keys/);
  const { settings } = options(['--shutdown-timeout', '0s', '--hang-up-grace', '0s']);
  assert.equal([settings.shutdownTimeoutMs, settings.hangUpGraceMs], [0, 0], 'not to wait is a choice');
  assert.is(settings.maxUploads, undefined, 'by memory');
  assert.is(options(['--max-uploads', '0']).settings.maxUploads, 0);
  assert.is(options([], { BR_MAX_UPLOADS: '7' }).settings.maxUploads, 7);
});

test('wrong usage is 2, what cannot work is 1, what does not answer is 75; each says what to do', async () => {
  const usage = await finished(['--provider', 'consul']);
  assert.is(usage.code, EXIT.usage);
  assert.match(usage.err, 'must be filesystem or kubernetes');
  for (const args of [
    ['--listen', '8080'],
    ['--log-level', 'loud'],
    ['--idle-timeout', '5'],
    ['--unknown'],
    ['unknown'],
  ]) {
    assert.is((await finished(args)).code, EXIT.usage, args.join(' '));
  }
  const where = ['--data-path', join(home, 'errors'), '--config-local-path', join(home, 'errors')];
  const times = ['upload-idle', 'idle', 'storage-io', 'storage-health', 'http-upload', 'http-download'];
  for (const flag of [...times.map((what) => `--${what}-timeout`), '--token-lifetime']) {
    const nothing = await finished(['migrate', flag, '0s', ...where]);
    assert.is(nothing.code, EXIT.usage, flag);
    assert.match(nothing.err, 'must be longer than 0s', flag);
  }
  const scheme = await finished(['migrate', '--database', 'mysql://x', ...where]);
  assert.is(scheme.code, EXIT.failed);
  assert.match(scheme.err, 'backup-repository: a database of kind "mysql:" is not supported');
  const away = await finished(['migrate', '--database', 'postgres://user:hunter2@127.0.0.1:1/x', ...where]);
  assert.is(away.code, EXIT.later);
  assert.not.match(away.err, 'hunter2');
  const keyless = await finished(['serve', '--database', 'postgres://user@127.0.0.1:1/x', ...where]);
  assert.is(keyless.code, EXIT.failed);
  assert.match(keyless.err, 'set BR_JWT_SECRET_KEY');
  assert.is((await finished(['--help'])).code, EXIT.ok);
  assert.match((await finished(['--help'])).out, 'Exit codes:');
});

test('starts on nothing, says how to log in to a terminal or in a file, keeps its key, stops when asked', async () => {
  const folder = join(home, 'nothing');
  const args = [
    'serve',
    '--config-local-path',
    folder,
    '--listen',
    '127.0.0.1:0',
    '--public-url',
    'http://backups.example.org/',
    '--log-level',
    'silent',
  ];
  const first = run(args);
  await first.started;
  const note = /how to log in is in (\S+)/.exec(first.out())?.[1] ?? '';
  const text = readFileSync(note, 'utf8');
  assert.is(statSync(note).mode & 0o777, 0o600);
  assert.match(text, "http://backups.example.org/api/stable/auth/login'");
  const password = /password +(\S+)/.exec(text)?.[1] ?? '';
  assert.not.match(first.out(), password);
  first.stop();
  assert.is(await first.exitCode, EXIT.ok);

  const key = readFileSync(join(folder, 'data/jwt-secret-key'), 'utf8');
  assert.ok(key.length > 60);
  assert.is(statSync(join(folder, 'data/jwt-secret-key')).mode & 0o777, 0o600);
  const before = readdirSync(folder).sort();
  const again = run(args);
  await again.started;
  again.stop();
  assert.is(await again.exitCode, EXIT.ok);
  assert.not.match(again.out(), 'first start');
  assert.equal(readdirSync(folder).sort(), before);
  assert.is(readFileSync(join(folder, 'data/jwt-secret-key'), 'utf8'), key);

  const terminal = run(['init', '--config-local-path', join(home, 'terminal')], { isTTY: true });
  assert.is(await terminal.exitCode, EXIT.ok);
  assert.match(terminal.out(), 'backup-maker make');
  assert.match(
    (await finished(['init', '--config-local-path', join(home, 'terminal')])).out,
    'nothing was written',
  );
});

test('check: finds what is not intact, and exits with 1', async () => {
  const folder = join(home, 'checked');
  const config = ['--config-local-path', folder];
  const made = await finished(['init', ...config]);
  const [, username, password] = /administrator +(\S+)\n +password +(\S+)/.exec(made.out) ?? [];
  const port = await freePort();
  const server = run(['serve', ...config, '--listen', `127.0.0.1:${port}`, '--log-level', 'silent']);
  const base = `http://127.0.0.1:${port}`;
  await server.started;
  const answer = await call('POST', `${base}/api/stable/auth/login`, json({ username, password }));
  const { token } = (answer.json as { data: { token: string } }).data;
  const body = 'age-encryption.org/v1\ncontent';
  for (let count = 0; count < 2; count++) {
    assert.is(
      (await call('POST', `${base}/api/alpha/repository/collection/first/version`, { token, body })).status,
      200,
    );
  }
  server.stop();
  assert.is(await server.exitCode, EXIT.ok);
  assert.equal(await finished(['check', ...config]), { code: EXIT.ok, out: '2 intact\n', err: '' });

  const metadata = await openMetadata(`sqlite://${folder}/data/backups.db`);
  const [version] = await metadata.versions.list('first');
  await metadata.close();
  writeFileSync(join(folder, 'data/objects', version?.objectKey ?? ''), body.replace('content', 'c0ntent'));
  const damaged = await finished(['check', '--collection', 'first', ...config]);
  assert.is(damaged.code, EXIT.failed);
  assert.match(damaged.out, /^damaged: first version 1 \(.*\): the SHA-256 .*\n1 intact, 1 damaged\n$/);
});

test.run();
