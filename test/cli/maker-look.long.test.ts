/** list, status and login. */
import { readFileSync, statSync } from 'node:fs';
import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { collection } from '../server/http/documents.ts';
import {
  assertNoSecret,
  failedWith,
  HEALTH_CODE,
  keepSecret,
  MakerWorld,
  maker,
  PASSWORD,
} from './maker-world.ts';

const test = suite('backup-maker: look');
const world = new MakerWorld();
test.before(async () => {
  await world.open([collection('steered'), collection('empty-one', { mayBeEmpty: true })]);
  await world.made('one', ['-k', world.keys.agePublic, '-i', 'coded']);
});
test.after(() => world.close());

test('list: a table for people, everything for programs', async () => {
  await world.made('first');
  const second = await world.made('second', ['-k', world.keys.pgpPublic, '--compress', 'none']);
  const { code, out } = await world.run(['list']);
  assert.is(code, 0);
  const [header = '', ...rows] = out.trimEnd().split('\n');
  assert.match(header, /^VERSION {2}CREATED +STORED +FORMAT +INSIDE +PINNED +FILE$/);
  assert.match(rows[0] ?? '', /^1 +\d{4}-\d\d-\d\dT\S+ +\d+ B +age +zstd +backup-1\.gpg$/);
  assert.match(rows[1] ?? '', /^2 +\S+ +\d+ B +openpgp +identity +backup-2\.gpg$/);
  const { collectionId, versions } = (await world.run(['list', '--json'])).json() as {
    collectionId: string;
    versions: { versionNumber: number; sha256: string }[];
  };
  assert.is(collectionId, 'app');
  assert.is(versions.at(-1)?.versionNumber, second);
  assert.match(versions[0]?.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.is((await world.run(['list', '-i', 'never'])).out, 'no versions yet\n');
});

test('what a server says does not steer the terminal', async () => {
  const { metadata } = world;
  const versions = metadata.versions;
  await world.made('x', ['-k', world.keys.agePublic, '-i', 'steered']);
  const [version] = await versions.list('steered');
  assert.ok(version);
  const list = versions.list;
  try {
    versions.list = async () => [
      { ...version, filename: 'a\u001b[2Jb\u009b31m\nc\u202e.gpg' } as typeof version,
    ];
    const words = await world.run(['list', '-i', 'steered']);
    assert.ok(words.out.endsWith(' a [2Jb 31m c .gpg\n'), JSON.stringify(words.out));
    const { out } = await world.run(['list', '-i', 'steered', '--json']);
    assert.not.ok(/[\u009b\u202e]/.test(out) || out.includes('\u001b'));
    assert.match(out, '\\u001b');
  } finally {
    versions.list = list;
  }
});

test('status: well, not well, not known', async () => {
  const well = await world.run(['status', 'app', 'empty-one']);
  assert.is(well.code, 0, well.err);
  assert.match(
    well.out,
    /^COLLECTION +HEALTH +VERSIONS +STORED +NEWEST +REASON\napp +well +\d+ +\d+ B +just now\n/,
  );
  assert.match(well.out, /\nempty-one +well +0 +0 B +never\n$/);

  const ill = await world.run(['status', '-i', 'never', '--json']);
  failedWithJson(ill.err, 13, 'not well: never');
  assert.is(ill.code, 13);
  const [never] = (ill.json() as { collections: Record<string, unknown>[] }).collections;
  assert.equal(
    [never?.collectionId, never?.healthy, never?.versions, never?.newestAt],
    ['never', false, 0, undefined],
  );
  assert.ok(never?.reason);

  const coded = await world.run(['status', 'coded']);
  assert.is(coded.code, 0);
  assert.match(coded.out, /coded +unknown +1 .* the health code is missing or wrong: --health-code/);
  assert.match((await world.run(['status', 'coded', '--health-code', HEALTH_CODE])).out, /coded +well/);
  const variable = { env: { BM_HEALTH_CODE: HEALTH_CODE } };
  assert.match((await world.run(['status', 'coded', '--health-code', 'wrong'], variable)).out, /coded +well/);

  const all = await world.run(['status'], { env: { BM_COLLECTION_ID: '' } });
  assert.is(all.code, 13, 'one of all is not well');
  assert.ok(all.out.trim().split('\n').length >= 7);
});

function failedWithJson(err: string, status: number, message: string): void {
  const line = JSON.parse(err.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  assert.equal([line.level, line.msg, line.exitStatus], ['error', message, status]);
}

const WHO = { BM_AUTH_TOKEN: '', BM_ACCESS_KEY_USERNAME: 'machine$key', BM_ACCESS_KEY_PASSWORD: PASSWORD };

test('an access key logs in for what is to be done, and out again', async () => {
  const sessions = async () =>
    (await world.metadata.sessions.listOf('machine', 10)).filter(({ deactivated }) => !deactivated);
  const made = await world.run(['make', '-c', 'echo x', '-k', world.keys.agePublic], { env: WHO });
  assert.is(made.code, 0, made.err);
  assert.equal(await sessions(), []);
  const passwordFile = world.write('password', `${PASSWORD}\n`);
  const env = { BM_AUTH_TOKEN: '' };
  for (const args of [['--access-key', 'machine$key', '--access-key-file', passwordFile]]) {
    const ran = await world.run(['make', '-c', 'echo x', '-k', world.keys.agePublic, ...args], { env });
    assert.is(ran.code, 0, ran.err);
  }
  failedWith(
    await world.run(['list', '--access-key', 'admin'], { env }),
    2,
    /an access key is given without its password/,
    /export BM_ACCESS_KEY_PASSWORD/,
  );
  failedWith(
    await world.run(['list'], { env: { ...WHO, BM_ACCESS_KEY_PASSWORD: keepSecret('canary-wrong') } }),
    7,
    /log in as "machine\$key"/,
    /check user name and password/,
  );
});

test('login: a token that may do what was asked for, and nothing else', async () => {
  const env = { ...WHO, BM_ACCESS_KEY_USERNAME: 'admin' };
  let token = '';
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      token += chunk.toString();
      done();
    },
  });
  const ran = await world.run(['login', '--role', 'backupDownloader'], { env, stdout });
  assert.is(ran.code, 0, ran.err);
  assert.match(ran.err, /msg="Logged in" expires=/);
  const limited = { env: { BM_AUTH_TOKEN: keepSecret(token.trim()) } };
  assert.not.match(ran.err, token.trim());
  assert.is((await world.run(['list'], limited)).code, 0);
  failedWith(await world.run(['list', '-i', 'open'], limited), 8, /not authorized to list/, /role/);
  const make = ['make', '-c', 'echo x', '-k', world.keys.agePublic];
  failedWith(await world.run(make, limited), 8, /not authorized to upload/, /backupUploader/);

  const file = world.path('token');
  for (let time = 0; time < 2; time++) {
    const saved = await world.run(['login', '--unlimited', '--save-path', file, '--json'], { env });
    assert.is(saved.code, 0, saved.err);
    assert.equal(Object.keys(saved.json()), ['file', 'expire']);
    assertNoSecret(saved.out);
  }
  assert.is(statSync(file).mode & 0o777, 0o600);
  keepSecret(readFileSync(file, 'utf8').trim());
  for (const args of [['--auth-token-file', file], []]) {
    const used = await maker(['list', '-u', world.url, '-i', 'app', ...args], {
      env: args.length === 0 ? { BM_AUTH_TOKEN_FILE: file } : {},
    });
    assert.is(used.code, 0, used.err);
  }
  const json = await world.run(['login', '--unlimited', '--save-path', world.folder], { env });
  failedWith(json, 74, /it is a folder/);
  failedWith(await world.run(['login']), 2, /a token is given, so there is nothing to log in with/);
  failedWith(
    await world.run(['login'], { env: { ...env, BM_COLLECTION_ID: '' } }),
    2,
    /--collection-id is missing/,
  );
  const role = await world.run(['login', '--role', 'king'], { env });
  assert.ok(role.code !== 0 && role.code !== 70, role.err);
});

test('a result that cannot be written is not passed over', async () => {
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
    },
  });
  failedWith(await world.run(['list'], { stdout }), 74, /cannot write the output: write EPIPE/);
});

test.run();
