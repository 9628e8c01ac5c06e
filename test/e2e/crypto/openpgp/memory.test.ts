/** Memory stays the same, whatever the size. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith } from '../../sandbox.ts';

const test = suite('OpenPGP memory');
const MIB = 1024 * 1024;
/** Half of the smallest content; most of it is buffers that Node.js has not collected yet. */
const LIMIT_MIB = 128;

const file = join(folderWith(), 'message');

for (const [direction, least] of [
  ['encrypt', 256],
  ['decrypt', 256],
  ['armor', 340],
  ['decrypt', 256],
  ['bomb', 1024],
] as const) {
  test(`${direction}: ${least} MiB come out, memory grows by less than ${LIMIT_MIB}`, async () => {
    const child = join(import.meta.dirname, 'memory-child.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [child, direction, file]);
    const { total, grown } = JSON.parse(stdout);
    assert.ok(total >= least * MIB, `${total} bytes came out`);
    assert.ok(grown < LIMIT_MIB, `memory grew by ${grown} MiB`);
  });
}

test.run();
