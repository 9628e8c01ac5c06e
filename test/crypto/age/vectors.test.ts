/** The test vectors of the age format (https://c2sp.org/CCTV/age), each of them. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decryptAge } from '../../../src/crypto/age/decrypt.ts';
import { type AgeIdentities, readAgeIdentities } from '../../../src/crypto/age/keys.ts';
import { identities as anyIdentities, outcome, pieces } from './streams.ts';

const folder = join(import.meta.dirname, '../../../fixtures/crypto/age/cctv/testdata');

interface Vector {
  name: string;
  expect: string;
  payload: string | undefined;
  identities: AgeIdentities;
  /** Sealed with a passphrase, which is not supported here. */
  passphrase: boolean;
  file: Buffer;
}

function readVector(name: string): Vector {
  const bytes = readFileSync(join(folder, name));
  const end = bytes.indexOf('\n\n');
  const fields = bytes
    .toString('utf8', 0, end)
    .split('\n')
    .map((line) => line.split(': ', 2));
  const all = (field: string) => fields.flatMap(([key, value]) => (key === field && value ? [value] : []));
  const known = [
    'expect',
    'payload',
    'identity',
    'passphrase',
    'armored',
    'compressed',
    'file key',
    'comment',
  ];
  for (const [key] of fields) assert.ok(known.includes(key ?? ''), `${name} has a field ${key}`);
  const body = bytes.subarray(end + 2);
  return {
    name,
    expect: all('expect')[0] ?? '',
    payload: all('payload')[0],
    identities: all('identity').length > 0 ? readAgeIdentities(all('identity')) : anyIdentities,
    passphrase: all('passphrase').length > 0,
    file: all('compressed')[0] === 'zlib' ? inflateSync(body) : body,
  };
}

const vectors = readdirSync(folder).sort().map(readVector);
const withKeys = vectors.filter(({ passphrase }) => !passphrase);
const withPassphrase = vectors.filter(({ passphrase }) => passphrase);

/** How each expected failure shows here. */
const FAILURES: Readonly<Record<string, { reasons: readonly string[]; message: RegExp }>> = {
  'no match': { reasons: ['wrong-key'], message: /none of the keys at hand/ },
  'HMAC failure': { reasons: ['damaged'], message: /age header was changed: its HMAC/ },
  'header failure': { reasons: ['damaged', 'unsupported'], message: /age header(?!.*HMAC)/ },
  'payload failure': { reasons: ['damaged'], message: /^the age payload/ },
  'armor failure': { reasons: ['damaged'], message: /^the age armour/ },
};

/** Where another failure than the expected one is found first, for a reason. */
const FOUND_OTHERWISE: Readonly<Record<string, RegExp>> = {
  // Whether content is armoured is not said from outside here, and it does not begin like armour.
  armor_garbage_leading: /^the content is no age file/,
};

const test = suite('age test vectors');

test('every vector is there, and counted once', () => {
  const counts: Record<string, number> = {};
  for (const { expect } of withKeys) counts[expect] = (counts[expect] ?? 0) + 1;
  assert.equal(counts, {
    success: 24,
    'header failure': 42,
    'armor failure': 22,
    'payload failure': 19,
    'no match': 9,
    'HMAC failure': 1,
  });
  assert.is(withPassphrase.length, 26);
  assert.is(vectors.length, 143);
});

for (const { name, expect, payload, identities, file } of withKeys) {
  test(`${name}: ${expect}`, async () => {
    for (const size of file.length < 5000 ? [file.length, 1] : [file.length, 65_537, 1000]) {
      const { released, error } = await outcome(decryptAge(pieces(file, size), identities));
      const failure = FAILURES[expect];
      if (failure) {
        assert.ok(failure.reasons.includes(error?.reason ?? ''), String(error));
        assert.match(error?.message ?? '', FOUND_OTHERWISE[name] ?? failure.message);
      } else {
        assert.is(expect, 'success');
        assert.is(error, undefined);
      }
      if (payload) assert.is(createHash('sha256').update(released).digest('hex'), payload);
      else assert.is(released.length, 0);
    }
  });
}

for (const { name, expect, identities, file } of withPassphrase) {
  test(`${name}: refused, as passphrases are not supported`, async () => {
    const { released, error } = await outcome(decryptAge(pieces(file), identities));
    assert.is(released.length, 0);
    assert.ok(['unsupported', 'damaged', 'wrong-key'].includes(error?.reason ?? ''), String(error));
    if (name === 'scrypt_double' || name === 'scrypt_and_x25519') assert.is(error?.reason, 'damaged');
    if (expect === 'success') assert.match(error?.message ?? '', /passphrase .* open it with `age -d`/);
  });
}

test.run();
