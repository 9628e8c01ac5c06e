import { test } from 'uvu';

test('one', () => {});
test.run();
