/**
 * Everything that the OpenAPI document allows, and much that it forbids, sent to the server: no error of the server, and
 * nothing that the document does not say.
 *
 * With precise statuses: the original answered 500 to many a mistake of the client, and so do we by default. Which ones
 * is the last test; `docs/server-api.md` has the same list for people.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusOf } from '../../../../src/server/http/statuses.ts';
import { ERROR_CODES } from '../../../../src/wire/error-codes.ts';
import { ROUTES } from '../../../../src/wire/routes.ts';
import { call } from '../../../server/http/client.ts';
import { ACCOUNTS, collection, PASSWORD } from '../../../server/http/documents.ts';
import { openReplicas } from '../../../server/http/in-process.ts';
import { sqliteAndFolder } from '../../../server/http/sqlite-folder.ts';
import type { Target } from '../../../server/http/suite.ts';
import { armoured } from '../../../server/http/world.ts';
import { folderWith, root } from '../../sandbox.ts';
import { type Fuzzing, fuzz } from './schemathesis.ts';

const test = suite('schemathesis over /openapi.json');
let target: Target;
let url = '';
let token = '';
/** What the server logged as its own error: a 5xx that nobody got to see counts too. */
const logged: string[] = [];

test.before(async () => {
  const documents = [
    ...ACCOUNTS,
    ...['first', 'keyed', 'guarded'].map((name) => collection(name, { mayBeEmpty: true })),
  ];
  const log = { level: 'error', stream: { write: (line: string) => logged.push(line) } };
  target = await openReplicas(async () => [await sqliteAndFolder()], { alone: true, log })(documents, {
    rateLimits: { default: 0, auth: 0, collectionHealth: 0, serverHealth: 0 },
    preciseStatuses: true,
    openMetrics: true,
    hangUpGraceMs: 0,
  });
  url = target.urls[0] ?? '';
  token = await logIn();
  for (let count = 0; count < 4; count++) {
    const stored = await call('POST', `${url}${ROUTES.upload.path.replace(':collectionId', 'first')}`, {
      token,
      body: armoured(),
    });
    assert.is(stored.status, 200);
  }
});

test.after(() => target.close());

test('as an administrator, who may do everything', async () => {
  await clean({ token, examples: 25, without: ['logout', 'refreshToken'] }, 600);
  // Still good: the routes were reached, rather than refused one after the other.
  assert.is((await call('GET', `${url}${ROUTES.whoami.path}`, { token })).status, 200);
});

for (const only of ['refreshToken', 'logout']) {
  test(`${only}, which ends the token that is in use`, async () => {
    await clean({ token: await logIn(), examples: 25, only }, 5);
  });
}

test('without a token', () => clean({ examples: 10 }, 400));

test('the original answers 500 to these mistakes of the client, and we do by default', () => {
  const faults = ERROR_CODES.filter((code) => statusOf(code, false) === 500 && statusOf(code, true) < 500);
  assert.equal(faults, [
    'login-too-soon',
    'parallel-upload',
    'bad-form',
    'too-large',
    'empty',
    'not-encrypted',
    'truncated',
    'cancelled',
    'cancelled-late',
    'lease-lost',
  ]);
  const guide = readFileSync(join(root, 'docs/server-api.md'), 'utf8');
  for (const code of faults) assert.ok(guide.includes(`\`${code}\``), `docs/server-api.md lacks ${code}`);
});

async function clean(fuzzing: Fuzzing, atLeast: number): Promise<void> {
  const started = performance.now();
  const { code, output, operations, requests } = await fuzz(url, fuzzing, folderWith());
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`schemathesis: ${requests} requests to ${operations} operations in ${seconds} s`);
  assert.is(code, 0, output);
  assert.ok(requests >= atLeast, output);
  assert.equal(logged, [], 'the server logged errors');
}

async function logIn(): Promise<string> {
  const answer = await call('POST', `${url}${ROUTES.login.path}`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: PASSWORD }),
  });
  return (answer.json as { data: { token: string } }).data.token;
}

test.run();
