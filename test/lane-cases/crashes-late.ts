import { test } from 'uvu';

test('one', () => {
  setTimeout(() => {
    throw new Error('in nobody’s hands');
  }, 200);
});
test.run();
