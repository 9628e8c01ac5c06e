/** How many uploads there may be at a time. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mostUploads, UploadSlots } from '../../../src/server/http/upload-slots.ts';
import { openStorage } from '../../../src/server/storage/open-storage.ts';

const MIB = 1024 * 1024;

function fitting(limitBytes: number, uploadBytes: number): number {
  const memory = mock.method(process, 'constrainedMemory', () => limitBytes);
  try {
    return mostUploads(undefined, uploadBytes);
  } finally {
    memory.mock.restore();
  }
}

test('what fits in the memory of the manifests is what the guide says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slots-'));
  const volume = await openStorage(`file://${folder}`);
  const s3 = await openStorage('s3://bucket?endpoint=localhost:1&region=x');
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/server-api.md'), 'utf8');
  const [, onS3, onVolume] = /of 512Mi, (\d+) on S3 and (\d+) on a volume/.exec(guide) ?? [];
  assert.is(fitting(512 * MIB, s3.uploadBytes), Number(onS3));
  assert.is(fitting(512 * MIB, volume.uploadBytes), Number(onVolume));
  await s3.close();
  await volume.close();
  rmSync(folder, { recursive: true });
});

test('a few fit in whatever memory; all do where there is no limit, and as many as were asked for', () => {
  assert.is(fitting(128 * MIB, 5 * MIB), 8);
  assert.is(fitting(0, 5 * MIB), 0);
  // What the kernel says where there is no limit.
  assert.ok(fitting(2 ** 64, 5 * MIB) > 1e6);
  assert.is(mostUploads(3, 5 * MIB), 3);
  assert.is(mostUploads(0, 5 * MIB), 0);
});

test('places are taken and given back; 0 is no limit', () => {
  const slots = new UploadSlots(2);
  const giveBack = slots.take();
  slots.take();
  assert.throws(() => slots.take(), /no more uploads at a time than 2 /);
  giveBack();
  slots.take();
  const endless = new UploadSlots(0);
  for (let count = 0; count < 1000; count++) endless.take();
});

test.run();
