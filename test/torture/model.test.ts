/** The model says of every impossible outcome that it is impossible, and of every possible one nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Model, type Outcome, type Seen } from '../../torture/model.ts';

const test = suite('torture: the model');

const seen = (number: number, content = `c${number}`, more: Partial<Seen> = {}): Seen => ({
  ...{ number, content, sha256: `s-${content}`, createdAt: number, pinned: false },
  ...more,
});

/** A collection that keeps two, with versions 1 and 2. */
function model(newest = 2): Model {
  const made = new Model({ a: { strategy: 'fifo', newest } });
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

test('what was acknowledged is there, and what rotation had to remove is not', () => {
  assert.equal(settle(model(), [seen(2), seen(3)], 3), []);
});

test('a version that is lost', () => {
  assert.match(settle(model(), [seen(3)], 3).join(), /version 2 is lost: only 1 newer ones ever were/);
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

test('a number that nobody can have got', () => {
  assert.match(settle(model(1), [seen(4)], 4).join(), /nobody uploaded version 3/);
});

test('an upload that was refused and is there', () => {
  const made = model();
  add(made, 'refused', 'no');
  assert.match(settle(made, [seen(3, 'refused'), seen(4)], 4).join(), /version 3 was refused and is there/);
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
  assert.not.ok(later.mayShow('a', 1));
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
});

test('a pinned version stays, and one that is gone was lost', () => {
  const made = model();
  made.pinning('a', 1, true, 'yes');
  assert.equal(settle(made, [seen(1, 'c1', { pinned: true }), seen(2), seen(3)], 3), []);
  assert.match(settle(made, [seen(3), seen(4)], 4).join(), /version 1 was pinned and is gone/);
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
  assert.ok(made.mayHold('a', 2, 'c2'));
  assert.not.ok(made.mayHold('a', 2, 'on its way'));
  assert.ok(made.mayHold('a', 3, 'on its way'));
  assert.not.ok(made.mayHold('a', 3, 'c2'));
});

test('what exactly must be left of an upload', () => {
  assert.equal(model().afterUpload('a', seen(3)), [2, 3]);
});

test.run();
