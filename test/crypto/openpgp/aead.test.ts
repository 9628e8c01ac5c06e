/** The newer forms of encrypted data, as the `openpgp` package writes them. */
import * as openpgp from 'openpgp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readOpenPgpIdentities } from '../../../src/crypto/openpgp/keys.ts';
import { sealSessionKey } from '../../../src/crypto/openpgp/session-keys.ts';
import { dump, fails, identities, literal, open, packet, recipients, whatComesOf } from './fixtures.ts';

const test = suite('OpenPGP AEAD');
const { aead, symmetric } = openpgp.enums;
const SIZES = [0, 1, 63, 64, 65, 128, 1000];

const made = await openpgp.generateKey({
  userIDs: { email: 'aead@example.org' },
  config: { aeadProtect: true, v6Keys: true },
});
const encryptionKeys = await openpgp.readKey({ armoredKey: made.publicKey });
const by = await readOpenPgpIdentities([Buffer.from(made.privateKey)]);

/** Version 2 of packet 18. */
async function seipd2(content: Buffer, mode: 'ocb' | 'gcm' | 'eax', chunkOctet: number): Promise<Buffer> {
  const sessionKey: openpgp.SessionKey = {
    data: crypto.getRandomValues(new Uint8Array(32)),
    algorithm: 'aes256',
    aeadAlgorithm: mode,
  };
  const message = await openpgp.encrypt({
    message: await openpgp.createMessage({ binary: new Uint8Array(content) }),
    encryptionKeys,
    format: 'binary',
    config: {
      aeadProtect: true,
      preferredAEADAlgorithm: aead[mode],
      aeadChunkSizeByte: chunkOctet,
    },
    sessionKey,
  });
  return Buffer.from(message);
}

test('version 2 of the package: OCB and GCM, one chunk and many, at their edges', async () => {
  for (const mode of ['ocb', 'gcm'] as const) {
    for (const size of SIZES) {
      const content = dump().subarray(0, size);
      const message = await seipd2(content, mode, 0);
      assert.equal(await open(message, by), content, `${mode} ${size}`);
    }
    assert.ok((await open(await seipd2(dump(), mode, 10), by)).equals(dump()));
  }
});

test('version 2: cut anywhere, changed anywhere, or continued, it never ends normally', async () => {
  const content = dump().subarray(0, 120);
  const message = await seipd2(content, 'ocb', 0);
  for (let length = 0; length < message.length; length++) {
    await fails(open(message.subarray(0, length), by), 'damaged');
  }
  for (let at = 0; at < message.length; at++) await whatComesOf(message, at, 1, by, content);
  await fails(open(Buffer.concat([message, Buffer.of(0)]), by), 'damaged');
});

test('EAX, and chunks that would fill the memory, are said', async () => {
  const message = await seipd2(dump(), 'eax', 0);
  await fails(open(message, by), 'unsupported', /gpg --decrypt/);
});

/** Packet 20, which GnuPG writes. */
async function packet20(content: string, chunkOctet: number): Promise<Buffer> {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const theirs = new openpgp.AEADEncryptedDataPacket() as unknown as Packet20;
  theirs.aeadAlgorithm = aead.ocb;
  theirs.packets = { write: () => new Uint8Array(literal(content)) };
  await theirs.encrypt(symmetric.aes256, key, { ...openpgp.config, aeadChunkSizeByte: chunkOctet });
  const head = Buffer.of(1, symmetric.aes256, aead.ocb, chunkOctet);
  const session = await sealSessionKey(await recipients('curve'), key, new Date());
  const encrypted = Buffer.concat(Array.isArray(theirs.encrypted) ? theirs.encrypted : [theirs.encrypted]);
  return Buffer.concat([session, packet(20, head, Buffer.from(theirs.iv), encrypted)]);
}

interface Packet20 {
  aeadAlgorithm: number;
  packets: { write(): Uint8Array };
  iv: Uint8Array;
  encrypted: Uint8Array | Uint8Array[];
  encrypt(algorithm: number, key: Uint8Array, config: openpgp.Config): Promise<void>;
}

test("packet 20 in GnuPG's mode, and never whole if it is not", async () => {
  const curve = await identities('curve');
  for (const size of SIZES) {
    const content = 'x'.repeat(size);
    assert.is(String(await open(await packet20(content, 0), curve)), content);
  }
  const message = await packet20('x'.repeat(200), 0);
  for (let length = 0; length < message.length; length++) {
    await fails(open(message.subarray(0, length), curve), 'damaged');
  }
  for (let at = 0; at < message.length; at++)
    await whatComesOf(message, at, 1, curve, Buffer.from('x'.repeat(200)));
});

test.run();
