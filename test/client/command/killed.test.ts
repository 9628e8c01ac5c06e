import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { assertNothingRemains, killedCases, start } from './killed-cases.ts';
import { at, QUICK_SHELLS } from './support.ts';

const test = suite('client/command/killed');

for (const shells of QUICK_SHELLS) killedCases(test, shells);

for (const [name, shells] of QUICK_SHELLS.slice(0, 1)) {
  test(
    `${name}: ended by an error that nobody catches`,
    at(async (place) => {
      const child = start(place, shells, { FAIL_WHEN_STARTED: 'yes' });
      const [code] = await once(child, 'exit');
      assert.is(code, 1);
      assert.ok(existsSync(place.started));
      await assertNothingRemains(place);
    }),
  );
}

test.run();
