import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generateAgeKey } from '../../../src/crypto/age/generate.ts';
import { identityToRecipient, readAgeIdentities, readAgeRecipients } from '../../../src/crypto/age/keys.ts';
import { CryptoError } from '../../../src/crypto/failure.ts';

const created = new Date('2026-03-04T05:06:07.890Z');
const one = await generateAgeKey({ created });
const two = await generateAgeKey({ created });
const postQuantum = await generateAgeKey({ postQuantum: true, created });
/** The last character is part of the checksum. */
const mistyped = (key: string) => key.slice(0, -1) + (key.toLowerCase().endsWith('q') ? 'p' : 'q');

const test = suite('age keys');

function refusal(read: () => unknown): CryptoError {
  try {
    read();
  } catch (error) {
    assert.instance(error, CryptoError);
    return error as CryptoError;
  }
  return assert.unreachable('was accepted') as never;
}

test('reads lines with comments, empty lines, line ends of Windows and a byte order mark', () => {
  const text = `\uFEFF# the team\r\n\r\n${one.recipient}\r\n  ${two.recipient}  \r\n#${postQuantum.recipient}`;
  assert.equal(readAgeRecipients([text]).values, [one.recipient, two.recipient]);
  assert.equal(readAgeRecipients([one.recipient, `${two.recipient}\n${one.recipient}`]).values, [
    one.recipient,
    two.recipient,
  ]);
  assert.equal(readAgeIdentities([one.file.replaceAll('\n', '\r\n'), postQuantum.file]).values, [
    one.identity,
    postQuantum.identity,
  ]);
});

test('post-quantum keys and others are not mixed, as age refuses it too', () => {
  const error = refusal(() => readAgeRecipients([`${one.recipient}\n${postQuantum.recipient}`]));
  assert.is(error.reason, 'bad-key');
  assert.match(error.message, /cannot be used together.*keep one kind \(1 of 2 are post-quantum\)/);
  assert.equal(readAgeRecipients([postQuantum.recipient]).values, [postQuantum.recipient]);
});

const PUBLIC: Readonly<Record<string, [text: string, reason: string, message: RegExp]>> = {
  'a private key': [
    one.file,
    'bad-key',
    /^line 3 is a private age key where a public one is due.*age-keygen -y/,
  ],
  'a private key in small letters': [one.identity.toLowerCase(), 'bad-key', /^line 1 is a private age key/],
  'a mistyped key': [`\n${mistyped(one.recipient)}`, 'bad-key', /^line 2 is not an age public key/],
  'a mistyped post-quantum key': [mistyped(postQuantum.recipient), 'bad-key', /^line 1 is not an age public/],
  'half a key': [one.recipient.slice(0, 30), 'bad-key', /^line 1 is not an age public key/],
  'two keys in a line': [`${one.recipient} ${two.recipient}`, 'bad-key', /^line 1 is not an age public key/],
  'capital letters': [one.recipient.toUpperCase(), 'bad-key', /^line 1 is not an age public key/],
  'an SSH key': ['ssh-ed25519 AAAAC3Nz me', 'unsupported', /^line 1 is an SSH key.*age-keygen/],
  'a plugin': [
    `# key\nage1yubikey1${'q'.repeat(59)}`,
    'unsupported',
    /^line 2 is a public key for an age plugin/,
  ],
  'only comments': ['# nothing', 'bad-key', /^there is no age public key/],
  nothing: ['', 'bad-key', /^there is no age public key/],
};

for (const [what, [text, reason, message]] of Object.entries(PUBLIC)) {
  test(`${what} is no public key`, () => {
    const error = refusal(() => readAgeRecipients([text]));
    assert.is(error.reason, reason);
    assert.match(error.message, message);
    assertSilent(error, text);
  });
}

const PRIVATE: typeof PUBLIC = {
  'a public key': [
    `#\n${one.recipient}`,
    'bad-key',
    /^line 2 is a public age key where a private one is due/,
  ],
  'a mistyped key': [one.file + mistyped(two.identity), 'bad-key', /^line 4 is not an age private key/],
  'a mistyped post-quantum key': [mistyped(postQuantum.identity), 'bad-key', /^line 1 is not an age private/],
  'half a key': [one.identity.slice(0, 40), 'bad-key', /^line 1 is not an age private key/],
  'small letters': [one.identity.toLowerCase(), 'bad-key', /^line 1 is not an age private key/],
  'a plugin': [
    'AGE-PLUGIN-YUBIKEY-1QQQQ',
    'unsupported',
    /^line 1 is a private key for an age plugin.*age -d -i/,
  ],
  'an SSH key': ['-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl', 'unsupported', /^line 1 is an SSH key/],
  'an encrypted file': [
    'age-encryption.org/v1\n-> scrypt',
    'unsupported',
    /^the key file is itself encrypted: decrypt it with `age -d key.age > key`/,
  ],
  'an encrypted file in armour': [
    '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl',
    'unsupported',
    /^the key file is itself encrypted/,
  ],
  'only comments': ['# nothing', 'bad-key', /^there is no age private key/],
};

for (const [what, [text, reason, message]] of Object.entries(PRIVATE)) {
  test(`${what} is no private key`, () => {
    const error = refusal(() => readAgeIdentities([text]));
    assert.is(error.reason, reason);
    assert.match(error.message, message);
    assertSilent(error, text);
  });
}

/** No line of the text may show, not even in what caused the error. */
function assertSilent(error: Error, text: string): void {
  const shown = inspect(error).toLowerCase();
  for (const line of text
    .toLowerCase()
    .split('\n')
    .filter((line) => /secret|age1|plugin/.test(line)))
    assert.not(shown.includes(line.slice(0, 30)), shown);
}

test('says which of several files holds the line', () => {
  const error = refusal(() => readAgeRecipients([one.recipient, '#\nnonsense']));
  assert.match(error.message, /^line 2 of key file 2 is not an age public key/);
});

test('private keys do not show when printed', () => {
  const identities = readAgeIdentities([one.file]);
  assert.not.match(
    inspect(identities, { depth: 9, showHidden: true }) + JSON.stringify(identities),
    /SECRET/,
  );
});

test('a new key is a file as age-keygen writes it', async () => {
  assert.is(one.file, `# created: 2026-03-04T05:06:07Z\n# public key: ${one.recipient}\n${one.identity}\n`);
  assert.match(one.recipient, /^age1[a-z0-9]{58}$/);
  assert.match(one.identity, /^AGE-SECRET-KEY-1[A-Z0-9]{58}$/);
  assert.match(postQuantum.recipient, /^age1pq1[a-z0-9]{1952}$/);
  assert.match(postQuantum.identity, /^AGE-SECRET-KEY-PQ-1[A-Z0-9]{58}$/);
  assert.is.not(one.identity, two.identity);
});

test('the public key follows from the private one', async () => {
  assert.is(await identityToRecipient(one.identity), one.recipient);
  assert.is(await identityToRecipient(postQuantum.identity), postQuantum.recipient);
  const error = await identityToRecipient(mistyped(one.identity)).catch((error: Error) => error);
  assert.instance(error, CryptoError);
  assertSilent(error as Error, one.identity);
});

test.run();
