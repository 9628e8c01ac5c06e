/** Operations that the client's program carries out, in processes of its own. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Look, Make, Operation, Restore, Sealing } from '../operations.ts';
import { chosen } from './carry-out.ts';
import { contentOf, sha256 } from './content.ts';
import type { Ended } from './program.ts';
import type { Stage } from './stage.ts';

/** What the commands of `make` do with `$DATA`, and how the program must end if nothing else happens. */
const COMMANDS: Readonly<Record<Make['command'], { run: string; status: number; timeout?: string }>> = {
  writes: { run: 'cat "$DATA"', status: 0 },
  pauses: { run: 'head -c "$HALF" "$DATA"; sleep 0.15; tail -c "+$((HALF + 1))" "$DATA"', status: 0 },
  fails: { run: 'cat "$DATA"; exit 7', status: 3 },
  hangs: { run: 'cat "$DATA"; sleep 60', status: 4, timeout: '0.4' },
  'is empty': { run: 'true', status: 5 },
  dies: { run: 'cat "$DATA"; kill -9 $$', status: 3 },
};

/** Once for each run of a loader, before and after; what is loaded appears as a whole or not at all. */
const LOAD = 'echo begun >>"$RUNS"; cat >"$OUT.$$" && mv "$OUT.$$" "$OUT" && echo done >>"$RUNS"';

const STOPPED = [130, 137, 143];
const UNREACHABLE = 75;
const DAMAGED = 11;
const REFUSED = 10;
const GONE = 9;
const NOT_OURS = 12;

export async function make(stage: Stage, operation: Make, index: number): Promise<void> {
  const { collection, sealing, command, bytes } = operation;
  const { world, tools, folder } = stage;
  const name = `${stage.id}/${index}:`;
  const content = contentOf(name, Math.max(bytes, name.length), operation.content);
  const data = join(folder, `data-${index}`);
  writeFileSync(data, content);
  const entry = world.model.begin(collection, sha256(content));
  tools.sealed.set(entry.content, sealing.format);
  const { run, status, timeout } = COMMANDS[command];
  const refused = collection === 'sealed' && sealing.format === 'plain';
  if (status !== 0 || refused) entry.outcome = 'no';
  const args = ['make', '-i', collection, '--json', '--compress', sealing.compress, ...seal(stage, sealing)];
  const env = {
    DATA: data,
    HALF: String(content.length >> 1),
    BM_CMD: run,
    ...(timeout && { BM_TIMEOUT: timeout }),
  };
  const ended = await stage.program(index, args, stage.url(operation), env).ended;
  const what = `make (${command}, ${sealing.format}, ${sealing.compress}, ${content.length}) to ${collection}`;
  tell(stage, what, ended);
  const expected = [
    ...(refused ? [REFUSED] : []),
    // A command that fails may do so before the server has seen what it does not take.
    ...(refused && status === 0 ? [] : [status]),
    ...(stage.hasRivals(operation) ? [REFUSED] : []),
    ...excused(stage, operation, index),
  ];
  if (!expected.includes(ended.status)) stage.fault(`${what} ended with ${ended.status}: ${ended.stderr}`);
  if (ended.status === 0) {
    if (entry.outcome === 'no')
      return stage.fault(`${what} must fail, and said that it had stored a version`);
    const { version } = JSON.parse(ended.stdout) as { version: number };
    Object.assign(entry, { outcome: 'yes', number: version });
    tools.counts.acknowledged++;
  } else if (![...STOPPED, UNREACHABLE].includes(ended.status) || /nothing was stored/.test(ended.stderr)) {
    // What the program says with certainty has to be so.
    entry.outcome = 'no';
    tools.counts.refused++;
  }
}

export async function restore(stage: Stage, operation: Restore, index: number): Promise<void> {
  const { collection, which, twins } = operation;
  const version = chosen(stage, collection, which);
  if (!version) return;
  const folder = join(stage.folder, `restore-${index}`);
  mkdirSync(folder);
  const runs = join(folder, 'runs');
  const args = [
    'restore',
    '-i',
    collection,
    '-s',
    String(version.number),
    '--json',
    ...open(stage, version.content),
  ];
  const programs = Array.from({ length: Math.max(1, twins) }, (_, twin) => {
    const out = join(folder, `out-${twin}`);
    const action = {
      BM_ACTION_NAMESPACE: 'torture',
      BM_ACTION_NAME: `restore-${index}`,
      BM_ACTION_RUN_ID: stage.id,
    };
    const env = { RUNS: runs, OUT: out, BM_CMD: LOAD, ...(twins > 0 && action) };
    return { out, program: stage.program(index, args, stage.url(operation), env) };
  });
  const ended = await Promise.all(programs.map(({ program }) => program.ended));
  const what = `restore of ${collection} ${version.number}${twins > 0 ? `, ${twins} runs of one action` : ''}`;
  for (const each of ended) tell(stage, what, each);
  const expected = [
    0,
    ...gone(stage, collection),
    ...(twins > 1 ? [NOT_OURS] : []),
    ...excused(stage, operation, index),
  ];
  for (const [twin, { status, stderr }] of ended.entries()) {
    if (!expected.includes(status)) stage.fault(`${what} ended with ${status}: ${stderr}`);
    const out = programs[twin]?.out ?? '';
    if (!existsSync(out)) continue;
    stage.tools.counts.compared++;
    if (sha256(readFileSync(out)) !== version.content)
      stage.fault(`${what} loaded something else, or a half`);
  }
  const said = existsSync(runs) ? readFileSync(runs, 'utf8') : '';
  const [begun = 0, done = 0] = [/begun/g, /done/g].map((word) => said.match(word)?.length ?? 0);
  if (twins > 0 && begun > 1) stage.fault(`${what}: the loader ran ${begun} times`);
  if (ended.some(({ status }) => status === 0) && done === 0)
    stage.fault(`${what} succeeded and loaded nothing`);
}

export async function save(stage: Stage, operation: Look, index: number): Promise<void> {
  const version = chosen(stage, operation.collection, operation.which);
  if (!version) return;
  const file = join(stage.folder, `saved-${index}`);
  const args = ['download', '-i', operation.collection, '-s', String(version.number), '--save-path', file];
  const ended = await stage.program(
    index,
    [...args, ...open(stage, version.content)],
    stage.url(operation),
    {},
  ).ended;
  const what = `download of ${operation.collection} ${version.number} to a file`;
  tell(stage, what, ended);
  if (![0, ...gone(stage, operation.collection), ...excused(stage, operation, index)].includes(ended.status))
    stage.fault(`${what} ended with ${ended.status}: ${ended.stderr}`);
  if (ended.status === 0 && !existsSync(file)) return stage.fault(`${what} succeeded, and there is no file`);
  if (!existsSync(file)) return;
  stage.tools.counts.compared++;
  if (sha256(readFileSync(file)) !== version.content) stage.fault(`${what} left something else, or a half`);
}

export async function check(stage: Stage, operation: Look, index: number): Promise<void> {
  const version = chosen(stage, operation.collection, operation.which);
  if (!version) return;
  const args = [
    'check',
    '-i',
    operation.collection,
    '-s',
    String(version.number),
    ...open(stage, version.content),
  ];
  const ended = await stage.program(index, args, stage.url(operation), {}).ended;
  const what = `check of ${operation.collection} ${version.number}`;
  tell(stage, what, ended);
  if (![0, ...gone(stage, operation.collection), ...excused(stage, operation, index)].includes(ended.status))
    stage.fault(`${what} ended with ${ended.status}: ${ended.stderr}`);
}

function tell(stage: Stage, what: string, { status, stderr, hung }: Ended): void {
  stage.note(`${what}: ${status} ${stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? ''}`);
  if (hung) stage.fault(`${what} hung`);
}

/** The exit status of a version that the round's other operations may have removed. */
function gone(stage: Stage, collection: string): number[] {
  return stage.mayBeGone(collection) ? [GONE] : [];
}

/** Exit statuses that something in the way explains. */
function excused(stage: Stage, { do: name }: Operation, index: number): number[] {
  const { kind, disturbances } = stage.round;
  const signalled = disturbances.some((each) => each.what === 'signal' && each.operation === index);
  const quiet = kind === 'calm' || kind === 'client';
  return [
    ...(signalled ? STOPPED : []),
    ...(quiet ? [] : [UNREACHABLE]),
    // A broken upload may still hold its collection when it is tried again.
    ...(!quiet && name === 'make' ? [REFUSED] : []),
    // An action whose run is lost stays claimed.
    ...(!quiet && name === 'restore' ? [NOT_OURS] : []),
    ...(kind === 'line' ? [DAMAGED] : []),
    // A bit in the header of the format makes it look like another key's, or like nothing that we know.
    ...(kind === 'line' && name !== 'make' ? [6, 1, 3] : []),
  ];
}

function seal({ tools }: Stage, { format }: Sealing): string[] {
  return format === 'plain' ? ['--no-encryption'] : ['--key', `${tools.keys[format]}.pub`];
}

/** How to open what the model knows by this content: as it was sealed. */
function open({ tools }: Stage, content: string): string[] {
  const format = tools.sealed.get(content) ?? 'plain';
  return format === 'plain' ? ['--no-encryption'] : ['--private-key', tools.keys[format]];
}
