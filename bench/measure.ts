/** Runs commands in turns and times them, so that what else the machine does falls upon all of them alike. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Command {
  name: string;
  /** Program and arguments. */
  run: readonly string[];
  /** File that is standard input. */
  input?: string;
  cwd?: string;
}

export interface Measurement {
  name: string;
  runs: number;
  /** Wall time in milliseconds, from starting the process to its end. */
  median: number;
  min: number;
  /** The middle half of all runs lies between these two. */
  lowerQuartile: number;
  upperQuartile: number;
  /** Peak resident memory in MiB, where it was asked for. */
  peak?: number;
}

/** Each command `runs` times, one after the other in alternating order, after one round that does not count. */
export function interleaved(runs: number, commands: readonly Command[]): Measurement[] {
  const times = commands.map((): number[] => []);
  for (let round = -1; round < runs; round++) {
    const order = [...commands.entries()];
    if (round % 2 !== 0) order.reverse();
    for (const [index, command] of order) {
      const time = once(command);
      if (round >= 0) times[index]?.push(time);
    }
  }
  return commands.map(({ name }, index) => summary(name, times[index] ?? []));
}

export function summary(name: string, times: readonly number[]): Measurement {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) =>
    Number((sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN).toFixed(2));
  return {
    name,
    runs: sorted.length,
    median: at(0.5),
    min: at(0),
    lowerQuartile: at(0.25),
    upperQuartile: at(0.75),
  };
}

/** Peak memory in MiB of one run of a Node.js program, which notes it itself when it ends. */
export function peakMemory({ run: [node = '', ...args], input, cwd }: Command): number {
  const file = join(tmpdir(), `bench-peak-${process.pid}`);
  const preload = join(import.meta.dirname, 'note-peak.cjs');
  execute({ run: [node, '--require', preload, ...args], ...(input && { input }), ...(cwd && { cwd }) }, file);
  const peak = Number(readFileSync(file, 'utf8'));
  rmSync(file);
  return peak;
}

function once(command: Command): number {
  const start = process.hrtime.bigint();
  execute(command);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function execute({ run, input, cwd }: Omit<Command, 'name'>, peakFile = ''): void {
  const [program = '', ...args] = run;
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r');
  const env = { ...process.env, BENCH_PEAK_FILE: peakFile };
  const result = spawnSync(program, args, { stdio: [stdin, 'ignore', 'pipe'], cwd, env });
  if (typeof stdin === 'number') closeSync(stdin);
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${run.join(' ')} failed: ${result.stderr}`);
}
