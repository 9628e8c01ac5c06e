/** A disk that is full, for the loader and for a saved file. In a mount namespace of its own, so that nothing is left mounted. */
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loudly } from '../../loudly.ts';
import { Client } from './client.ts';
import { proofFolder } from './programs.ts';
import { roomy, UploadWorld } from './uploads.ts';

const test = suite('e2e/client/proof/disk-full');

let world: UploadWorld;
let folder = '';

test.before(
  loudly(async () => {
    world = await UploadWorld.start([roomy('tar'), roomy('file')]);
    for (const [collection, command] of [
      ['tar', 'tar -cf - -C "${DATA%/*}" data'],
      ['file', 'cat "$DATA"'],
    ] as const) {
      const { status, stderr } = await world.make({ collection, command });
      assert.is(status, 0, stderr);
    }
    folder = mkdtempSync(join(proofFolder, 'disk-'));
    mkdirSync(join(folder, 'full'));
  }),
);
test.after(() => world?.repository.remove());

/** Mounts 2 MiB at `$FULL`, runs the client, and tells what lies there afterwards. */
const ON_A_SMALL_DISK = [
  ...['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'],
  'mount -t tmpfs -o size=2m tmpfs "$FULL" && ("$@"; status=$?; ls -A "$FULL" >"$LISTING"; exit $status)',
  'sh',
];

async function onASmallDisk(args: readonly string[], command = '', wrapper: readonly string[] = []) {
  const env = { ...world.env(), FULL: join(folder, 'full'), LISTING: join(folder, 'listing') };
  const client = new Client([...args, ...world.keys.open.age], {
    env: { ...env, ...(command !== '' && { BM_CMD: command }) },
    wrapper: [...ON_A_SMALL_DISK, ...wrapper],
  });
  const ended = await client.ended;
  const remains = await client.remains();
  client.forget();
  return { ...ended, remains, listing: readFileSync(env.LISTING, 'utf8').trim() };
}

for (const [collection, command, said] of [
  ['tar', 'tar -xf - -C "$FULL"', /No space left on device|Wrote only/],
  ['file', 'cat >"$FULL/file"', /No space left on device/],
] as const) {
  test(`a restore with \`${command}\``, async () => {
    const { status, stderr, remains } = await onASmallDisk(['restore', '-i', collection], command);
    assert.is(status, 3, stderr);
    assert.match(stderr, said);
    assert.match(stderr, /the load command failed with exit code \d/);
    assert.equal(remains, []);
  });
}

test('a saved file: there is none, and no part of one', async () => {
  const path = join(folder, 'full/saved');
  const { status, stderr, remains, listing } = await onASmallDisk([
    'download',
    '-i',
    'file',
    '--save-path',
    path,
  ]);
  assert.is(status, 74, stderr);
  assert.match(stderr, /cannot write .*: the disk is full/);
  assert.is(listing, '');
  assert.equal(remains, []);
});

test('a file that the shell opened: an error, also if what was too much came in one piece', async () => {
  // What is left of the disk is less than the last piece, or than the first one.
  for (const left of ['1500', '10']) {
    const fill = `head -c $((2097152 - ${left} * 1024)) /dev/zero >"$FULL/other"; exec "$@" >"$FULL/file"`;
    const download = ['download', '-i', 'file', '--save-path', '-'];
    const { status, stderr, remains } = await onASmallDisk(download, '', ['sh', '-c', fill, 'sh']);
    assert.is(status, 74, stderr);
    assert.match(stderr, /cannot write to standard output: the disk is full/);
    assert.not.match(stderr, /Version downloaded/);
    assert.equal(remains, []);
  }
});

test.run();
