import { test } from 'uvu';

test.before(() => {
  throw new Error('as it should');
});
test('one', () => {});
test.run();
