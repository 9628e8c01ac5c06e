/** Forms that do not come to the file: neither silence nor chatter holds a collection for longer than an upload may. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inTime } from '../../eventually.ts';
import { begin, call } from './client.ts';
import { ACCOUNTS, collection, PASSWORD } from './documents.ts';
import { type InProcess, openReplicas } from './in-process.ts';
import { sqliteAndFolder } from './sqlite-folder.ts';
import { armoured, json, refused } from './world.ts';

const HOUR = 3_600_000;
/** What is given up sooner than this was given up for its silence, or its length: nothing else ends before. */
const LONG_MS = 20_000;
const MULTIPART = 'multipart/form-data; boundary=b';
const URLENCODED = 'application/x-www-form-urlencoded';
const TOO_MUCH =
  'cannot read file from multipart/urlencoded form: there are more than 64 KiB beside the field "file"';
const part = (name: string, more = '') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;

const test = suite('forms that do not come to the file');
let target: InProcess;
/** Gives up on what is silent, and has a lot of time for what is not; the other one has it the other way round. */
let impatient = '';
let hasty = '';
let token = '';

test.before(async () => {
  const settings = {
    rateLimits: { default: 0, auth: 0, collectionHealth: 0, serverHealth: 0 },
    openMetrics: true,
    uploadTimeoutMs: HOUR,
  };
  const opened = openReplicas(async () => [await sqliteAndFolder()], { alone: true });
  target = await opened([...ACCOUNTS, collection('c')], { ...settings, uploadIdleTimeoutMs: 500 });
  impatient = target.urls[0] ?? '';
  hasty = await target.beside({ ...settings, uploadIdleTimeoutMs: HOUR, uploadTimeoutMs: 1000 });
  const login = json({ username: 'admin', password: PASSWORD });
  const answer = await call('POST', `${impatient}/api/stable/auth/login`, login);
  token = (answer.json as { data: { token: string } }).data.token;
});
test.after(() => target?.close());

const path = (url: string) => `${url}/api/stable/repository/collection/c/version`;

/** Sends what a form begins with, then the piece again and again, until the server answers. */
async function converse(url: string, type: string, start: string, piece?: string) {
  const headers = { 'content-type': type, 'transfer-encoding': 'chunked' };
  const { outgoing, promise } = begin('POST', path(url), { token, headers });
  outgoing.on('error', () => {});
  outgoing.flushHeaders();
  if (start !== '') outgoing.write(start);
  const talking = piece === undefined ? undefined : setInterval(() => outgoing.write(piece), 10);
  try {
    return await inTime(LONG_MS, promise);
  } finally {
    clearInterval(talking);
    outgoing.destroy();
  }
}

/** The collection takes another upload at once, and no figure says that the last one still runs. */
async function free(url: string, what: string): Promise<void> {
  // Through the server that does not mind how long it takes: both work on the same collection.
  const next = await call('POST', path(impatient), { token, body: armoured() });
  assert.is(next.status, 200, `${what}: ${next.bytes}`);
  const figures = (await call('GET', `${url}/metrics`)).bytes.toString();
  assert.match(figures, 'backup_repository_uploads_in_flight{collection="c"} 0\n', what);
}

const silences: Readonly<Record<string, readonly [string, string]>> = {
  'multipart: no byte': [MULTIPART, ''],
  'multipart: half of a field': [MULTIPART, `${part('x')}1`],
  'multipart: half of another file': [MULTIPART, `${part('x', '; filename="f"')}1`],
  'multipart: half of the file': [MULTIPART, `${part('file', '; filename="f"')}1`],
  'urlencoded: no byte': [URLENCODED, ''],
  'urlencoded: half of a field': [URLENCODED, 'x=1'],
};
for (const [what, [type, start]] of Object.entries(silences)) {
  test(`${what}, then silence: given up for it`, async () => {
    refused(await converse(impatient, type, start), 408, 'Request took too long', 'idle');
    await free(impatient, what);
  });
}

const endless: Readonly<Record<string, readonly [string, string]>> = {
  'multipart, a field': [MULTIPART, part('x')],
  'multipart, another file': [MULTIPART, part('x', '; filename="f"')],
  'multipart, what is before the first part': [MULTIPART, 'preamble'],
  'urlencoded, a field': [URLENCODED, 'x='],
  'urlencoded, a field behind the file': [URLENCODED, `file=${encodeURIComponent(armoured())}&x=`],
};
for (const [what, [type, start]] of Object.entries(endless)) {
  test(`${what}, without end: refused when it is too much`, async () => {
    refused(await converse(impatient, type, start, 'x'.repeat(8192)), 500, TOO_MUCH, 'bad-form');
    await free(impatient, what);
  });

  test(`${what}, without end, little by little: given up when the time is over`, async () => {
    refused(await converse(hasty, type, start, 'x'), 408, 'Request took too long', 'idle');
    await free(hasty, what);
  });
}

test('a file may be as large as it may, and as many fields stand before it', async () => {
  const content = armoured('x'.repeat(200_000));
  const fields = Array.from({ length: 10 }, (_, index) => `${part(`x${index}`)}${'x'.repeat(1024)}\r\n`);
  const multipart = `${fields.join('')}${part('file', '; filename="f"')}${content}\r\n--b--\r\n`;
  const urlencoded = `x=${'x'.repeat(60_000)}&file=${encodeURIComponent(content)}&y=1`;
  for (const [type, body] of [
    [MULTIPART, multipart],
    [URLENCODED, urlencoded],
  ] as const) {
    const answer = await call('POST', path(impatient), { token, body, headers: { 'content-type': type } });
    assert.is(answer.status, 200, answer.bytes.toString());
  }
  const sizes = (await target.metadata.versions.list('c')).slice(-2).map(({ filesize }) => filesize);
  assert.equal(sizes, [content.length, content.length]);
});

test.run();
