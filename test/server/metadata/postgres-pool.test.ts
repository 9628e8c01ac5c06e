/** Connections to a PostgreSQL that ends them at the worst moment. What speaks here is not a database, but its protocol (version 3). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MetadataUnavailable } from '../../../src/server/metadata/metadata.ts';
import { openMetadata } from '../../../src/server/metadata/open-metadata.ts';
import { hostile } from '../../client/http/world.ts';

function message(type: string, ...body: readonly (string | number)[]): Buffer {
  const bytes = Buffer.concat(
    body.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : int32(part))),
  );
  return Buffer.concat([Buffer.from(type), int32(bytes.length + 4), bytes]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const AUTHENTICATED = message('R', 0);
const READY = message('Z', 'I');
const TERMINATED = message(
  'E',
  'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0',
);

/** Lets everybody in, and ends the session in the very bytes that begin it. */
const endsAtOnce = () =>
  hostile((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, TERMINATED])));
  });

const test = suite('connections to PostgreSQL');

test('a session that ends as it begins is an error of whoever asked, not the end of the server', async () => {
  const server = await endsAtOnce();
  const metadata = await openMetadata(`postgres://u:p@127.0.0.1:${server.port}/d?sslmode=disable`);
  try {
    for (let time = 0; time < 3; time++) {
      const error = await metadata.versions.list('a').then(
        () => assert.unreachable('it answered'),
        (thrown: unknown) => thrown,
      );
      assert.instance(error, MetadataUnavailable);
    }
  } finally {
    await metadata.close();
    await server.close();
  }
});

test.run();
