/** Both ways with the real `age`: the one of the distribution, and a newer one that knows post-quantum keys. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptAge } from '../../../../src/crypto/age/decrypt.ts';
import { encryptAge } from '../../../../src/crypto/age/encrypt.ts';
import { type AgeKey, generateAgeKey } from '../../../../src/crypto/age/generate.ts';
import { readAgeIdentities, readAgeRecipients } from '../../../../src/crypto/age/keys.ts';
import { collect, outcome, pieces } from '../../../crypto/age/streams.ts';
import { folderWith, root } from '../../sandbox.ts';

const CHUNK = 64 * 1024;
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 300_000, 5_000_000];
const NEWER = join(root, '.tools/bin');
const created = new Date();

function run(command: string, args: readonly string[], input: Buffer | string = '') {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, maxBuffer: 64 * 1024 * 1024 });
  if (error)
    throw new Error(`${command} does not run: install it with test/e2e/crypto/install.sh`, { cause: error });
  return { status, stdout, stderr: stderr.toString() };
}

function succeed(command: string, args: readonly string[], input: Buffer | string = ''): Buffer {
  const { status, stdout, stderr } = run(command, args, input);
  assert.is(status, 0, stderr);
  return stdout;
}

function openWith(bin: string, key: AgeKey, sealed: Buffer) {
  return run(`${bin}/age`, ['-d', '-i', join(folderWith({ key: key.file }), 'key')], sealed);
}

function seal(plain: Buffer, ...keys: readonly AgeKey[]): Promise<Buffer> {
  return collect(
    encryptAge(pieces(plain, 70_000), readAgeRecipients(keys.map(({ recipient }) => recipient))),
  );
}

function open(sealed: Buffer, key: AgeKey): Promise<Buffer> {
  return collect(decryptAge(pieces(sealed, 50_000), readAgeIdentities([key.file])));
}

for (const bin of ['/usr/bin', NEWER]) {
  const version = run(`${bin}/age`, ['--version']).stdout.toString().trim();
  const test = suite(`age ${version} (${bin === NEWER ? 'newer' : 'of the distribution'})`);
  const kinds = bin === NEWER ? [false, true] : [false];

  for (const postQuantum of kinds) {
    const kind = postQuantum ? 'post-quantum' : 'X25519';

    test(`it opens what was encrypted here, ${kind}`, async () => {
      const [one, two] = [
        await generateAgeKey({ postQuantum, created }),
        await generateAgeKey({ postQuantum, created }),
      ];
      for (const size of SIZES) {
        const plain = randomBytes(size);
        const sealed = await seal(plain, one, two);
        for (const key of [one, two])
          assert.ok(openWith(bin, key, sealed).stdout.equals(plain), `${size} bytes`);
      }
    });

    test(`what it encrypts opens here, binary and armoured, ${kind}`, async () => {
      const [one, two] = [
        await generateAgeKey({ postQuantum, created }),
        await generateAgeKey({ postQuantum, created }),
      ];
      const recipients = join(folderWith({ keys: `# two\n${one.recipient}\n${two.recipient}\n` }), 'keys');
      for (const size of SIZES) {
        const plain = randomBytes(size);
        for (const flags of [[], ['-a']]) {
          const sealed = succeed(`${bin}/age`, [...flags, '-R', recipients], plain);
          for (const key of [one, two])
            assert.ok((await open(sealed, key)).equals(plain), `${size} bytes ${flags}`);
        }
      }
    });

    test(`keys of either side serve the other, ${kind}`, async () => {
      const flags = postQuantum ? ['-pq'] : [];
      const file = succeed(`${bin}/age-keygen`, flags).toString();
      const recipient = /public key: (\S+)/.exec(file)?.[1] ?? '';
      const sealed = await collect(encryptAge(pieces(Buffer.from('theirs')), readAgeRecipients([recipient])));
      const opened = await collect(decryptAge(pieces(sealed), readAgeIdentities([file])));
      assert.is(opened.toString(), 'theirs');

      const key = await generateAgeKey({ postQuantum, created });
      assert.is(succeed(`${bin}/age-keygen`, ['-y'], key.file).toString().trim(), key.recipient);
    });
  }

  test('it finds that a file of ours was cut, at the end of a chunk too', async () => {
    const key = await generateAgeKey({ created });
    const sealed = await seal(randomBytes(2 * CHUNK), key);
    for (const cut of [1, 16, CHUNK + 16]) {
      const { status, stderr } = openWith(bin, key, sealed.subarray(0, -cut));
      assert.is.not(status, 0, stderr);
    }
  });

  test('content for another key says so', async () => {
    const [one, two] = [await generateAgeKey({ created }), await generateAgeKey({ created })];
    const sealed = succeed(`${bin}/age`, ['-r', one.recipient], 'for one');
    const { error } = await outcome(decryptAge(pieces(sealed), readAgeIdentities([two.file])));
    assert.is(error?.reason, 'wrong-key');
    assert.match(openWith(bin, two, await seal(Buffer.from('for one'), one)).stderr, /no identity matched/);
  });

  if (bin === NEWER) {
    test('it refuses to mix post-quantum and other recipients, as we do', async () => {
      const keys = [await generateAgeKey({ created }), await generateAgeKey({ postQuantum: true, created })];
      const { status, stderr } = run(
        `${bin}/age`,
        keys.flatMap(({ recipient }) => ['-r', recipient]),
        'mixed',
      );
      assert.is.not(status, 0);
      assert.match(stderr, /incompatible recipients/);
      assert.throws(
        () => readAgeRecipients(keys.map(({ recipient }) => recipient)),
        /cannot be used together/,
      );
    });
  }

  test.run();
}
