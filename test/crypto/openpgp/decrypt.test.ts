import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptOpenPgp } from '../../../src/crypto/openpgp/decrypt.ts';
import {
  chunks,
  collect,
  dump,
  fails,
  fixture,
  identities,
  literal,
  open,
  recipients,
  seal,
  sealPackets,
  whatComesOf,
} from './fixtures.ts';

const test = suite('OpenPGP decryption');
const short = fixture('short.txt');
const curve = await identities('curve');
const toCurve = await recipients('curve');

test("stock gpg's messages: the original's command line, compressions, lengths, ciphers, signatures", async () => {
  assert.equal(await open(fixture('original.asc'), await identities('rsa')), short);
  for (const name of ['plain', 'definite', 'signed', 'either', 'hidden']) {
    assert.equal(await open(fixture(`${name}.gpg`), curve), short, name);
  }
  for (const cipher of ['AES128', 'AES192', '3DES']) {
    assert.equal(await open(fixture(`cipher-${cipher}.gpg`), curve), short, cipher);
  }
  for (const name of ['zlib.asc', 'zip.gpg']) {
    for (const size of [1000, 65536])
      assert.ok((await open(fixture(name), curve, size)).equals(dump()), name);
  }
});

test("stock gpg's messages to several, and to hidden recipients", async () => {
  for (const name of ['nist', 'elgamal', 'locked']) {
    assert.equal(await open(fixture('several.gpg'), await identities(name)), short, name);
  }
  assert.equal(await open(fixture('hidden.gpg'), await identities('rsa', 'nist')), short);
  await fails(open(fixture('hidden.gpg'), await identities('nist')), 'wrong-key', /a hidden recipient/);
});

test('to somebody else', async () => {
  const rsa = await identities('rsa');
  await fails(open(fixture('plain.gpg'), rsa), 'wrong-key', /to key [0-9A-F]{16}, .*<rsa@example\.org>/);
  await fails(open(fixture('passphrase.gpg'), rsa), 'wrong-key', /with a passphrase, not to a key/);
  await fails(open(fixture('either.gpg'), rsa), 'wrong-key');
});

test('what is not read here is said, with a way out', async () => {
  const wayOut = /gpg .*--decrypt/;
  await fails(open(fixture('bzip2.gpg'), curve), 'unsupported', /bzip2/);
  await fails(open(fixture('bzip2.gpg'), curve), 'unsupported', wayOut);
  await fails(open(fixture('cipher-TWOFISH.gpg'), curve), 'unsupported', /Twofish.*gpg --decrypt/);
  await fails(open(fixture('cipher-CAMELLIA256.gpg'), curve), 'unsupported', /Camellia.*gpg --decrypt/);
  const unprotected = open(fixture('no-integrity.gpg'), await identities('rsa'));
  await fails(unprotected, 'unsupported', /without protection .*gpg .*--decrypt/);
});

test('what is damaged and not read here is called damaged', async () => {
  const message = Buffer.from(fixture('bzip2.gpg'));
  const last = message.length - 1;
  message[last] = (message[last] ?? 0) ^ 1;
  await fails(open(message, curve), 'damaged');
});

const small = await seal(Buffer.from('a small message'), toCurve);
const parts = await seal(Buffer.alloc(330_000, 'abc'), toCurve);

test('cut anywhere, it never ends normally', async () => {
  for (let length = 0; length < small.length; length++) {
    await fails(open(small.subarray(0, length), curve), 'damaged');
  }
  for (const length of [1, 100, 1000, 65536, 262144, 262145, 262300, parts.length - 22, parts.length - 1]) {
    await fails(open(parts.subarray(0, length), curve), 'damaged');
  }
});

test('with any byte changed, it never ends normally, and always with one of our reasons', async () => {
  const told = new Set<string>();
  for (let at = 0; at < small.length; at++) {
    for (const bits of [1 << (at % 8), 0xff]) {
      const error = await whatComesOf(small, at, bits, curve, Buffer.from('a small message'));
      if (error && at > small.length - 60) told.add(error.message);
    }
  }
  assert.is(told.size, 1, `inside the encrypted data, errors differ: ${[...told].join('; ')}`);
  for (let at = 0; at < parts.length; at += 9973) {
    const changed = Buffer.from(parts);
    changed[at] = (changed[at] ?? 0) ^ 4;
    await open(changed, curve).then(
      () => assert.unreachable(`byte ${at}`),
      (error) => assert.is(error.name, 'CryptoError'),
    );
  }
});

test('with anything behind, it never ends normally', async () => {
  for (const more of [
    Buffer.of(0),
    Buffer.of(0xca, 3, 0x50, 0x47, 0x50),
    small,
    literal('x'),
    Buffer.of(0xff),
  ]) {
    for (const message of [small, parts, fixture('zip.gpg')]) {
      await fails(open(Buffer.concat([message, more]), curve), 'damaged');
    }
  }
});

test('without the code at the end of the data, or with something behind it', async () => {
  await fails(open(await sealPackets(literal('content'), toCurve, false), curve), 'damaged');
  const codeTwice = Buffer.concat([literal('content'), Buffer.of(0xd3, 20), Buffer.alloc(20)]);
  await fails(open(await sealPackets(codeTwice, toCurve), curve), 'damaged');
});

test('what is no message at all', async () => {
  for (const bytes of ['', 'text', '\x85', '\xff\xff', '-----BEGIN PGP MESSAGE-----\n\n']) {
    await fails(open(Buffer.from(bytes, 'latin1'), curve), 'damaged');
  }
  await fails(open(literal('not encrypted'), curve), 'damaged');
  await fails(open(Buffer.alloc(100_000), curve), 'damaged');
});

test('headers that promise much take no memory', async () => {
  const endlessKey = Buffer.concat([Buffer.of(0xc1, 0xff, 0x7f, 0xff, 0xff, 0xff), Buffer.alloc(100_000)]);
  await fails(open(endlessKey, curve), 'damaged');
  const partialKey = Buffer.concat([Buffer.of(0xc1, 0xfe), Buffer.alloc(100_000)]);
  await fails(open(partialKey, curve), 'damaged');
  const manyKeys = Buffer.concat(Array.from({ length: 5000 }, () => Buffer.of(0xc1, 1, 3)));
  await fails(open(manyKeys, curve), 'damaged');
  const manyMarkers = Buffer.concat(Array.from({ length: 5000 }, () => Buffer.from('\xca\x03PGP', 'latin1')));
  await fails(open(manyMarkers, curve), 'damaged');
});

test('markers and padding in front are passed over', async () => {
  const marker = Buffer.from('\xca\x03PGP', 'latin1');
  const padding = Buffer.concat([Buffer.of(0xd5, 100), Buffer.alloc(100, 7)]);
  const message = Buffer.concat([marker, padding, small]);
  assert.equal(String(await open(message, curve)), 'a small message');
});

test('the failure of a source comes through', async () => {
  const failure = new Error('the connection broke');
  for (const name of ['zip.gpg', 'zlib.asc']) {
    for (const before of [0, 1, 20_000]) {
      async function* failing(): AsyncGenerator<Buffer> {
        yield* chunks(fixture(name).subarray(0, before));
        throw failure;
      }
      const caught = await collect(decryptOpenPgp(failing(), curve)).catch((error) => error);
      assert.is(caught, failure);
    }
  }
});

test('the source is closed when the consumer stops, or the message is refused', async () => {
  const refused = await identities('rsa');
  for (const [message, by] of [
    [parts, curve],
    [await seal(Buffer.alloc(330_000), toCurve, { armor: true }), curve],
    [fixture('zip.gpg'), curve],
    [small, refused],
  ] as const) {
    let closed = false;
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield* chunks(message, 1000);
        yield* chunks(Buffer.alloc(1_000_000));
      } finally {
        closed = true;
      }
    }
    try {
      for await (const _ of decryptOpenPgp(source(), by)) break;
    } catch (error) {
      // To somebody else, or so short that what follows it was reached.
      assert.is((error as { name?: unknown }).name, 'CryptoError');
    }
    assert.ok(closed);
  }
});

test.run();
