/**
 * A table of attempts: everybody tries everything, at a running server. Who may is computed from `access-table/rights.ts`,
 * which knows nothing of the code that decides. What is denied must also change nothing.
 */
import { createHash } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Metadata, Session } from '../../../../src/server/metadata/metadata.ts';
import { pathOf, ROUTES } from '../../../../src/wire/routes.ts';
import { collection, type Document } from '../../../server/http/documents.ts';
import { openReplicas } from '../../../server/http/in-process.ts';
import { sqliteAndFolder } from '../../../server/http/sqlite-folder.ts';
import { armoured } from '../../../server/http/world.ts';
import { attempts, HEALTH_CODE, type Request } from './table/attempts.ts';
import { accountOf, listOf, mint, PASSWORD, scopeOf, type Visitor, visitors } from './table/principals.ts';
import { has } from './table/rights.ts';

const test = suite('table of access attempts');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let url = '';
let metadata: Metadata;
let close: (() => Promise<void>) | undefined;
let count = 0;
/** Routes for which there must be a version. */
const VERSIONED: ReadonlySet<string> = new Set(['download', 'pin', 'unpin', 'deleteVersion']);

test.before(async () => {
  const rest = {
    maxBackupsCount: 3,
    strategyName: 'fifo',
    healthSecretRef: { name: 'codes', entry: 'health' },
  };
  // Opens for a minute, half a year away.
  const windows = [{ from: `0 0 1 ${((new Date().getMonth() + 6) % 12) + 1} *`, duration: '1m' }];
  const documents: Document[] = [
    ...visitors.flatMap(accountOf),
    { ...accountOf({ name: 'bystander', role: 'none', mayLogIn: true })[0] } as Document,
    collection('mine', { ...rest, accessControl: listOf('mine') }),
    collection('theirs', { ...rest, accessControl: listOf('theirs') }),
    collection('closed', { ...rest, windows, accessControl: [] }),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'codes' },
      stringData: { health: createHash('sha256').update(HEALTH_CODE).digest('hex') },
    },
  ];
  const target = await openReplicas(async () => [await sqliteAndFolder()], { alone: true })(documents, {
    rateLimits: { default: 0, auth: 0, collectionHealth: 0, serverHealth: 0 },
    healthCheckKey: HEALTH_CODE,
    hangUpGraceMs: 0,
  });
  assert.ok(target.metadata);
  ({ metadata, close } = target);
  url = target.urls[0] ?? '';
});

test.after(async () => {
  agent.destroy();
  await close?.();
});

test('every route is tried', () => {
  const tried = new Set(attempts.map(({ route }) => route));
  assert.equal(
    Object.keys(ROUTES).filter((route) => !tried.has(route as never)),
    ['login'],
    'logging in is the next test',
  );
});

test('logging in: only accounts in use, from where they may be used', async () => {
  for (const who of visitors) {
    const username = who.key ? `${who.name}$key` : who.name;
    const good = { username, password: PASSWORD, operationsScope: scopeOf(who) };
    const bad = [
      { ...good, password: 'wrong' },
      { ...good, username: `${who.name}$other` },
      { ...good, username: who.key ? `${who.name}$` : `${who.name}$key` },
    ];
    for (const [login, expected] of [
      [good, who.mayLogIn ? 200 : 401],
      ...bad.map((each) => [each, each.username.endsWith('$') && who.mayLogIn ? 200 : 401] as const),
    ] as const) {
      count++;
      const { status } = await send({
        method: 'POST',
        path: pathOf('login'),
        body: JSON.stringify(login),
        headers: { 'content-type': 'application/json' },
      });
      assert.is(status, expected, `${login.username} with ${login.password}`);
    }
  }
});

for (const attempt of attempts) {
  const { route, collection: id } = attempt;
  test(`${route} ${id}`.trim(), async () => {
    for (const who of visitors) {
      if (VERSIONED.has(route)) await prepare(id);
      const { token, session } = mint(who);
      if (session) await metadata.sessions.create(session);
      const bystander = route === 'logout' ? await sessionOfBystander() : undefined;
      const request = await attempt.request({
        metadata,
        unique: count++,
        bystander: bystander?.id ?? '',
        who,
      });
      const allowed = attempt.allowed(who);
      const watched = !allowed && request.method !== 'GET';
      const before = watched && (await everything(id, bystander, request));
      const { status, text } = await send({ ...request, ...(token && { token }) });
      const expected = allowed ? 200 : attempt.open ? 403 : (who.dead ?? 403);
      const what = `${who.name}: ${request.method} ${request.path}`;
      assert.is(status, expected, `${what} answers ${text}`);
      if (watched) assert.is(await everything(id, bystander, request), before, `${what} changed something`);
      if (route === 'collections' && allowed) assert.equal(idsOf(text), visible(who), what);
    }
  });
}

test('the table is as large as it should be', () => {
  console.log(`${count} attempts: ${visitors.length} visitors, ${attempts.length} requests`);
  assert.ok(count > 5000);
});

/** A version in the collection, to be had or removed. */
async function prepare(collectionId: string): Promise<void> {
  const versions = await metadata.versions.list(collectionId);
  if (versions.length > 0) return;
  const { token, session } = mint(visitors.find(({ name }) => name === 'user-systemadmin') as Visitor);
  await metadata.sessions.create(session as Session);
  const path = pathOf('upload', { collectionId });
  assert.is((await send({ method: 'POST', path, body: armoured(), token })).status, 200);
}

async function sessionOfBystander(): Promise<Session> {
  const { session } = mint({ name: 'bystander', role: 'none', mayLogIn: true });
  await metadata.sessions.create(session as Session);
  return session as Session;
}

/** What somebody could change with the request. */
async function everything(id: string, bystander: Session | undefined, { body }: Request): Promise<string> {
  const runId = /"runId":"([^"]+)"/.exec(body ?? '')?.[1];
  return JSON.stringify([
    id === '' ? [] : await metadata.versions.list(id),
    bystander && (await metadata.sessions.find(bystander.id)),
    runId && (await metadata.actions.find(id, 'shop', 'action', runId)),
  ]);
}

function idsOf(text: string): string[] {
  return (JSON.parse(text) as { data: { collections: { id: string }[] } }).data.collections
    .map(({ id }) => id)
    .sort();
}

function visible(who: Visitor): string[] {
  return ['closed', 'mine', 'theirs'].filter((id) => has(who, 'list', id));
}

/** One connection for all: thousands of them would be most of the time. */
function send({
  method,
  path,
  body,
  headers,
  token,
}: Request & { token?: string }): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${url}${path}`, {
      method,
      agent,
      headers: {
        ...headers,
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      buffer(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, text: bytes.toString() }),
        reject,
      );
    });
    outgoing.end(body);
  });
}

test.run();
