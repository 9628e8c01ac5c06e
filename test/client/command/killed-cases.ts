/** Our own process dies in the middle of a load: the loader must not take that for the end of the backup. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Shells } from '../../../src/client/command/shells.ts';
import { appears, at, type Named, type Place } from './support.ts';

const LOADER =
  'touch "$TMPDIR/file"; echo >"$STARTED"; ((sleep 60) &); while read -r line; do :; done; echo >"$ENDED"';

/** Another process that loads; `place.started` says that its loader is at work. */
export function start(place: Place, shells: Shells, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { TEST_MARK: MARK, ...rest } = place.env;
  return spawn(process.execPath, [join(import.meta.dirname, 'run-load.ts'), JSON.stringify(shells), LOADER], {
    env: { ...rest, ...env, MARK },
    stdio: 'ignore',
  });
}

export async function assertNothingRemains(place: Place): Promise<void> {
  assert.equal(await place.survivors(), [], 'processes are left');
  assert.not.ok(existsSync(place.ended), 'the loader saw an end');
  assert.equal(place.leftovers(), [], 'temporary files are left');
}

export function killedCases(test: Test, [name, shells]: Named): void {
  test(
    `${name}: killed with SIGKILL`,
    at(async (place) => {
      const child = start(place, shells);
      await appears(place.started);
      await sleep(Math.random() * 30);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await assertNothingRemains(place);
    }),
  );
}
