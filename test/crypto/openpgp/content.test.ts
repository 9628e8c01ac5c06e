import { deflateRawSync, deflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptOpenPgp } from '../../../src/crypto/openpgp/decrypt.ts';
import { chunks, fails, identities, literal, open, packet, recipients, sealPackets } from './fixtures.ts';

const test = suite('OpenPGP content');
const by = await identities('curve');
const to = await recipients('curve');

const content = async (...packets: Buffer[]) =>
  String(await open(await sealPackets(Buffer.concat(packets), to), by));
const bytes = (...values: (number | string)[]) =>
  Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.of(value))));
const zip = (...inside: Buffer[]) => packet(8, Buffer.of(1), deflateRawSync(Buffer.concat(inside)));
const zlib = (...inside: Buffer[]) => packet(8, Buffer.of(2), deflateSync(Buffer.concat(inside)));
const header = 'b\0\0\0\0\0';

test('literal: every kind of length, with a name, marked as text', async () => {
  assert.is(await content(literal('')), '');
  assert.is(await content(literal('x'.repeat(300))), 'x'.repeat(300));
  assert.is(await content(packet(11, bytes('b', 4, 'name', 1, 2, 3, 4, 'abc'))), 'abc');
  assert.is(await content(packet(11, bytes('t\0\0\0\0\0', 'a\r\nb'))), 'a\r\nb');
  // Old headers: one, two and four octets, and up to the end of everything.
  assert.is(await content(bytes(0xac, 9, header, 'abc')), 'abc');
  assert.is(await content(bytes(0xad, 0, 9, header, 'abc')), 'abc');
  assert.is(await content(bytes(0xae, 0, 0, 0, 9, header, 'abc')), 'abc');
  assert.is(await content(bytes(0xaf, header, 'abc')), 'abc');
  // Parts: of 512, of 1, and an empty last one.
  const long = 'y'.repeat(507);
  assert.is(await content(bytes(0xcb, 0xe9, header, long.slice(1), 0xe0, 'z', 0)), `${long.slice(1)}z`);
  assert.is(await content(bytes(0xcb, 0xe0, 'b', 0xe2, '\0\0\0\0', 0xe0, '\0', 2, 'ab')), 'ab');
});

test('compressed: nested, with lengths of every kind, with signatures, followed by rubbish', async () => {
  assert.is(await content(zip(literal('abc'))), 'abc');
  assert.is(await content(zlib(zip(literal('abc')))), 'abc');
  assert.is(await content(packet(8, Buffer.of(0), literal('abc'))), 'abc');
  assert.is(await content(bytes(0xa3, 2), deflateSync(literal('abc'))), 'abc');
  assert.is(
    await content(packet(4, Buffer.alloc(13)), zip(literal('abc')), packet(2, Buffer.alloc(99))),
    'abc',
  );
  assert.is(
    await content(zip(packet(4, Buffer.alloc(13)), literal('abc'), packet(2, Buffer.alloc(99)))),
    'abc',
  );
  for (const rubbish of [1, 100_000]) {
    const longer = packet(8, Buffer.of(1), deflateRawSync(literal('abc')), Buffer.alloc(rubbish, 7));
    assert.is(await content(longer), 'abc', 'old programs append a byte');
  }
});

test('markers and padding anywhere', async () => {
  const marker = packet(10, Buffer.from('PGP'));
  const padding = packet(21, Buffer.alloc(1000, 3));
  assert.is(await content(marker, padding, zip(padding, literal('abc'), marker), padding), 'abc');
});

test('anything but one literal packet is damage', async () => {
  const bad: Buffer[][] = [
    [],
    [packet(10, Buffer.from('PGP'))],
    [literal('abc'), literal('def')],
    [zip(literal('abc')), literal('def')],
    [zip(literal('abc'), literal('def'))],
    [zip()],
    [packet(18, Buffer.of(1), Buffer.alloc(100))],
    [packet(1, Buffer.alloc(100))],
    [packet(60, Buffer.alloc(3)), literal('abc')],
    [packet(11, Buffer.from('b'))],
    [packet(8)],
    [packet(8, Buffer.of(1), Buffer.alloc(50, 0xff))],
    [packet(8, Buffer.of(2), deflateSync(literal('abc')).subarray(0, -5))],
    [packet(8, Buffer.of(2), deflateSync(literal('abc')).subarray(0, -1), Buffer.of(0))],
    [bytes(0xcb, 200, 9, header, 'too short')],
    [bytes(0xc2, 0xe9), Buffer.alloc(512), bytes(0)],
    [bytes(0x0b, 3, 'abc')],
  ];
  for (const packets of bad) {
    const plain = Buffer.concat(packets);
    await fails(open(await sealPackets(plain, to), by), 'damaged');
  }
});

test('nesting has an end', async () => {
  let nested = literal('abc');
  for (let depth = 0; depth < 4; depth++) nested = zip(nested);
  assert.is(await content(nested), 'abc');
  await fails(content(zip(nested)), 'damaged');
});

test('an unknown compression is said only of what is whole', async () => {
  const unknown = packet(8, Buffer.of(9), literal('abc'));
  for (const plain of [unknown, zip(unknown)]) {
    await fails(content(plain), 'unsupported', /unknown algorithm 9/);
    const changed = await sealPackets(plain, to);
    const last = changed.length - 1;
    changed[last] = (changed[last] ?? 0) ^ 1;
    await fails(open(changed, by), 'damaged');
  }
});

test('what is compressed very well comes out piece by piece', async () => {
  const size = 48 * 1024 * 1024;
  const message = await sealPackets(
    packet(
      8,
      Buffer.of(2),
      deflateSync(Buffer.concat([bytes(0xcb, 0xff), length(size + 6), bytes(header), Buffer.alloc(size)])),
    ),
    to,
  );
  assert.ok(message.length < 120_000, `${message.length}`);
  let total = 0;
  let largest = 0;
  for await (const chunk of decryptOpenPgp(chunks(message), by)) {
    total += chunk.length;
    largest = Math.max(largest, chunk.length);
  }
  assert.is(total, size);
  assert.ok(largest <= 262144, `${largest}`);
});

function length(octets: number): Buffer {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(octets);
  return four;
}

test.run();
