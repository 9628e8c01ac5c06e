/** Recordings: everything that tables and charts are made of, so that they can be made again without measuring. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine, type Machine } from './machine.ts';
import type { Tool } from './tools.ts';

export interface Recording {
  /** What makes it again. */
  command: string;
  machine: Machine;
  /** Peers that took part. */
  tools: Tool[];
  /** Peers that could not be had, and what could not be measured for want of them. */
  missing: string[];
  /** How long it all took. */
  minutes: number;
}

const folder = join(import.meta.dirname, '../results');

/** Runs a part and says under which circumstances. */
export async function record<T extends object>(
  command: string,
  tools: readonly Tool[],
  missing: readonly string[],
  measure: () => Promise<T>,
): Promise<Recording & T> {
  const machine = describeMachine();
  const start = performance.now();
  const measured = await measure();
  const minutes = Number(((performance.now() - start) / 60_000).toFixed(1));
  return { command, machine, tools: [...tools], missing: [...missing], minutes, ...measured };
}

export function saveResults(part: string, results: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${part}.json`), `${JSON.stringify(results, null, 2)}\n`);
}

/** Undefined if the part was never measured. */
export function loadResults<T>(part: string): T | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${part}.json`), 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
