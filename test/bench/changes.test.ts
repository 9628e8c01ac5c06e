import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER, changedOffsets, writeChanged } from '../../bench/client/changes.ts';
import { writeData } from '../../bench/client/data.ts';

const MIB = 2 ** 20;

test('clusters are as many as the share says, spread over the file, each once', () => {
  const offsets = changedOffsets(64 * MIB, 0.01);
  assert.is(offsets.length, Math.round((64 * MIB * 0.01) / CLUSTER));
  assert.is(new Set(offsets).size, offsets.length);
  assert.equal(
    [...offsets].sort((a, b) => a - b),
    offsets,
  );
  assert.ok(offsets.every((offset) => offset % CLUSTER === 0 && offset + CLUSTER <= 64 * MIB));
  assert.ok((offsets[0] ?? 99 * MIB) < 8 * MIB && (offsets.at(-1) ?? 0) > 56 * MIB);
});

test('the second file differs from the first in these clusters and nowhere else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-changes-'));
  try {
    const [first, second] = [join(folder, '1'), join(folder, '2')];
    await writeData(first, 8 * MIB, 'sql');
    await writeChanged(first, second, 0.02);
    const [before, after] = [readFileSync(first), readFileSync(second)];
    assert.is(after.length, before.length);
    const changed = [];
    for (let at = 0; at < before.length; at += CLUSTER)
      if (!before.subarray(at, at + CLUSTER).equals(after.subarray(at, at + CLUSTER))) changed.push(at);
    assert.equal(changed, changedOffsets(8 * MIB, 0.02));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
