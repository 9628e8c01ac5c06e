/**
 * Sends much through one direction and prints by how much memory grew. In a process of its own: those of other tests would count.
 *
 *   node memory-child.ts encrypt|armor|decrypt|bomb FILE    the file is written by the first two, and read by the third
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createDeflate } from 'node:zlib';
import { decryptOpenPgp } from '../../../../src/crypto/openpgp/decrypt.ts';
import { encryptOpenPgp } from '../../../../src/crypto/openpgp/encrypt.ts';
import {
  collect,
  identities,
  literal,
  packet,
  recipients,
  sealPackets,
} from '../../../crypto/openpgp/fixtures.ts';

const MIB = 1024 * 1024;
const BYTES = 256 * MIB;
const [direction = '', file = ''] = process.argv.slice(2);
const to = await recipients('curve');
const by = await identities('curve');

async function* content(): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < BYTES; sent += 65536) yield Buffer.alloc(65536, sent);
}

/** A literal packet of a GiB of zeros, as the least that it compresses to. */
async function bomb(): Promise<Buffer> {
  const deflate = createDeflate();
  const compressed: Buffer[] = [];
  deflate.on('data', (chunk) => compressed.push(chunk));
  const begin = literal('').subarray(2);
  const header = Buffer.of(0xcb, 0xff, 0x40, 0, 0, begin.length);
  deflate.write(Buffer.concat([header, begin]));
  const zeros = Buffer.alloc(MIB);
  for (let i = 0; i < 1024; i++) if (!deflate.write(zeros)) await once(deflate, 'drain');
  deflate.end();
  await once(deflate, 'end');
  return sealPackets(packet(8, Buffer.of(2), ...compressed), to);
}

async function* written(message: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const sink = createWriteStream(file);
  for await (const chunk of message) {
    if (!sink.write(chunk)) await once(sink, 'drain');
    yield chunk;
  }
  sink.end();
  await once(sink, 'close');
}

const streams: Record<string, () => Promise<AsyncIterable<Buffer>>> = {
  encrypt: async () => written(encryptOpenPgp(content(), to, {})),
  armor: async () => written(encryptOpenPgp(content(), to, { armor: true })),
  decrypt: async () => decryptOpenPgp(createReadStream(file), by),
  bomb: async () => {
    const message = await bomb();
    return decryptOpenPgp(
      (async function* () {
        yield message;
      })(),
      by,
    );
  },
};

const stream = await streams[direction]?.();
if (!stream) throw new Error(`unknown direction: ${direction}`);
await collect(
  decryptOpenPgp(
    encryptOpenPgp(
      (async function* () {
        yield Buffer.alloc(MIB);
      })(),
      to,
      {},
    ),
    by,
  ),
);
const before = process.memoryUsage.rss();
let most = before;
let total = 0;
for await (const chunk of stream) {
  total += chunk.length;
  most = Math.max(most, process.memoryUsage.rss());
}
console.log(JSON.stringify({ total, grown: (most - before) / MIB }));
