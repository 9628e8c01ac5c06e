import { execFileSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { endsWell, recognise } from '../../src/crypto/formats.ts';

const test = suite('formats');
const bytes = (...values: number[]) => Buffer.from(values);

test('OpenPGP: session keys, then encrypted data, in both packet headers', () => {
  const oldPacket = Buffer.concat([bytes(0x84, 2, 3, 0), bytes(0xa4, 1, 0)]);
  const newPacket = Buffer.concat([bytes(0xc1, 3, 3, 0, 0), bytes(0xc3, 2, 4, 9), bytes(0xd2, 0xe0, 1)]);
  const longPacket = Buffer.concat([bytes(0x85, 1, 4, 3), Buffer.alloc(259), bytes(0xd2, 1)]);
  const beyondHead = Buffer.concat([bytes(0xc1, 0xff, 0, 1, 0, 0, 6), Buffer.alloc(100)]);
  for (const good of [oldPacket, newPacket, longPacket, beyondHead]) assert.is(recognise(good), 'openpgp');
  const compressed = bytes(0xa3, 1, 0x78);
  const literal = bytes(0xcb, 5, 0x62, 0, 0, 0, 0);
  const keyThenLiteral = Buffer.concat([bytes(0x84, 2, 3, 0), literal]);
  const oddVersion = bytes(0x84, 2, 7, 0);
  for (const bad of [
    compressed,
    literal,
    keyThenLiteral,
    oddVersion,
    bytes(0x84),
    bytes(0x28, 0xb5, 0x2f, 0xfd),
    Buffer.alloc(0),
  ]) {
    assert.is(recognise(bad), undefined, bad.toString('hex'));
  }
});

test('OpenPGP: what gpg itself writes, if it is here', () => {
  const gpg = (...args: string[]) =>
    execFileSync(
      'gpg',
      ['--batch', '--pinentry-mode', 'loopback', '--passphrase', 'x', '--symmetric', ...args],
      { input: 'content', stdio: ['pipe', 'pipe', 'ignore'] },
    );
  let binary: Buffer;
  try {
    binary = gpg();
  } catch {
    return;
  }
  assert.is(recognise(binary), 'openpgp');
  const armour = gpg('--armor');
  assert.is(recognise(armour), 'openpgp-armor');
  assert.ok(endsWell('openpgp-armor', armour.subarray(-256)));
});

test('armour: at the beginning of a line; its end is the end', () => {
  assert.is(recognise(Buffer.from('gpg: note\n-----BEGIN PGP MESSAGE-----\n')), 'openpgp-armor');
  assert.is(recognise(Buffer.from('  -----BEGIN AGE ENCRYPTED FILE-----\n')), 'age-armor');
  assert.is(recognise(Buffer.from('see -----BEGIN PGP MESSAGE-----')), undefined);
  assert.is(recognise(Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----')), undefined);
  const footer = '-----END PGP MESSAGE-----';
  assert.ok(endsWell('openpgp-armor', Buffer.from(`=abc\n${footer}\r\n\n`)));
  assert.not.ok(endsWell('openpgp-armor', Buffer.from(`${footer}\nmore`)));
  assert.not.ok(endsWell('age-armor', Buffer.from(footer)));
  assert.ok(endsWell('age', Buffer.alloc(0)));
});

test.run();
