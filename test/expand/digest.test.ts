import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../src/expand/digest.ts';

test('the digest of a text never changes: Jobs in clusters are named by it', () => {
  assert.is(digest(''), 'fj27kjrd6h');
  assert.is(digest('restore'), '2jk2cf22vf');
});

test('different texts have different digests, of letters that a name may end with', () => {
  const seen = new Set<string>();
  for (let index = 0; index < 20_000; index++) seen.add(digest(`pod template ${index}`));
  assert.is(seen.size, 20_000);
  for (const name of seen) assert.match(name, /^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
});

test.run();
