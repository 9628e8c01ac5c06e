import { test } from 'uvu';

test('one', () => {});
test('two', () => {
  throw new Error('as it should');
});
test.run();
