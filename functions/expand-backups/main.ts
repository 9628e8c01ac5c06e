#!/usr/bin/env node
/** Entry point of the KRM function: a ResourceList on standard input, the expanded one on standard output. */
import { fstatSync } from 'node:fs';
import { expandBackups } from '../../src/expand/expand.ts';
import { runFunction } from '../../src/krm/run.ts';
import { readStdin, writeFully } from '../../src/krm/stdio.ts';
import { help, version } from './usage.ts';

const EXIT_USAGE = 2;
/** EX_IOERR of sysexits.h. */
const EXIT_IO = 74;

/** `process.exit` would cut off what is still in the pipe, and kpt would then delete files: only the code is set. */
process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const encoder = new TextEncoder();
  const [option] = args;
  if (option === '--help' || option === '-h') return print(1, help, 0);
  if (option === '--version') return print(1, `${version}\n`, 0);
  if (option !== undefined)
    return print(2, `expand-backups: unknown argument ${JSON.stringify(option)}\n\n${help}`, EXIT_USAGE);
  if (isTerminal()) return print(2, help, EXIT_USAGE);
  try {
    const outcome = runFunction(readStdin(), expandBackups);
    writeFully(2, encoder.encode(outcome.stderr));
    // Half a ResourceList must never look like success.
    return writeFully(1, encoder.encode(outcome.stdout)) ? outcome.exitCode : 1;
  } catch (error) {
    // A full disk behind standard output, for example. runFunction itself never throws.
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    return print(2, `error: standard input or output does not work: ${error.message}\n`, EXIT_IO);
  }

  /** Loading node:tty takes a millisecond, and pipes and files need no such question. */
  function isTerminal(): boolean {
    return fstatSync(0).isCharacterDevice() && process.stdin.isTTY;
  }

  function print(descriptor: 1 | 2, text: string, code: number): number {
    writeFully(descriptor, encoder.encode(text));
    return code;
  }
}
