/** The same seed draws the same round, and all that can happen does happen within a thousand of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FAULTS } from '../../torture/disturbances.ts';
import { COLLECTIONS, TIGHT_BYTES } from '../../torture/operations.ts';
import { drawRound, KINDS, seedOf } from '../../torture/scenario.ts';

const kinds = KINDS.map(({ name }) => name);
const rounds = Array.from({ length: 1000 }, (_, index) => drawRound(1, index + 1, kinds));
const test = suite('torture: scenario');

test('a round is drawn from its seed alone', () => {
  assert.equal(drawRound(1, 77, kinds), rounds[76]);
  assert.not.equal(drawRound(2, 77, kinds).operations, rounds[76]?.operations);
  assert.is(new Set(rounds.map(({ seed }) => seed)).size, 1000);
  assert.is(seedOf(1, 77), rounds[76]?.seed);
});

test('kinds have their shares', () => {
  assert.is(
    KINDS.reduce((sum, { share }) => sum + share, 0),
    100,
  );
  for (const { name, share, world } of KINDS) {
    const drawn = rounds.filter(({ kind }) => kind === name);
    assert.ok(Math.abs(drawn.length - share * 10) < 45, `${drawn.length} rounds of ${name}`);
    assert.ok(drawn.every((round) => round.world === world));
  }
});

test('kinds that cannot be played are not drawn', () => {
  for (let number = 1; number < 50; number++) assert.is(drawRound(1, number, ['calm']).kind, 'calm');
});

test('everything has its turn', () => {
  const operations = rounds.flatMap((round) => round.operations);
  const disturbances = rounds.flatMap((round) => round.disturbances);
  const drawn = (values: readonly unknown[]) => [...new Set(values)].sort();
  assert.equal(drawn(operations.map((each) => each.do)).length, 11);
  assert.equal(drawn(operations.map(({ collection }) => collection)), [...COLLECTIONS].sort());
  assert.is(drawn(operations.flatMap((each) => (each.do === 'make' ? each.command : []))).length, 6);
  assert.is(drawn(operations.flatMap((each) => (each.do === 'upload' ? each.how : []))).length, 6);
  assert.is(drawn(disturbances.map(({ what }) => what)).length, 9);
  const faults = disturbances.flatMap((each) =>
    each.what === 'line' ? each.faults.map(({ what }) => what) : [],
  );
  assert.equal(drawn(faults), drawn([...FAULTS, 'none']));
});

test('what is too large is so for its collection, and nothing else is', () => {
  for (const { operations } of rounds)
    for (const each of operations)
      if (each.collection === 'tight' && (each.do === 'upload' || each.do === 'make'))
        assert.is(each.bytes > TIGHT_BYTES, each.do === 'upload' && each.how === 'too large');
});

test.run();
