/** Our streams and those of the stock program, each read by the other. */
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../../../bench/client/data.ts';
import { compress, compressionOf, decompress } from '../../../../src/client/compression/zstd.ts';
import { chunks, collect, failureOf } from '../../../client/compression/streams.ts';

const test = suite('e2e/client/compression/zstd');
const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'zstd-'));
const sql = Buffer.concat([...generate('sql', 9 * MIB + 7)]);
const random = Buffer.concat([...generate('random', 2 * MIB + 1)]);
writeFileSync(join(folder, 'sql'), sql);
writeFileSync(join(folder, 'random'), random);

test.after(() => rmSync(folder, { recursive: true, force: true }));

/** @param input standard input; without it, arguments name the files. */
function zstd(args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync('zstd', ['-q', ...args], {
    cwd: folder,
    input,
    maxBuffer: 64 * MIB,
  });
  if (error) throw error;
  assert.is(status, 0, String(stderr));
  return stdout;
}

for (const [name, content] of Object.entries({ sql, random, nothing: Buffer.of(), byte: Buffer.of(1) })) {
  for (const level of [1, 3, 12]) {
    test(`zstd -d reads ours: ${name} at level ${level}`, async () => {
      const compressed = await collect(compress(chunks(content, 65_536), { level }));
      assert.is(compressionOf(compressed), 'marked');
      assert.ok(zstd(['-d', '-c'], compressed).equals(content));
    });
  }
}

test('zstd sees a file of ours that was damaged', async () => {
  const compressed = await collect(compress(chunks(sql, 65_536), { level: 1 }));
  compressed[1_000_000] = (compressed[1_000_000] ?? 0) ^ 1;
  assert.is.not(spawnSync('zstd', ['-q', '-t'], { input: compressed }).status, 0);
});

for (const args of [
  ['-1'],
  ['-19'],
  ['--long=27'],
  ['-T0', '-3'],
  ['--no-check'],
  ['--fast=5'],
  ['-3', '--adapt'],
]) {
  test(`we read zstd ${args.join(' ')}`, async () => {
    for (const input of [undefined, sql]) {
      // From a file zstd knows the length, from a pipe it does not: other headers.
      const compressed = input ? zstd([...args, '-c'], input) : zstd([...args, '-c', 'sql']);
      assert.is(compressionOf(compressed), 'zstd');
      assert.ok((await collect(decompress(chunks(compressed, 65_536)))).equals(sql));
    }
  });
}

test('we read several files in one, with ours among them', async () => {
  const ours = await collect(compress(chunks(sql, 65_536), { level: 1 }));
  const all = Buffer.concat([zstd(['-c', 'random']), ours, zstd(['-c', 'sql', 'random'])]);
  const expected = Buffer.concat([random, sql, sql, random]);
  assert.ok((await collect(decompress(chunks(all, 65_536)))).equals(expected));
  assert.ok(zstd(['-d', '-c'], all).equals(expected));
});

test('a window that only --long=31 reads is refused, not guessed at', async () => {
  // From a pipe the length is unknown, so that the frame asks for the whole window.
  const compressed = zstd(['--long=28', '-c'], sql);
  const { code, message } = await failureOf(decompress(chunks(compressed, 65_536)));
  assert.is(code, 'unsupported');
  assert.match(message, 'more than 128 MiB');
});

test('a file on disk, as a stream', async () => {
  writeFileSync(join(folder, 'sql.zst'), zstd(['-c', 'sql']));
  const source = createReadStream(join(folder, 'sql.zst')) as AsyncIterable<Buffer>;
  assert.ok((await collect(decompress(source))).equals(sql));
});

test.run();
