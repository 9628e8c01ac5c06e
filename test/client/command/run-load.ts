/** A process of its own that loads without end, for tests that kill it: `node run-load.ts <shells as JSON> <command>`. */
import { existsSync } from 'node:fs';
import { load } from '../../../src/client/command/load.ts';
import { SILENT } from '../../../src/client/report.ts';
import { endless } from './support.ts';

const [, , shells = '', command = ''] = process.argv;
// Only the command's own processes are to be found by it.
const { MARK: TEST_MARK, ...env } = process.env;
if (env.FAIL_WHEN_STARTED) {
  setInterval(() => {
    if (existsSync(env.STARTED ?? '')) throw new Error('nobody catches this');
  }, 50);
}
await load(endless(), {
  command,
  env: { ...env, TEST_MARK },
  signal: new AbortController().signal,
  report: SILENT,
  shells: JSON.parse(shells),
});
