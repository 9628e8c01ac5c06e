/** A gibibyte through a dump and a load: nothing is lost, and memory does not grow with it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dump } from '../../../../src/client/command/dump.ts';
import { load } from '../../../../src/client/command/load.ts';
import { at, MEBIBYTE } from '../../../client/command/support.ts';
import { PATIENCE_MS } from '../../../eventually.ts';
import { liveBufferBytes } from '../../../live-memory.ts';

const test = suite('e2e/client/command/size');

const SIZE = 1024 * MEBIBYTE;
/** Of buffers in use, above those that were before. */
const MOST_MEMORY = 64 * MEBIBYTE;
const TIMEOUT_MS = 10 * PATIENCE_MS;

test(
  'a gibibyte from a dump into a load',
  at(async (place) => {
    const before = liveBufferBytes();
    let most = 0;
    let turn = 0;
    let bytes = 0;
    const sent = createHash('sha256');
    async function* counted(): AsyncGenerator<Buffer> {
      // Other bytes in every line, so that what comes twice or in the wrong order is noticed.
      for await (const chunk of dump(
        place.options(`seq 1 200000000 | head -c ${SIZE} || [ $? = 141 ]`, { timeoutMs: TIMEOUT_MS }),
      )) {
        bytes += chunk.length;
        sent.update(chunk);
        if (turn++ % 256 === 0) most = Math.max(most, liveBufferBytes());
        // A load holds back the end of what it is given, and this piece is written to again.
        yield Buffer.from(chunk);
      }
    }
    await load(counted(), place.options('sha256sum >"$ENDED"', { timeoutMs: TIMEOUT_MS }));
    assert.is(bytes, SIZE);
    assert.is(readFileSync(place.ended, 'utf8').split(' ')[0], sent.digest('hex'));
    assert.ok(most - before < MOST_MEMORY, `${Math.round((most - before) / MEBIBYTE)} MiB more memory`);
  }),
);

test.run();
