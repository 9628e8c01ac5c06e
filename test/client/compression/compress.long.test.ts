import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../../bench/client/data.ts';
import { CLIENT_MEMORY, V8_FLAGS } from '../../../src/cli/lean-memory.ts';
import { compress, compressionOf, decompress } from '../../../src/client/compression/zstd.ts';
import { cpuMsSince, cpuTime } from '../../cpu-time.ts';
import { PATIENCE_MS } from '../../eventually.ts';
import { chunks, collect, failureOf } from './streams.ts';

const test = suite('client/compression/compress');
const zstd = join(import.meta.dirname, '../../../src/client/compression/zstd.ts');
const MIB = 1024 * 1024;
const sql = Buffer.concat([...generate('sql', 5 * MIB)]);

for (const bytes of [
  0,
  1,
  65_535,
  65_536,
  MIB / 2 - 1,
  MIB / 2,
  MIB / 2 + 1,
  MIB - 1,
  MIB,
  MIB + 1,
  5 * MIB,
]) {
  test(`${bytes} bytes come back as they were`, async () => {
    const content = sql.subarray(0, bytes);
    const compressed = await collect(compress(chunks(content, 65_536), { level: 1 }));
    assert.ok((await collect(decompress(chunks(compressed, 65_536)))).equals(content));
  });
}

test('the chunks of neither side matter', async () => {
  const content = Buffer.concat([sql.subarray(0, 70_000), randomBytes(70_000)]);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 150_000 }),
      fc.integer({ min: 1, max: 150_000 }),
      fc.integer({ min: 100, max: content.length }),
      async (into, from, bytes) => {
        const part = content.subarray(0, bytes);
        const compressed = await collect(compress(chunks(part, Math.max(into, 50)), { level: 3 }));
        const back = await collect(decompress(chunks(compressed, Math.max(from, 50))));
        assert.ok(back.equals(part));
      },
    ),
    { numRuns: 15 },
  );
});

test('SQL at level 1 becomes about a third, and less still at level 9', async () => {
  const quick = await collect(compress(chunks(sql, 65_536), { level: 1 }));
  const thorough = await collect(compress(chunks(sql, 65_536), { level: 9 }));
  assert.ok(quick.length < sql.length * 0.36, `${quick.length}`);
  assert.ok(thorough.length < quick.length * 0.95, `${thorough.length} after ${quick.length}`);
});

test('what nothing can compress grows by less than a thousandth, and holds up no high level', async () => {
  const content = Buffer.concat([...generate('random', 12 * MIB)]);
  const begin = cpuTime();
  zlib.zstdCompressSync(content.subarray(0, MIB), {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: 19 },
  });
  const whole = 12 * cpuMsSince(begin);
  const start = cpuTime();
  const compressed = await collect(compress(chunks(content, 65_536), { level: 19 }));
  const used = cpuMsSince(start);
  assert.ok(compressed.length < content.length * 1.001);
  assert.ok(used < whole / 2, `${used} ms, and all of it at level 19 takes ${whole} ms`);
});

test('the requested level is back as soon as content gets smaller again', async () => {
  const level19 = zlib.zstdCompressSync(sql.subarray(0, MIB), {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: 19 },
  }).length;
  const start = Buffer.concat([...generate('random', 2 * MIB)]);
  const content = Buffer.concat([start, sql.subarray(0, 2 * MIB), sql.subarray(0, MIB)]);
  const compressed = await collect(compress(chunks(content, 65_536), { level: 19 }));
  // The last frame stands before the mark at the end.
  const last = compressed.length - compressed.lastIndexOf(Buffer.from('28b52ffd', 'hex'));
  assert.ok(last < level19 * 1.01, `${last} bytes, at level 19 alone ${level19}`);
});

test('our streams are recognised by their first bytes, and those of others are not taken for ours', async () => {
  const ours = await collect(compress(chunks(Buffer.from('x'), 1), { level: 1 }));
  assert.is(compressionOf(ours.subarray(0, 32)), 'marked');
  assert.is(compressionOf(zlib.zstdCompressSync('x')), 'zstd');
  const foreign = Buffer.from(ours);
  foreign.write('somebody else', 8);
  assert.is(compressionOf(foreign), 'zstd');
  assert.is(compressionOf(Buffer.from('-- PostgreSQL database dump, complete')), 'other');
  assert.is(compressionOf(zlib.gzipSync('x')), 'other');
  assert.is(compressionOf(Buffer.of()), 'other');
  assert.is(compressionOf(Buffer.of(0x28, 0xb5)), 'other');
});

test('an error of the source comes out as it is, and no end mark before it', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield sql;
    throw new Error('the dump failed');
  }
  const pieces: Buffer[] = [];
  try {
    for await (const piece of compress(broken(), { level: 1 })) pieces.push(piece);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'the dump failed');
  }
  assert.is((await failureOf(decompress(chunks(Buffer.concat(pieces), 65_536)))).code, 'damaged');
});

test('whoever stops early stops the source', async () => {
  let stopped = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield sql.subarray(0, 65_536);
    } finally {
      stopped = true;
    }
  }
  let pieces = 0;
  for await (const _ of compress(endless(), { level: 1 })) if (++pieces === 5) break;
  assert.ok(stopped);
});

test('two streams at a time do not mix', async () => {
  const contents = [sql.subarray(0, 3 * MIB), sql.subarray(2 * MIB)];
  const results = await Promise.all(
    contents.map((content) => collect(decompress(compress(chunks(content, 65_536), { level: 1 })))),
  );
  assert.equal(
    results.map((result, index) => result.equals(contents[index] ?? Buffer.of())),
    [true, true],
  );
});

test('a process ends by itself after streams that were given up, failed or ended', async () => {
  const { code, output } = await run(`
    const piece = Buffer.alloc(65536, 'text');
    async function* endless() { for (;;) yield piece; }
    async function* broken() { for (let i = 0; i < 100; i++) yield piece; throw new Error('broken'); }
    async function* some() { for (let i = 0; i < 100; i++) yield piece; }
    let n = 0;
    for await (const _ of compress(endless(), { level: 1 })) if (++n > 3) break;
    for await (const _ of decompress(compress(endless(), { level: 1 }))) if (++n > 9) break;
    try { for await (const _ of decompress(compress(broken(), { level: 1 }))) n++; } catch (error) { console.log(error.message); }
    for await (const _ of decompress(compress(some(), { level: 1 }))) n++;
    console.log('done');`);
  assert.is(output, 'broken\ndone\n');
  assert.is(code, 0);
});

test('memory does not grow with the content: 256 MiB of each kind', async () => {
  const { output } = await run(`
    const { generate } = await import(${JSON.stringify(join(import.meta.dirname, '../../../bench/client/data.ts'))});
    const { liveBufferBytes } = await import(${JSON.stringify(join(import.meta.dirname, '../../live-memory.ts'))});
    const [piece] = generate('random', 1048576);
    async function* content() { for (let i = 0; i < 256; i++) yield* [piece.subarray(0, 524288), Buffer.alloc(524288, 'INSERT')]; }
    const before = liveBufferBytes();
    let bytes = 0, most = 0, turn = 0;
    for await (const out of decompress(compress(content(), { level: 1 }))) {
      bytes += out.length;
      if (turn++ % 64 === 0) most = Math.max(most, liveBufferBytes() - before);
    }
    console.log(bytes, Math.round(most / 1048576));`);
  const [bytes, mostMib] = output.split(' ').map(Number);
  assert.is(bytes, 256 * MIB);
  assert.ok((mostMib ?? Number.NaN) < 32, `${mostMib} MiB are in use`);
});

/** Runs a module in a process of its own, which must end by itself. */
async function run(script: string): Promise<{ code: number | null; output: string }> {
  const imports = `import { compress, decompress } from ${JSON.stringify(zstd)};`;
  const { flags, variables } = CLIENT_MEMORY;
  const args = [...V8_FLAGS, ...flags, '--input-type=module', '-e', imports + script];
  const env = { ...process.env, ...variables };
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 2 * PATIENCE_MS,
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

test.run();
