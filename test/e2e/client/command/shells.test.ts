/** The unit tests' promises with every other shell of this machine. */
import { suite } from 'uvu';
import { dumpCases } from '../../../client/command/dump-cases.ts';
import { killedCases } from '../../../client/command/killed-cases.ts';
import { loadCases } from '../../../client/command/load-cases.ts';
import { OTHER_SHELLS } from '../../../client/command/support.ts';

const test = suite('e2e/client/command/shells');

for (const shells of OTHER_SHELLS) {
  dumpCases(test, shells);
  loadCases(test, shells);
  killedCases(test, shells);
}

test.run();
