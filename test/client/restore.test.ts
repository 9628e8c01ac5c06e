/** What becomes of the download when the restore is over before it. */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commandEnvironment } from '../../src/client/command/environment.ts';
import { type Progress, SILENT } from '../../src/client/report.ts';
import { type RestoreOptions, restore } from '../../src/client/restore.ts';
import { eventually, inTime } from '../eventually.ts';
import { folderOf } from './folder.ts';
import { bytes, failureOf, repositoryAt, success, web, withServer } from './http/world.ts';

const test = suite('client: restore');

const DATA = bytes(1_000_000);
const ACTION = { namespace: 'shop', name: 'restore-now', runId: '1', retry: false };
const PASSWORD = { kind: 'password', username: 'u', password: 'admin-password' } as const;

/** A repository with one version, of which it sends the half: then it is silent, or breaks off. `asked`: what it was asked for. */
function halfway(then: 'silent' | 'broken') {
  const asked: string[] = [];
  const give = (response: ServerResponse) => {
    response.writeHead(200, {
      'content-length': DATA.length,
      etag: '"tag"',
      'x-backup-version': '1',
      'repr-digest': `sha-256=:${createHash('sha256').update(DATA).digest('base64')}:`,
    });
    response.write(DATA.subarray(0, DATA.length / 2), () => {
      if (then === 'broken') setTimeout(() => response.destroy(), 20);
    });
  };
  const server = web((request, response) => {
    const route = request.url?.split('/').at(-1) ?? '';
    asked.push(request.headers.range ? 'range' : route);
    if (route === 'login') return void response.end(success({ token: 'abc', expire: '' }));
    if (route === 'claim') return void response.end(success({ outcome: 'claimed', action: {} }));
    if (route === 'renew')
      return void response.writeHead(409, { 'x-backup-error': 'action-lost' }).end('{"status":false}');
    if (request.headers.range) return void request.socket.destroy();
    if (route === 'latest') return give(response);
    response.end(success({}));
  });
  return { server, asked };
}

function options(repository: RestoreOptions['repository'], more: Partial<RestoreOptions>): RestoreOptions {
  return {
    repository,
    collectionId: 'c',
    version: 'latest',
    command: 'cat >/dev/null',
    env: commandEnvironment(process.env),
    identities: undefined,
    noEncryption: true,
    decompression: 'none',
    action: undefined,
    signal: new AbortController().signal,
    report: SILENT,
    ...more,
  };
}

for (const then of ['silent', 'broken'] as const) {
  test(`a loader that fails while a download that is ${then} waits: nothing follows the logout`, async () => {
    const { server, asked } = halfway(then);
    const go = join(folderOf(), 'go');
    let wake = () => {};
    const sleepUntilWoken = (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        wake = resolve;
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    await withServer(server, async ({ url }) => {
      const repository = repositoryAt(url, { credentials: PASSWORD, sleep: sleepUntilWoken });
      let came = 0;
      const report = { ...SILENT, progress: ({ stored }: Progress) => (came = stored) };
      const command = `head -c 300000 >/dev/null; while [ ! -e '${go}' ]; do sleep 0.05; done; exit 3`;
      const failing = failureOf(restore(options(repository, { command, report })));
      const waits = () => (then === 'silent' ? came === DATA.length / 2 : repository.warnings.length > 0);
      await eventually('the download', waits);
      // Nobody but the loader takes what came last.
      await sleep(100);
      writeFileSync(go, '');
      assert.match((await inTime(20_000, failing)).message, /exit code 3/);
      await inTime(5000, repository.close());
      wake();
      await sleep(300);
      assert.equal(asked, ['login', 'latest', 'logout']);
      assert.is(repository.warnings.length, then === 'silent' ? 0 : 1, 'it is not taken up again');
    });
  });
}

test('a claim that is lost ends the tries of its download at once', async () => {
  const { server, asked } = halfway('broken');
  const ended = join(folderOf(), 'ended');
  await withServer(server, async ({ url }) => {
    const repository = repositoryAt(url, { backoffMs: [600_000] });
    const lease = { seconds: 60, renewEverySeconds: 1 };
    const command = `cat >/dev/null; echo >'${ended}'`;
    const lost = failureOf(restore(options(repository, { command, action: ACTION, lease })));
    const failure = await inTime(20_000, lost);
    assert.is(failure.code, 'action-refused');
    assert.match(failure.message, /the claim of the action was lost/);
    assert.ok(asked.includes('renew'));
    assert.not.ok(existsSync(ended));
    // The repository is not closed: nobody but the restore itself has let go of it.
    const count = asked.length;
    await sleep(300);
    assert.is(asked.length, count);
    await repository.close();
  });
});

test.run();
