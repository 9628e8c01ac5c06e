/**
 * Random rounds of everything that goes wrong, over client and server; see README.md.
 *
 *   npm run torture                                1,000 rounds
 *   npm run torture -- --seed 7 --rounds 200       others, and so many of them; 201-400 are the next
 *   npm run torture -- --seed 7 --round 123        one round alone; several with commas
 *   npm run torture -- --kinds kill,clock          only these
 *   npm run torture -- --minutes 5                 ends then, however many are left; 20 if nothing is said
 */
import { parseArgs } from 'node:util';
import type { Played } from './play/round.ts';
import { describe, progress, summary } from './report.ts';
import { KINDS, type KindName } from './scenario.ts';
import { torture } from './torture.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1000' },
    round: { type: 'string' },
    kinds: { type: 'string' },
    minutes: { type: 'string', default: '20' },
    under: { type: 'string' },
    /** A line for each round. */
    verbose: { type: 'boolean', default: false },
    /** Ends with the first round that fails. */
    'stop-early': { type: 'boolean', default: false },
  },
});
const seed = whole(values.seed, '--seed');
const rounds = values.round
  ? values.round.split(',').map((text) => whole(text, '--round'))
  : range(values.rounds);
const kinds = values.kinds?.split(',').map((text): KindName => {
  const kind = KINDS.find(({ name }) => name === text);
  if (!kind) throw new Error(`--kinds: ${text} is none of ${KINDS.map(({ name }) => name).join(', ')}`);
  return kind.name;
});
const began = performance.now();
const { isTTY } = process.stderr;
const stop = new AbortController();
const minutes = whole(values.minutes, '--minutes');
// Asked once, the rounds under way are played to their end; asked twice, servers and mounts go at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => (stop.signal.aborted ? process.exit(1) : stop.abort()));
const late = setTimeout(() => stop.abort(), minutes * 60_000);
const run = await torture({
  ...{ seed, rounds, signal: stop.signal },
  ...(kinds && { kinds }),
  ...(values.under && { under: values.under }),
  warn: (what) => console.error(what),
  tell: (played) => {
    const last = played.at(-1) as Played;
    if (isTTY) process.stderr.write(`\r${progress({ played, rounds: rounds.length, began })} `);
    if (values.verbose)
      console.error(`round ${last.round.number} ${last.round.kind} ${Math.round(last.ms)} ms`);
    else if (!isTTY && played.length % 50 === 0)
      console.error(progress({ played, rounds: rounds.length, began }));
    if (last.faults.length === 0) return;
    console.error(describe(seed, last).join('\n'));
    if (values['stop-early']) stop.abort();
  },
});
clearTimeout(late);
if (isTTY) process.stderr.write('\n');
console.log(summary(run));
process.exitCode = run.faults.length > 0 || run.played.some(({ faults }) => faults.length > 0) ? 1 : 0;

/** `200`: the first two hundred; `201-400`: the next. */
function range(text: string): number[] {
  const [first = '', last] = text.includes('-') ? text.split('-') : ['1', text];
  const from = whole(first, '--rounds');
  return Array.from({ length: whole(last ?? '', '--rounds') - from + 1 }, (_, index) => from + index);
}

function whole(text: string, flag: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${flag} is a number, not ${text}`);
  return Number(text);
}
