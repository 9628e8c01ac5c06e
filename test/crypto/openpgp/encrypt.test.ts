import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import * as openpgp from 'openpgp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptOpenPgp } from '../../../src/crypto/openpgp/decrypt.ts';
import { encryptOpenPgp } from '../../../src/crypto/openpgp/encrypt.ts';
import { chunks, collect, fails, fixture, identities, open, recipients, seal } from './fixtures.ts';

const test = suite('OpenPGP encryption');
const to = await recipients('curve');
const by = await identities('curve');

/** Around every length at which a part, a block or a length of one more octet begins. */
const EDGES = [8192 - 6, 8384 - 6, 192 - 6, 65536 - 6, 65536, 2 * 65536, 4 * 65536 - 64, 8 * 65536].flatMap(
  (size) => [-2, -1, 0, 1, 2].map((difference) => size + difference),
);

test('what goes in comes out, at every edge', async () => {
  const content = randomBytes(8 * 65536 + 2);
  for (const size of [0, 1, 2, 15, 16, 17, 47, 48, 49, ...EDGES]) {
    for (const armor of [false, true]) {
      const part = content.subarray(0, size);
      const message = await seal(part, to, { armor }, 100_000);
      assert.ok((await open(message, by, 70_001)).equals(part), `${size} bytes`);
    }
  }
});

test('what goes in comes out, in whatever chunks both are', async () => {
  const content = randomBytes(300_000);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: content.length }),
      fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      async (size, sizesIn, sizesOut, armor) => {
        const part = content.subarray(0, size);
        const message = await collect(encryptOpenPgp(split(part, sizesIn), to, { armor }));
        assert.ok((await collect(decryptOpenPgp(split(message, sizesOut), by))).equals(part));
      },
    ),
    { numRuns: 20 },
  );
});

/** In chunks of these sizes, also empty ones; then the rest. */
function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}
async function* split(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  yield* pieces(bytes, sizes);
}

test('byte for byte in, byte for byte out', async () => {
  const content = randomBytes(700);
  for (const armor of [false, true]) {
    const message = await seal(content, to, { armor }, 1);
    assert.equal(await open(message, by, 1), content);
  }
});

test('the openpgp package reads it: one part and many, every kind of key, armoured', async () => {
  for (const size of [0, 1, 1000, 65536, 300_000, 600_000]) {
    const content = randomBytes(size);
    for (const name of size === 1000 ? ['rsa', 'curve', 'nist', 'elgamal', 'locked'] : ['curve']) {
      for (const armor of [false, true]) {
        const sealed = await seal(content, await recipients(name), { armor });
        const message = armor
          ? await openpgp.readMessage({ armoredMessage: sealed.toString() })
          : await openpgp.readMessage({ binaryMessage: new Uint8Array(sealed) });
        let key = await openpgp.readPrivateKey({ armoredKey: fixture(`${name}.sec.asc`).toString() });
        if (!key.isDecrypted())
          key = await openpgp.decryptKey({ privateKey: key, passphrase: 'correct horse' });
        const config = {
          rejectPublicKeyAlgorithms: new Set<openpgp.enums.publicKey>(),
          allowInsecureDecryptionWithSigningKeys: true,
        };
        const { data } = await openpgp.decrypt({ message, decryptionKeys: key, format: 'binary', config });
        assert.ok(content.equals(data), `${name}, ${size} bytes`);
      }
    }
  }
});

test('each recipient alone opens it, others do not', async () => {
  const content = Buffer.from('for several');
  const message = await seal(content, await recipients('rsa', 'curve', 'nist', 'elgamal'));
  for (const name of ['rsa', 'curve', 'nist', 'elgamal']) {
    assert.equal(await open(message, await identities(name)), content);
  }
  const error = await fails(open(message, await identities('locked')), 'wrong-key', /<locked@example\.org>/);
  assert.is(error.message.match(/key [0-9A-F]{16}/g)?.length, 4, error.message);
});

test('a key of version 6', async () => {
  const config = { v6Keys: true };
  const made = await openpgp.generateKey({ userIDs: { email: 'six@example.org' }, config });
  const { readOpenPgpIdentities, readOpenPgpRecipients } = await import(
    '../../../src/crypto/openpgp/keys.ts'
  );
  const six = await readOpenPgpRecipients([Buffer.from(made.publicKey)], ['six@example.org']);
  const content = Buffer.from('content');
  const message = await seal(content, six);
  assert.equal(await open(message, await readOpenPgpIdentities([Buffer.from(made.privateKey)])), content);
});

test('stock gpg of any age reads the packets: version 3 session keys, version 1 data, no compression', async () => {
  const message = await seal(Buffer.alloc(100_000), to);
  const { packets } = await openpgp.readMessage({ binaryMessage: new Uint8Array(message) });
  const [session, data] = packets as unknown as [{ version: number }, { version: number }];
  assert.equal([session.version, data.version, packets.length], [3, 1, 2]);
  assert.ok(message.length > 100_000, 'zeros were compressed');
  assert.ok(message.length < 100_400, `${message.length - 100_000} bytes more`);
});

test('nothing repeats: the same content is sealed differently each time', async () => {
  const content = Buffer.alloc(1000);
  const [first, second] = [await seal(content, to), await seal(content, to)];
  assert.is(first.length, second.length);
  assert.not.equal(first.subarray(-900), second.subarray(-900));
});

test('armour: lines of 64, a checksum, one end of line at the end', async () => {
  const text = (await seal(randomBytes(10_000), to, { armor: true })).toString('latin1');
  const lines = text.split('\n');
  assert.equal(lines.slice(0, 2), ['-----BEGIN PGP MESSAGE-----', '']);
  assert.equal(lines.slice(-2), ['-----END PGP MESSAGE-----', '']);
  assert.match(lines.at(-3) ?? '', /^=[A-Za-z0-9+/]{4}$/);
  const data = lines.slice(2, -3);
  assert.ok(data.slice(0, -1).every((line) => /^[A-Za-z0-9+/]{64}$/.test(line)));
  assert.match(data.at(-1) ?? '', /^[A-Za-z0-9+/]{1,64}={0,2}$/);
});

test('the failure of a source comes through, and the message does not end', async () => {
  const failure = new Error('the dump broke off');
  let received = 0;
  async function* failing(): AsyncGenerator<Buffer> {
    yield* chunks(Buffer.alloc(600_000));
    throw failure;
  }
  try {
    for await (const chunk of encryptOpenPgp(failing(), to, {})) received += chunk.length;
    assert.unreachable();
  } catch (error) {
    assert.is(error, failure);
  }
  assert.ok(received > 500_000);
});

test('the source is closed when the consumer stops, and not asked for more than is needed', async () => {
  for (const armor of [false, true]) {
    let given = 0;
    let closed = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          given += 65536;
          yield Buffer.alloc(65536);
        }
      } finally {
        closed = true;
      }
    }
    let taken = 0;
    for await (const chunk of encryptOpenPgp(endless(), to, { armor })) {
      taken += chunk.length;
      if (taken > 2_000_000) break;
    }
    assert.ok(closed);
    assert.ok(given < 3_500_000, `${given} were read for ${taken}`);
  }
});

test('what is lent comes out of the same memory, and is right until the next is asked for', async () => {
  const content = randomBytes(3_000_000);
  const sealed: Buffer[] = [];
  const memory = new Set<ArrayBufferLike>();
  for await (const piece of encryptOpenPgp(split(content, [1_000_000]), to, { lend: true })) {
    if (piece.length > 60_000) memory.add(piece.buffer);
    sealed.push(Buffer.from(piece));
  }
  assert.is(memory.size, 1);
  assert.ok((await open(Buffer.concat(sealed), by, 70_001)).equals(content));
});

test('a key that expires while the program runs is refused, and the source closed', async () => {
  const key = await openpgp.readKey({ armoredKey: fixture('expired.pub.asc').toString() });
  const dying = { kind: 'openpgp', keys: [key], names: [] } as const;
  let closed = false;
  const source: AsyncIterable<Buffer> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: true, value: undefined }),
      return: async () => {
        closed = true;
        return { done: true, value: undefined };
      },
    }),
  };
  await fails(collect(encryptOpenPgp(source, dying, {})), 'bad-key', /expired on/);
  assert.ok(closed);
});

test('runs in a worker thread', () => {
  const room = new URL('../../../src/crypto/openpgp/', import.meta.url).href;
  const worker = `
    import { readFileSync } from 'node:fs';
    import { parentPort, workerData } from 'node:worker_threads';
    const { readOpenPgpRecipients } = await import(workerData.room + 'keys.ts');
    const { encryptOpenPgp } = await import(workerData.room + 'encrypt.ts');
    const to = await readOpenPgpRecipients([Buffer.from(workerData.key)], []);
    let length = 0;
    for await (const chunk of encryptOpenPgp((async function* () { yield Buffer.alloc(1e6); })(), to, {})) length += chunk.length;
    parentPort.postMessage(length);`;
  const main = `
    import { Worker } from 'node:worker_threads';
    new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)})), {
      workerData: { room: ${JSON.stringify(room)}, key: ${JSON.stringify(fixture('curve.pub.asc').toString())} },
    }).on('message', (length) => console.log(length));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', main], {
    encoding: 'utf8',
  });
  assert.ok(Number(printed) > 1e6, printed);
});

test.run();
