import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptAge } from '../../../src/crypto/age/decrypt.ts';
import { encryptAge } from '../../../src/crypto/age/encrypt.ts';
import { generateAgeKey } from '../../../src/crypto/age/generate.ts';
import { readAgeIdentities, readAgeRecipients } from '../../../src/crypto/age/keys.ts';
import { collect, decryption, encrypted, identities, outcome, parts, pieces, recipients } from './streams.ts';

const KiB = 1024;
const test = suite('age round trips');

for (const size of [0, 1, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 128 * KiB, 300 * KiB, 3 * KiB * KiB]) {
  test(`${size} bytes come back the same`, async () => {
    const plain = randomBytes(size);
    const sealed = await encrypted(plain);
    // One way to write each size: a tag for every chunk, and an empty chunk only if there is nothing else.
    const payload = sealed.length - sealed.indexOf('\n', sealed.indexOf('\n---') + 1) - 1 - 16;
    assert.is(payload, size + 16 * Math.max(1, Math.ceil(size / (64 * KiB))));
    const { released, error } = await decryption(sealed);
    assert.is(error, undefined);
    assert.ok(released.equals(plain));
  });
}

test('however the bytes are cut on both sides, they come back the same', async () => {
  const cuts = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 60 * KiB, max: 70 * KiB }),
      fc.nat(400 * KiB),
    ),
    { minLength: 1, maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(300 * KiB), cuts, cuts, async (size, before, after) => {
      const plain = randomBytes(size);
      const sealed = await collect(encryptAge(pieces(plain, ...before, 20_000), recipients));
      const opened = await collect(decryptAge(pieces(sealed, ...after, 20_000), identities));
      assert.ok(opened.equals(plain));
    }),
    { numRuns: 30 },
  );
});

test('a byte at a time is enough', async () => {
  const plain = randomBytes(70 * KiB);
  const sealed = await collect(encryptAge(pieces(plain, 1), recipients));
  assert.ok((await decryption(sealed, 1)).released.equals(plain));
});

test('large pieces come out in large pieces', async () => {
  const plain = randomBytes(8 * KiB * KiB);
  const out = await parts(encryptAge(pieces(plain), recipients));
  assert.ok(out.length < 12, `${out.length} buffers for 8 MiB`);
  const back = await parts(decryptAge(pieces(await encrypted(plain)), identities));
  assert.ok(back.every((part) => part.length === 64 * KiB));
});

test('each of several recipients can open it, others cannot', async () => {
  const [first, second, stranger] = await Promise.all(
    Array.from({ length: 3 }, () => generateAgeKey({ created: new Date(0) })),
  );
  assert.ok(first && second && stranger);
  const both = readAgeRecipients([first.recipient, second.recipient]);
  const sealed = await collect(encryptAge(pieces(Buffer.from('to both')), both));
  for (const key of [first, second]) {
    const opened = await collect(decryptAge(pieces(sealed), readAgeIdentities([stranger.file, key.file])));
    assert.is(opened.toString(), 'to both');
  }
  const { released, error } = await outcome(decryptAge(pieces(sealed), readAgeIdentities([stranger.file])));
  assert.is(released.length, 0);
  assert.is(error?.reason, 'wrong-key');
  assert.match(error?.message ?? '', /none of the keys at hand, but to 2 other age keys/);
});

test('post-quantum keys work alike', async () => {
  const key = await generateAgeKey({ postQuantum: true, created: new Date(0) });
  const sealed = await collect(
    encryptAge(pieces(Buffer.from('for long')), readAgeRecipients([key.recipient])),
  );
  assert.match(sealed.toString('latin1'), /^age-encryption.org\/v1\n-> mlkem768x25519 /);
  const opened = await collect(decryptAge(pieces(sealed, 100), readAgeIdentities([key.file])));
  assert.is(opened.toString(), 'for long');
  assert.is((await decryption(sealed)).error?.reason, 'wrong-key');
});

test('the same content never looks the same twice', async () => {
  const [one, two] = await Promise.all([encrypted(Buffer.alloc(1000)), encrypted(Buffer.alloc(1000))]);
  assert.not.ok(one.subarray(-1000).equals(two.subarray(-1000)));
});

test('a public key that would protect nothing is refused when it is used, and the source closed', async () => {
  // All zero, with a good checksum: every secret shared with it is zero too.
  const zero = `age1${'q'.repeat(52)}5cu47z`;
  let closed = false;
  async function* source() {
    try {
      yield Buffer.from('secret');
    } finally {
      closed = true;
    }
  }
  const { released, error } = await outcome(encryptAge(source(), readAgeRecipients([zero])));
  assert.is(released.length, 0);
  assert.is(error?.reason, 'bad-key');
  assert.ok(closed);
});

test.run();
