import { test } from 'uvu';

test('one', async () => {
  console.log('said before');
  setTimeout(() => {
    throw new Error('in nobody’s hands');
  });
  await new Promise((resolve) => setTimeout(resolve, 10_000));
});
test.run();
