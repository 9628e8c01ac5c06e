/** What a program has of the outside; tests hand in their own. */
import type { Readable, Writable } from 'node:stream';

export interface Terminal {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface MakerOutside {
  env: NodeJS.ProcessEnv;
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean };
  stderr: Terminal;
  /** Calls the handler with each signal that asks the program to stop. */
  onSignal(handler: (signal: NodeJS.Signals) => void): void;
}
