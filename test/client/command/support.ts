/** What tests of commands share: the shells of this machine, a folder of their own, and the processes that a test has started. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandOptions } from '../../../src/client/command/options.ts';
import { type Shells, shellsOf } from '../../../src/client/command/shells.ts';
import { SILENT } from '../../../src/client/report.ts';
import { eventually, PATIENCE_MS } from '../../eventually.ts';

const candidates: [string, string, Shells][] = [
  ['sh', '/bin/sh', shellsOf(['/bin/sh'])],
  ['bash under sh', '/bin/bash', shellsOf(['/bin/sh'], ['/bin/bash'])],
  ['bash alone', '/bin/bash', shellsOf(['/bin/bash', '--posix', '--norc'], ['/bin/bash'])],
  ['dash', '/bin/dash', shellsOf(['/bin/dash'])],
  ['busybox', '/bin/busybox', shellsOf(['/bin/busybox', 'sh'])],
];

export type Named = readonly [name: string, shells: Shells];

/** Every shell that is here. */
export const SHELLS: readonly Named[] = candidates
  .filter(([, program]) => existsSync(program))
  .map(([name, , shells]) => [name, shells]);

/** Those of them that quick tests use; `/bin/sh` always is here. */
export const QUICK_SHELLS: readonly Named[] = SHELLS.slice(0, 2);
/** The others, for the tests that need tools. */
export const OTHER_SHELLS: readonly Named[] = SHELLS.slice(2);

export const MEBIBYTE = 1024 * 1024;

/** One test's own folder, marker and options. */
export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'bm-command-test-'));
  /** Where commands put their temporary files. */
  readonly temporary = mkdtempSync(join(this.folder, 'tmp-'));
  /** A file that a loader writes when its input has ended. */
  readonly ended = join(this.folder, 'ended');
  /** A file that a loader writes when it begins. */
  readonly started = join(this.folder, 'started');
  readonly env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    TMPDIR: this.temporary,
    ENDED: this.ended,
    STARTED: this.started,
    TEST_MARK: randomUUID(),
  };
  readonly warnings: string[] = [];

  options(command: string, more: Partial<CommandOptions> = {}): CommandOptions {
    return {
      command,
      env: this.env,
      timeoutMs: 2 * PATIENCE_MS,
      signal: new AbortController().signal,
      report: { ...SILENT, warn: (message) => this.warnings.push(message) },
      ...more,
    };
  }

  /** Numbers of living processes that the command or its guard consist of, oldest first. */
  processes(): number[] {
    return processIds().filter((id) => read(id, 'environ').includes(`TEST_MARK=${this.env.TEST_MARK}`));
  }

  /** Resolves to what is left of the command, as soon as that is nothing or when patience is at its end. */
  async survivors(): Promise<number[]> {
    const end = performance.now() + PATIENCE_MS;
    while (this.processes().length > 0 && performance.now() < end) await sleep(20);
    return this.processes();
  }

  /** Temporary files that are left. */
  leftovers(): string[] {
    return readdirSync(this.temporary);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs the test in a place of its own, which is removed. */
export function at(work: (place: Place) => Promise<void>): () => Promise<void> {
  return async () => {
    const place = new Place();
    try {
      await work(place);
    } finally {
      place.remove();
    }
  };
}

/** As `/proc` shows it; empty for processes that have ended. */
export function read(processId: number, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${processId}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

export async function appears(file: string): Promise<void> {
  await eventually(file, () => existsSync(file));
}

/** The error that it ends with. */
export async function errorOf(
  work: Promise<unknown>,
): Promise<Error & { problem?: { code: string; proposal?: string } }> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('should have failed');
}

export async function bytesOf(content: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of content) bytes += chunk.length;
  return bytes;
}

export async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of content) text += chunk.toString();
  return text;
}

/** That many bytes in chunks as they come from the network. */
export async function* zeros(bytes: number): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(65_536);
  for (let left = bytes; left > 0; left -= chunk.length)
    yield chunk.subarray(0, Math.min(left, chunk.length));
}

/** A line every few milliseconds, without end, behind so many that some are more than what is held back of the content's end. */
export async function* endless(): AsyncGenerator<Buffer> {
  for (let turn = 0; turn < 2; turn++) yield Buffer.from('insert\n'.repeat(10_000));
  for (;;) {
    yield Buffer.from('insert\n');
    await sleep(2);
  }
}

/** Without an end, and more at a time than any pipe takes: busybox's `cat` keeps a trickle to itself for a while. */
export async function* flood(): AsyncGenerator<Buffer> {
  for (;;) {
    yield Buffer.from('insert\n'.repeat(10_000));
    await sleep(2);
  }
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}
