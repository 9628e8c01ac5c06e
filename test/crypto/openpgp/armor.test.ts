import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { armor, dearmor } from '../../../src/crypto/openpgp/armor.ts';
import { SourceBytes } from '../../../src/crypto/openpgp/bytes.ts';
import { Crc24 } from '../../../src/crypto/openpgp/crc24.ts';
import { chunks, collect, fails, fixture } from './fixtures.ts';

const test = suite('OpenPGP armour');
const put = async (bytes: Buffer, size?: number) => String(await collect(armor(chunks(bytes, size))));
const take = (text: string, size?: number) =>
  collect(dearmor(new SourceBytes(chunks(Buffer.from(text), size))));
const some = randomBytes(200);
const text = await put(some);

test('checksum: the check value of its catalogue, and in whatever pieces', () => {
  const digest = (...pieces: string[]) => {
    const crc = new Crc24();
    for (const piece of pieces) crc.update(Buffer.from(piece));
    return Buffer.from(crc.digest(), 'base64').toString('hex');
  };
  assert.is(digest('123456789'), '21cf02');
  assert.is(digest(), 'b704ce');
  assert.is(digest('1', '23456789'), '21cf02');
  const long = 'The quick brown fox jumps over the lazy dog';
  assert.is(digest(long), digest(...long));
});

test('every length, in pieces of every size', async () => {
  for (let length = 0; length < 150; length++) {
    const bytes = randomBytes(length);
    for (const size of [1, 7, 48, 1000]) {
      assert.equal(await take(await put(bytes, size), size), bytes, `${length} in ${size}`);
    }
  }
});

test("stock gpg's own armour comes out the same, line for line", async () => {
  const theirs = fixture('zlib.asc').toString();
  assert.is(await put(await take(theirs), 5000), theirs);
});

test('what other programs write: headers, other line lengths and ends, no checksum, text in front', async () => {
  const base64 = some.toString('base64');
  const checksum = /\n(=.{4})\n/.exec(text)?.[1] ?? '';
  for (const variant of [
    text.replace('\n\n', '\nVersion: GnuPG v2\nComment: ein=Kommentar-mit allem\n\n'),
    text.replace('\n\n', '\nComment: \n  \n'),
    text.replace(/\n/g, '\r\n'),
    text.replace(`${checksum}\n`, ''),
    text.replace(/\n$/, ''),
    `${text}\r\n \n`,
    `gpg: a note\nand -----BEGIN PGP MESSAGE----- in a line\n${text}`,
    `\n\n${text}`,
    `-----BEGIN PGP MESSAGE-----\n\n${base64.replace(/(.{76})/g, '$1\n')}\n${checksum}\n-----END PGP MESSAGE-----`,
    `-----BEGIN PGP MESSAGE-----\n\n${base64}\n-----END PGP MESSAGE-----\n`,
  ]) {
    for (const size of [1, 65536]) assert.equal(await take(variant, size), some, variant);
  }
});

test('cut anywhere, or continued, it is damaged', async () => {
  for (let length = 0; length < text.length - 1; length++) {
    await fails(take(text.slice(0, length)), 'damaged');
  }
  for (const more of ['x', '\nmore text', text, '-']) await fails(take(text + more), 'damaged');
});

test('with any character changed, nothing else comes out as whole', async () => {
  for (let at = 0; at < text.length; at++) {
    for (const bits of [1, 2, 0x10, 0x40]) {
      const changed = Buffer.from(text, 'latin1');
      changed[at] = (changed[at] ?? 0) ^ bits;
      const result = await take(changed.toString('latin1')).catch((error) => error);
      if (Buffer.isBuffer(result)) assert.equal(result, some, `${at} ^ ${bits}`);
      else assert.is(result.reason, 'damaged');
    }
  }
});

test('text without end in front or behind is not gathered', async () => {
  let given = 0;
  async function* endless(begin: string): AsyncGenerator<Buffer> {
    yield Buffer.from(begin);
    for (;;) {
      given += 1000;
      yield Buffer.alloc(1000, '\n');
    }
  }
  for (const begin of ['text', text]) {
    given = 0;
    await fails(collect(dearmor(new SourceBytes(endless(begin)))), 'damaged');
    assert.ok(given < 40_000, `${given}`);
  }
});

test.run();
