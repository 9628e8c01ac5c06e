/**
 * The long form of the cuts and flips; prints figures, and what is wrong. `--loaders` is `procedure`, our own restore.sh, or `naive`:
 * pg_restore and psql in turns.
 *
 *   node test/e2e/client/proof/prove.ts --format age --loaders naive --cuts 200 --flips 200 --seed 1
 *
 * The other proofs are longer with variables: PROOF_PLACES, PROOF_KILLS, PROOF_SIGNALS, PROOF_SEED, and PROOF_GIB=5 for round trips.
 */
import { parseArgs } from 'node:util';
import { prove } from './figures.ts';
import { SEALED } from './keys.ts';
import type { Loader } from './loads.ts';

const LOADERS: Readonly<Record<string, readonly Loader[]>> = {
  procedure: ['procedure'],
  naive: ['pg_restore -1', 'psql -1'],
};

const { values } = parseArgs({
  options: {
    format: { type: 'string', default: 'age' },
    loaders: { type: 'string', default: 'procedure' },
    cuts: { type: 'string', default: '200' },
    flips: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
});
const format = SEALED.find((each) => each === values.format);
const loaders = LOADERS[values.loaders];
if (format === undefined) throw new Error(`--format is ${SEALED.join(' or ')}`);
if (loaders === undefined) throw new Error(`--loaders is ${Object.keys(LOADERS).join(' or ')}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const started = performance.now();
const wanted = [{ format, loaders, cuts: Number(values.cuts), flips: Number(values.flips) }];
const { faults, ...figures } = await prove(wanted, Number(values.seed), (done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} `);
});
const seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify({ ...values, ...figures, seconds }));
for (const fault of faults.slice(0, 30)) console.log(fault);
console.log(`${faults.length} faults`);
process.exit(faults.length > 0 ? 1 : 0);
