import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { counted, peek } from '../../src/client/peek.ts';
import { bytes, collect, content } from './http/world.ts';

const test = suite('client: peek');

test('the head is as long as asked for, and all of the content comes after it', async () => {
  const all = bytes(1000);
  for (const cuts of [
    [0, 1000],
    [0, 1, 2, 3, 1000],
    [0, 400, 400, 1000],
    [0, 10, 20, 1000],
  ]) {
    const pieces = cuts.slice(1).map((end, index) => all.subarray(cuts[index], end));
    const { head, content: rest } = await peek(content(...pieces), 16);
    assert.equal(head, all.subarray(0, 16));
    assert.equal(await collect(rest), all);
  }
});

test('content that is shorter than the head, or none', async () => {
  const short = await peek(content(Buffer.from('ab')), 16);
  assert.is(short.head.toString(), 'ab');
  assert.is((await collect(short.content)).toString(), 'ab');
  const none = await peek(content(), 16);
  assert.is(none.head.length, 0);
  assert.is((await collect(none.content)).length, 0);
});

test('no more is read than the head needs', async () => {
  const source = content(bytes(10), bytes(10), bytes(10));
  await peek(source, 16);
  assert.is(source.state.given, 2);
});

test('an error in the head is thrown at once, one behind it in its place', async () => {
  const broken = new Error('broken');
  try {
    await peek(content(bytes(4), broken), 16);
    assert.unreachable();
  } catch (error) {
    assert.is(error, broken);
  }
  const { content: rest } = await peek(content(bytes(20), broken), 16);
  const got: Buffer[] = [];
  try {
    for await (const chunk of rest) got.push(chunk);
    assert.unreachable();
  } catch (error) {
    assert.is(error, broken);
  }
  assert.is(Buffer.concat(got).length, 20);
});

test('a reader that stops stops the source', async () => {
  const source = content(bytes(20), bytes(20), bytes(20));
  const { content: rest } = await peek(source, 16);
  for await (const _chunk of counted(rest, () => {})) break;
  assert.ok(source.state.stopped);
});

test('counted: what has passed, chunk by chunk', async () => {
  const seen: number[] = [];
  assert.is((await collect(counted(content(bytes(3), bytes(4)), (n) => seen.push(n)))).length, 7);
  assert.equal(seen, [3, 4]);
});

test.run();
