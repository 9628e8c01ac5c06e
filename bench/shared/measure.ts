/** Runs commands in turns and times them, so that what else the machine does falls upon all of them alike. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Summary, summarize } from './statistics.ts';
import { findProgram } from './tools.ts';

export interface Command {
  name: string;
  /** Program and arguments. */
  run: readonly string[];
  /** File that is standard input. */
  input?: string;
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** What is compared, and what a ratio below 1.0 has to be explained for. */
  role?: 'ours' | 'peer' | 'reference';
}

/** Wall times in milliseconds, from starting the process to its end. */
export interface Measurement extends Summary {
  name: string;
  role?: Command['role'];
  /** Peak resident memory in MiB, where it was asked for. */
  peak?: number;
}

/** After which no further round begins, so that a slow machine is done in time too, as long as three rounds count. */
const MOST_MS = 15_000;
const LEAST_ROUNDS = 3;

export interface Rounds {
  /** A round before the others that does not count; true if nothing is said. */
  warmUp?: boolean;
  /** After which no further round begins, where they may take longer than usual. */
  mostMs?: number;
}

/** For commands that were tried out already. */
export const WARM: Rounds = { warmUp: false };

/** Each command `runs` times, one after the other in alternating order. */
export function interleaved(
  runs: number,
  commands: readonly Command[],
  { warmUp = true, mostMs = MOST_MS }: Rounds = {},
): Measurement[] {
  const times = commands.map((): number[] => []);
  const began = performance.now();
  for (let round = warmUp ? -1 : 0; round < runs; round++) {
    if (round >= LEAST_ROUNDS && performance.now() - began > mostMs) break;
    const order = [...commands.entries()];
    if (round % 2 !== 0) order.reverse();
    for (const [index, command] of order) {
      const time = once(command);
      if (round >= 0) times[index]?.push(time);
    }
  }
  return commands.map((command, index) => named(command, times[index] ?? []));
}

/** Those that work here: a peer that fails is told about and left out, ours must not fail. */
export function usable(commands: readonly Command[], tell: (problem: string) => void): Command[] {
  return commands.filter((command) => {
    try {
      execute(command);
      return true;
    } catch (error) {
      if (command.role !== 'peer') throw error;
      tell(`${command.name}: ${(error as Error).message}`);
      return false;
    }
  });
}

/** A row of times under the name of what took them. */
export function named({ name, role }: Pick<Command, 'name' | 'role'>, times: readonly number[]): Measurement {
  return { name, ...(role && { role }), ...summarize(times) };
}

/** Peak memory in MiB of one run of its own, as the kernel tells GNU time; undefined without that. */
export function peakMemory(command: Command): number | undefined {
  const time = findProgram('time');
  if (!time) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bench-peak-'));
  try {
    const file = join(folder, 'peak');
    execute({ ...command, run: [time, '-f', '%M', '-o', file, ...command.run] });
    return Math.round(Number(readFileSync(file, 'utf8')) / 1024);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The measurements with the peak memory of each command beside its times. */
export function withPeaks(commands: readonly Command[], measured: readonly Measurement[]): Measurement[] {
  return measured.map((one) => {
    const command = commands.find(({ name }) => name === one.name);
    const peak = command && peakMemory(command);
    return peak === undefined ? one : { ...one, peak };
  });
}

function once(command: Command): number {
  const start = process.hrtime.bigint();
  execute(command);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function execute({ run, input, cwd, env }: Command): void {
  const [program = '', ...args] = run;
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
  const result = spawnSync(program, args, {
    stdio: [stdin, 'ignore', 'pipe'],
    cwd,
    env: { ...process.env, ...env },
  });
  if (typeof stdin === 'number') closeSync(stdin);
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${run.join(' ')} failed: ${result.stderr}`);
}
