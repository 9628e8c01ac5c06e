import { test } from 'uvu';

test('one', () => new Promise(() => {}));
test.run();
