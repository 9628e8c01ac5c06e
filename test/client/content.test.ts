/** What is made of stored bytes, and of what a version's metadata say about them. */
import { zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compress } from '../../src/client/compression/zstd.ts';
import { type OpenOptions, openContent } from '../../src/client/content.ts';
import { generateKeyPair } from '../../src/client/key-files.ts';
import { encrypt } from '../../src/crypto/encrypt.ts';
import { type Identities, type Recipients, readIdentities, readRecipients } from '../../src/crypto/keys.ts';
import { collect, content, failureOf } from './http/world.ts';

const test = suite('client: content');

const TEXT = Buffer.from('some text that is worth it\n'.repeat(1000));
const ZSTD = zstdCompressSync(TEXT);
let recipients: Recipients;
let identities: Identities;

test.before(async () => {
  const options = { name: '', email: '', passphrase: '', date: new Date() };
  const pair = await generateKeyPair({ ...options, kind: 'age' });
  recipients = await readRecipients([Buffer.from(pair.publicText)]);
  identities = await readIdentities([Buffer.from(pair.privateText)]);
});

const marked = () => collect(compress(content(TEXT), { level: 1 }));
const sealed = (inside: Buffer) => collect(encrypt(content(inside), recipients));

async function opened(stored: Buffer, options: Partial<OpenOptions> = {}) {
  const found = await openContent(content(stored), {
    identities: undefined,
    noEncryption: false,
    decompression: 'auto',
    contentEncoding: undefined,
    ...options,
  });
  return { ...found, bytes: await collect(found.content) };
}

test('compressed and sealed by us: undone, whether the server kept the metadata or not', async () => {
  const stored = await sealed(await marked());
  for (const contentEncoding of ['zstd', undefined, '']) {
    const { bytes, format, compressed } = await opened(stored, { identities, contentEncoding });
    assert.equal([format, compressed], ['age', true]);
    assert.equal(bytes, TEXT);
  }
});

test('metadata that say "identity": the data itself may be zstd; a mark of ours is a contradiction', async () => {
  for (const inside of [ZSTD, TEXT]) {
    const { bytes, compressed } = await opened(await sealed(inside), {
      identities,
      contentEncoding: 'identity',
    });
    assert.not.ok(compressed);
    assert.equal(bytes, inside);
  }
  const contradicting = { identities, contentEncoding: 'identity' } as const;
  const failed = await failureOf(opened(await sealed(await marked()), contradicting));
  assert.is(failed.code, 'usage');
  const taken = await opened(await sealed(await marked()), { ...contradicting, decompression: 'none' });
  assert.equal(taken.bytes, await marked());
});

test('zstd without a word about it is not guessed at; the user decides', async () => {
  const stored = await sealed(ZSTD);
  for (const contentEncoding of [undefined, '']) {
    const said = await failureOf(opened(stored, { identities, contentEncoding }));
    assert.is(said.code, 'usage');
    assert.match(said.hint, '--decompress zstd');
  }
  assert.equal((await opened(stored, { identities, decompression: 'zstd' })).bytes, TEXT);
  assert.equal((await opened(stored, { identities, decompression: 'none' })).bytes, ZSTD);
});

test('the user’s word is more than the metadata’s', async () => {
  const stored = await sealed(ZSTD);
  assert.equal(
    (await opened(stored, { identities, decompression: 'none', contentEncoding: 'zstd' })).bytes,
    ZSTD,
  );
  assert.equal(
    (await opened(stored, { identities, decompression: 'zstd', contentEncoding: 'identity' })).bytes,
    TEXT,
  );
});

test('metadata that name another compression are refused, with a way out', async () => {
  const stored = await sealed(TEXT);
  const said = await failureOf(opened(stored, { identities, contentEncoding: 'br' }));
  assert.is(said.code, 'unsupported');
  assert.match(said.hint, '--decompress none');
  assert.equal(
    (await opened(stored, { identities, contentEncoding: 'br', decompression: 'none' })).bytes,
    TEXT,
  );
});

test('metadata that say zstd of what is none: damaged, and nothing comes out as if it were whole', async () => {
  assert.is(
    (await failureOf(opened(await sealed(TEXT), { identities, contentEncoding: 'zstd' }))).code,
    'damaged',
  );
});

test('encrypted without a key, plain with a key', async () => {
  const missing = await failureOf(opened(await sealed(TEXT)));
  assert.equal([missing.code, missing.message.includes('encrypted with age')], ['bad-key', true]);
  const planted = await failureOf(opened(TEXT, { identities }));
  assert.equal([planted.code, planted.hint.includes('--no-encryption')], ['damaged', true]);
});

test('plain without a key, and whatever it is where the user says so', async () => {
  assert.equal((await opened(TEXT)).bytes, TEXT);
  assert.equal((await opened(await marked())).bytes, TEXT);
  const stored = await sealed(TEXT);
  assert.equal((await opened(stored, { noEncryption: true })).bytes, stored);
});

test('what is refused is let go of', async () => {
  for (const [stored, options] of [
    [await sealed(TEXT), {}],
    [TEXT, { identities }],
    [await sealed(ZSTD), { identities }],
  ] as const) {
    const source = content(stored, Buffer.alloc(10));
    const all = {
      identities: undefined,
      noEncryption: false,
      decompression: 'auto',
      contentEncoding: '',
    } as const;
    await failureOf(openContent(source, { ...all, ...options }));
    assert.ok(source.state.stopped);
  }
});

test('a cut or a flipped bit anywhere is an error at the latest at the end', async () => {
  const stored = await sealed(await marked());
  for (const at of [0.1, 0.5, 0.9, 0.999].map((part) => Math.floor(stored.length * part))) {
    const flipped = Buffer.from(stored);
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    for (const broken of [stored.subarray(0, at), flipped]) {
      const { code } = await failureOf(opened(broken, { identities, contentEncoding: 'zstd' }));
      assert.ok(['damaged', 'bad-key'].includes(code), code);
    }
  }
});

test.run();
