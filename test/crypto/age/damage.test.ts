import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CryptoError } from '../../../src/crypto/failure.ts';
import { armored, decryption, encrypted } from './streams.ts';

const CHUNK = 64 * 1024;
const SEALED_CHUNK = CHUNK + 16;
const test = suite('age damage');

/** Fails unless the error is one of ours and all that came out was sealed so. */
async function assertRefused(sealed: Buffer, plain: Buffer, what: string): Promise<void> {
  const { released, error } = await decryption(sealed);
  assert.instance(error, CryptoError, `${what} ended normally or with an error not made for people`);
  assert.ok(['damaged', 'wrong-key', 'unsupported'].includes(error?.reason ?? ''), what);
  assert.ok(released.equals(plain.subarray(0, released.length)), what);
}

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

test('a file that is cut at any byte never ends normally', async () => {
  const plain = Buffer.from('a small secret');
  const sealed = await encrypted(plain);
  for (let at = 0; at < sealed.length; at++)
    await assertRefused(sealed.subarray(0, at), plain, `cut at ${at}`);
});

test('a file in which any byte is different never ends normally', async () => {
  const plain = Buffer.from('a small secret');
  const sealed = await encrypted(plain);
  for (let at = 0; at < sealed.length; at++) {
    for (const bit of [at % 8, (at + 3) % 8])
      await assertRefused(flipped(sealed, at, bit), plain, `bit ${bit} of byte ${at}`);
  }
});

test('the same is true in armour, but for its last line feed', async () => {
  const plain = Buffer.from('a small secret');
  const sealed = armored(await encrypted(plain));
  for (let at = 0; at < sealed.length - 1; at++) {
    await assertRefused(sealed.subarray(0, at), plain, `cut at ${at}`);
    await assertRefused(flipped(sealed, at, at % 8), plain, `bit ${at % 8} of byte ${at}`);
  }
  assert.is((await decryption(sealed.subarray(0, -1))).error, undefined);
});

test('around the ends of chunks, cuts, flips and additions are found, and what came before is released', async () => {
  const plain = randomBytes(2 * CHUNK + 100);
  const sealed = await encrypted(plain);
  const payload = sealed.length - (2 * SEALED_CHUNK + 116);
  for (const chunk of [0, 1, 2]) {
    for (const offset of [-17, -16, -1, 0, 1, 15, 16, 17]) {
      const at = payload + chunk * SEALED_CHUNK + offset;
      await assertRefused(sealed.subarray(0, at), plain, `cut at ${chunk}/${offset}`);
      await assertRefused(flipped(sealed, at, 0), plain, `flipped at ${chunk}/${offset}`);
    }
  }
  for (const added of [1, 16, 17, SEALED_CHUNK, 2 * SEALED_CHUNK])
    await assertRefused(Buffer.concat([sealed, randomBytes(added)]), plain, `${added} bytes added`);

  const cut = await decryption(sealed.subarray(0, payload + 2 * SEALED_CHUNK));
  assert.ok(cut.released.equals(plain.subarray(0, 2 * CHUNK)));
  assert.match(cut.error?.message ?? '', /incomplete: its end is missing, from byte 131072/);
});

test('chunks that are swapped, repeated or left out are found', async () => {
  const plain = randomBytes(4 * CHUNK);
  const sealed = await encrypted(plain);
  const start = sealed.length - 4 * SEALED_CHUNK;
  const head = sealed.subarray(0, start);
  const chunks = [0, 1, 2, 3].map((n) =>
    sealed.subarray(start + n * SEALED_CHUNK, start + (n + 1) * SEALED_CHUNK),
  );
  for (const order of [
    [1, 0, 2, 3],
    [0, 0, 1, 2, 3],
    [0, 2, 3],
    [0, 1, 3],
    [3],
    [0, 1, 2, 3, 3],
    [0, 1, 2],
  ]) {
    const parts = order.map((n) => chunks[n] ?? Buffer.alloc(0));
    await assertRefused(Buffer.concat([head, ...parts]), plain, order.join());
  }
  const twice = await decryption(Buffer.concat([sealed, chunks[3] ?? Buffer.alloc(0)]));
  assert.match(twice.error?.message ?? '', /goes on after its end/);
});

test('says what a person can do about content that is no age file', async () => {
  const of = async (content: string) => (await decryption(Buffer.from(content))).error;
  assert.match((await of('PGDMP...'))?.message ?? '', /the content is no age file/);
  assert.match((await of('\n age-encryption.org/v1\n'))?.message ?? '', /the content is no age file/);
  assert.match((await of(''))?.message ?? '', /the content is empty/);
  assert.match((await of('age-encryption.org/v1\r\n'))?.message ?? '', /line ends are those of Windows/);
  const newer = await of('age-encryption.org/v2\nwhatever');
  assert.is(newer?.reason, 'unsupported');
  assert.match(newer?.message ?? '', /version of the format other than v1/);
});

test.run();
