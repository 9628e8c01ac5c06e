/** How many uploads there may be at a time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { UploadSlots, uploadsThatFit } from '../../../src/server/http/upload-slots.ts';

const MIB = 1024 * 1024;

test('what the guides say fits in the memory of the manifests; a few always do, and without a limit all', () => {
  const onS3 = 5.5 * MIB;
  const onVolume = 2 * MIB;
  assert.is(uploadsThatFit(512 * MIB, onS3), 46);
  assert.is(uploadsThatFit(512 * MIB, onVolume), 128);
  assert.is(uploadsThatFit(1024 * MIB, onS3), 139);
  assert.is(uploadsThatFit(128 * MIB, onS3), 8);
  assert.is(uploadsThatFit(0, onS3), 0);
  // What the kernel says where there is no limit.
  assert.ok(uploadsThatFit(2 ** 64, onS3) > 1e6);
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
