import { test } from 'uvu';

test('one', () => {});
test.skip('two', () => {});
test.run();
