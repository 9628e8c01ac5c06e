/**
 * Kills the server at random instants and prints what was lost: nothing.
 *
 *   node test/e2e/server/crash/kill.ts --kills 200 --seed 1 [--under /folder]
 */
import { parseArgs } from 'node:util';
import { crashes, faults } from './run.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    under: { type: 'string' },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const { under } = values;
const figures = await crashes({
  kills: Number(values.kills),
  seed: Number(values.seed),
  ...(under && { under }),
  progress: ({ kills, acknowledged }) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${kills} kills, ${acknowledged} acknowledged `);
  },
});
const wrong = faults(figures);
for (const [name, value] of Object.entries(figures)) {
  console.log(`${name.padEnd(18)} ${Array.isArray(value) ? value.length : value}`);
}
for (const fault of wrong.slice(0, 30)) console.log(fault);
process.exitCode = wrong.length > 0 ? 1 : 0;
