/** The model says of every impossible outcome that it is impossible, and of every possible one nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Model, type Outcome, type Seen } from '../../torture/model.ts';
import type { Policy } from '../../torture/rotation.ts';

const test = suite('torture: the model');

const seen = (number: number, content = `c${number}`, more: Partial<Seen> = {}): Seen => ({
  ...{ number, content, sha256: `s-${content}`, createdAt: number, pinned: false },
  ...more,
});

/** A collection that keeps two, with versions 1 and 2. */
function model(newest = 2, more: Partial<Policy> = {}): Model {
  const made = new Model({ a: { newest, ...more } });
  for (const number of [1, 2]) add(made, `c${number}`, 'yes', number);
  assert.equal(made.settle('a', [seen(1), seen(2)].slice(-newest), { barrier: 2, latest: 100 }), []);
  return made;
}

function add(made: Model, content: string, outcome: Outcome, number?: number): void {
  Object.assign(made.begin('a', content), { outcome, ...(number !== undefined && { number }) });
}

/** Stores the barrier and settles. */
function settle(made: Model, versions: readonly Seen[], barrier: number): string[] {
  add(made, `c${barrier}`, 'yes', barrier);
  return made.settle('a', versions, { barrier, latest: 100 });
}

/** Has to say this, and nothing else. */
function only(faults: readonly string[], what: RegExp): void {
  assert.is(faults.length, 1, faults.join('\n'));
  assert.match(faults.join(), what);
}

test('what was acknowledged is there, and what rotation had to remove is not', () => {
  assert.equal(settle(model(), [seen(2), seen(3)], 3), []);
});

test('a version that is lost', () => {
  assert.match(settle(model(), [seen(3)], 3).join(), /version 2 is lost: only 1 newer ones ever were/);
});

test('a version that was acknowledged in this round and is lost, also if it was stored last', () => {
  const made = model();
  add(made, 'c3', 'yes', 3);
  only(settle(made, [seen(2), seen(4)], 4), /version 3 is lost: only 1 newer ones ever were/);
  assert.match(settle(model(), [seen(2)], 3).join(), /version 3 was stored last and is lost/);
});

test('a version that was rotated away although it was too young', () => {
  const rotated = [seen(2), seen(3)];
  assert.equal(settle(model(2, { minAgeMs: 99 }), rotated, 3), []);
  only(settle(model(2, { minAgeMs: 100 }), rotated, 3), /version 1 was rotated away too young/);
});

test('a version that rotation should have removed', () => {
  assert.match(settle(model(), [seen(1), seen(2), seen(3)], 3).join(), /version 1 was not rotated away/);
});

test('an upload whose answer is lost may be there or not', () => {
  for (const there of [true, false]) {
    const made = model();
    add(made, 'perhaps', 'unknown');
    const versions = there ? [seen(3, 'perhaps'), seen(4)] : [seen(2), seen(3)];
    assert.equal(settle(made, versions, there ? 4 : 3), []);
  }
});

test('an upload whose answer is lost may be there and rotated away', () => {
  const made = model(1);
  add(made, 'perhaps', 'unknown');
  assert.equal(settle(made, [seen(4)], 4), []);
});

test('an answer that is lost explains one number, and one that was found, or a refusal, none', () => {
  const made = model(1);
  add(made, 'perhaps', 'unknown');
  only(settle(made, [seen(5)], 5), /nobody uploaded version 4/);
  const found = model(3);
  add(found, 'perhaps', 'unknown');
  only(settle(found, [seen(2), seen(3, 'perhaps'), seen(5)], 5), /nobody uploaded version 4/);
  const refused = model(1);
  add(refused, 'refused', 'no');
  only(settle(refused, [seen(4)], 4), /nobody uploaded version 3/);
});

test('a version that came after everything was over', () => {
  assert.match(
    settle(model(3), [seen(1), seen(2), seen(3), seen(4)], 3).join(),
    /version 4 came after everything was over.*the number 4 was used again, or out of turn/s,
  );
});

test('a number that nobody can have got', () => {
  assert.match(settle(model(1), [seen(4)], 4).join(), /nobody uploaded version 3/);
});

test('an upload that was refused and is there', () => {
  const made = model();
  add(made, 'refused', 'no');
  assert.match(settle(made, [seen(3, 'refused'), seen(4)], 4).join(), /version 3 was refused and is there/);
});

test('an upload that is there under another number than was acknowledged', () => {
  const made = model(3);
  add(made, 'c3', 'yes', 3);
  add(made, 'c4', 'yes', 4);
  assert.match(
    settle(made, [seen(3, 'c4'), seen(4, 'c3'), seen(5)], 5).join(),
    /version 3 was acknowledged as 4/,
  );
});

test('half of an upload', () => {
  const made = model();
  add(made, 'whole', 'unknown');
  assert.match(
    settle(made, [seen(3, 'who'), seen(4)], 4).join(),
    /version 3 is half of something, or nobody's/,
  );
});

test('an upload that is stored twice', () => {
  const made = model(3);
  add(made, 'once', 'unknown');
  assert.match(settle(made, [seen(3, 'once'), seen(4, 'once'), seen(5)], 5).join(), /stored twice/);
});

test('content that changed', () => {
  assert.match(
    settle(model(), [seen(2, 'c2', { sha256: 'else' }), seen(3)], 3).join(),
    /version 2 is not what it was/,
  );
});

test('a version that was rotated away comes back', () => {
  const made = model();
  assert.equal(settle(made, [seen(2), seen(3)], 3), []);
  assert.match(settle(made, [seen(1), seen(4)], 4).join(), /version 1 was gone and is there again/);
});

test('a version that was deleted comes back, at once or later', () => {
  const made = model(3);
  made.removing('a', 1, 'yes');
  assert.match(
    settle(made, [seen(1), seen(2), seen(3)], 3).join(),
    /version 1 was deleted and is there again/,
  );
  const later = model(3);
  later.removing('a', 1, 'yes');
  assert.equal(settle(later, [seen(2), seen(3)], 3), []);
  assert.not.ok(later.mayShow('a')(1));
});

test('a list that is asked for behind a deletion does not show what is gone, and one that was asked for before may', () => {
  const made = model();
  const before = made.mayShow('a');
  made.removing('a', 1, 'yes');
  made.removing('a', 2, 'unknown');
  assert.equal([1, 2, 3].map(before), [true, true, true]);
  assert.equal([1, 2, 3].map(made.mayShow('a')), [false, true, true]);
});

test('what is known of a deletion stays known', () => {
  const gone = model(3);
  for (const outcome of ['yes', 'unknown'] as const) gone.removing('a', 1, outcome);
  assert.match(
    settle(gone, [seen(1), seen(2), seen(3)], 3).join(),
    /version 1 was deleted and is there again/,
  );
  const perhaps = model(3);
  for (const outcome of ['unknown', 'no'] as const) perhaps.removing('a', 1, outcome);
  assert.equal(settle(perhaps, [seen(2), seen(3)], 3), []);
});

test('a deletion whose answer is lost may have happened or not', () => {
  for (const versions of [
    [seen(1), seen(2), seen(3)],
    [seen(2), seen(3)],
  ]) {
    const made = model(3);
    made.removing('a', 1, 'unknown');
    assert.equal(settle(made, versions, 3), []);
  }
});

test('the last version was deleted, and nobody had forced it', () => {
  const made = model();
  for (const number of [1, 2]) made.removing('a', number, 'yes');
  assert.match(settle(made, [seen(3)], 3).join(), /the last version was deleted/);
  const behind = model();
  for (const number of [1, 2]) behind.removing('a', number, 'yes');
  add(behind, 'c3', 'yes', 3);
  assert.equal(settle(behind, [seen(3), seen(4)], 4), [], 'one was stored meanwhile');
  assert.equal(settle(new Model({ a: { newest: 1 } }), [seen(1)], 1), [], 'there was none');
});

test('a pinned version stays, and one that is gone was lost', () => {
  const made = model();
  made.pinning('a', 1, true, 'yes');
  assert.equal(settle(made, [seen(1, 'c1', { pinned: true }), seen(2), seen(3)], 3), []);
  assert.match(settle(made, [seen(3), seen(4)], 4).join(), /version 1 was pinned and is gone/);
});

test('a version that was pinned in this round, and one that was and is deleted by hand, stay', () => {
  const now = model(1);
  now.pinning('a', 2, true, 'yes');
  only(settle(now, [seen(3)], 3), /version 2 was pinned and is gone/);
  for (const outcome of ['yes', 'unknown'] as const) {
    const before = model();
    before.pinning('a', 1, true, 'yes');
    assert.equal(settle(before, [seen(1, 'c1', { pinned: true }), seen(2), seen(3)], 3), []);
    before.removing('a', 1, outcome);
    only(settle(before, [seen(3), seen(4)], 4), /version 1 was pinned and is gone/);
  }
});

test('a version is lost if a pinned one has to count as one of those that it was rotated away for', () => {
  const made = model(3);
  made.pinning('a', 2, true, 'yes');
  const pinned = seen(2, 'c2', { pinned: true });
  assert.equal(settle(made, [seen(1), pinned, seen(3)], 3), []);
  only(settle(made, [pinned, seen(3), seen(4)], 4), /version 1 is lost: only 2 newer ones ever were/);
});

test('a version that may be pinned or not may also be gone', () => {
  const tell: Record<string, (made: Model) => void> = {
    unknown: (made) => made.pinning('a', 1, true, 'unknown'),
    both: (made) => {
      made.pinning('a', 1, true, 'yes');
      made.pinning('a', 1, false, 'yes');
    },
  };
  for (const [name, pin] of Object.entries(tell))
    for (const versions of [
      [seen(2), seen(3)],
      [seen(1, 'c1', { pinned: true }), seen(2), seen(3)],
    ]) {
      const made = model();
      pin(made);
      assert.equal(settle(made, versions, 3), [], name);
    }
});

test('what was unpinned may be rotated away, and a mark that was refused changes nothing', () => {
  const made = model();
  made.pinning('a', 1, true, 'yes');
  assert.equal(settle(made, [seen(1, 'c1', { pinned: true }), seen(2), seen(3)], 3), []);
  made.pinning('a', 1, false, 'yes');
  made.pinning('a', 2, true, 'no');
  assert.equal(settle(made, [seen(3), seen(4)], 4), []);
});

test('a mark that is not as it was set', () => {
  const made = model(3);
  made.pinning('a', 1, true, 'yes');
  assert.match(settle(made, [seen(1), seen(2), seen(3)], 3).join(), /version 1 is not pinned/);
});

test('one number for two uploads', () => {
  const made = model();
  add(made, 'one', 'yes', 3);
  add(made, 'two', 'yes', 3);
  assert.match(settle(made, [seen(3, 'one'), seen(4)], 4).join(), /version 3 was given to two uploads/);
});

test('a number that was used before', () => {
  const made = model();
  add(made, 'again', 'yes', 2);
  assert.match(settle(made, [seen(2), seen(3)], 3).join(), /the number 2 was used again/);
});

test('a download may give what is known to be there, or is on its way', () => {
  const made = model();
  add(made, 'on its way', 'unknown');
  add(made, 'stored', 'yes', 4);
  add(made, 'refused', 'no');
  assert.ok(made.mayHold('a', 2, 'c2'));
  assert.not.ok(made.mayHold('a', 2, 'on its way'));
  assert.ok(made.mayHold('a', 3, 'on its way'));
  assert.not.ok(made.mayHold('a', 3, 'c2'));
  assert.ok(made.mayHold('a', 4, 'stored'));
  assert.not.ok(made.mayHold('a', 3, 'stored'));
  assert.not.ok(made.mayHold('a', 3, 'refused'));
});

test('what exactly must be left of an upload', () => {
  assert.equal(model().afterUpload('a', seen(3)), [2, 3]);
});

test.run();
