/** What a program has of the outside; tests hand in their own. */
import type { Readable, Writable } from 'node:stream';
import { failure } from '../client/failure.ts';
import type { RepositoryOptions } from '../client/http/repository.ts';
import { reasonOf, regularFileOf, writeWhole } from '../client/output.ts';

export interface Terminal {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  on?(event: 'error', listener: (error: Error) => void): unknown;
}

export interface MakerOutside {
  env: NodeJS.ProcessEnv;
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean };
  stderr: Terminal;
  /** Calls the handler with each signal that asks the program to stop. */
  onSignal(handler: (signal: NodeJS.Signals) => void): void;
  /** How the client waits before it asks the server again; tests have no time. */
  waits?: Pick<RepositoryOptions, 'backoffMs' | 'random' | 'sleep'>;
}

/** Resolves once the text was taken. @throws {UserError} `output-failed` */
export async function print({ stdout }: Pick<MakerOutside, 'stdout'>, text: string): Promise<void> {
  const failed = (error: Error) =>
    failure('output-failed', `cannot write the output: ${reasonOf(error)}`, undefined, error);
  const fd = regularFileOf(stdout);
  if (fd === undefined)
    await new Promise<void>((resolve, reject) => {
      stdout.write(text, (error) => (error ? reject(failed(error)) : resolve()));
    });
  else
    await writeWhole(fd, Buffer.from(text)).catch((error: Error) => {
      throw failed(error);
    });
}

/** Somebody who stops listening must not end the program in the middle of its work: what has to be written is written with `print`. */
export function ignoreListenersThatLeave({ stdout, stderr }: Pick<MakerOutside, 'stdout' | 'stderr'>): void {
  stdout.on('error', () => {});
  stderr.on?.('error', () => {});
}
