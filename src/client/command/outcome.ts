/** How a command ended, as sentences for the person who wrote it. */
import { constants } from 'node:os';
import { UserError } from '../../api/problem.ts';
import { failure } from '../failure.ts';

/** Which command. */
export type Role = 'dump' | 'load';

/** What a shell adds to the number of the signal that killed a program. */
const SIGNAL_BASE = 128;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/** @param exitCode as the shell gave it, not 0. */
export function failedWith(role: Role, exitCode: number): UserError {
  const signal = signalOf(exitCode);
  if (signal !== undefined) return killedBy(role, signal, `exit code ${exitCode}`);
  if (exitCode === NOT_EXECUTABLE) {
    return failure(
      'command-failed',
      `the ${role} command names a program that cannot be executed (exit code 126), see its messages above`,
      'make the file executable, and check that it is built for this processor and that its interpreter is in this image',
    );
  }
  if (exitCode === NOT_FOUND) {
    return failure(
      'command-failed',
      `the ${role} command names a program that was not found (exit code 127), see its messages above`,
      'check the spelling, and use an image in which the program is installed and on the PATH',
    );
  }
  return failure(
    'command-failed',
    `the ${role} command failed with exit code ${exitCode}, see its messages above`,
  );
}

/** @param detail where the signal is known from, in parentheses. */
export function killedBy(role: Role, signal: string, detail = 'by someone else'): UserError {
  if (signal === 'SIGPIPE') {
    return failure(
      'command-failed',
      `a program in the ${role} command wrote to another that read no more (SIGPIPE, ${detail})`,
      'look at what is behind the pipe: it failed, or ended before it had read everything, as `head` does',
    );
  }
  return failure(
    'command-failed',
    `the ${role} command was killed by ${signal} (${detail})`,
    signal === 'SIGKILL'
      ? 'most often the container was out of memory: look for OOMKilled in `kubectl describe pod`, and raise its memory limit'
      : undefined,
  );
}

/** The processes that pass the content on were killed, or could not start. */
export function cannotCopy(role: Role, exitCode: number): UserError {
  return failure(
    'command-failed',
    `the content could not be passed on ${role === 'dump' ? 'from' : 'to'} the ${role} command: cat ended with exit code ${exitCode}`,
    'check that cat works in this image, and that the container is not out of memory',
  );
}

export function timedOut(role: Role, timeoutMs: number): UserError {
  return failure(
    'command-timeout',
    `the ${role} command did not end within ${timeoutMs / 1000} seconds and was killed`,
    'raise the limit with --timeout, in seconds, or find out what it waits for',
  );
}

export function emptyDump(): UserError {
  return failure(
    'empty-dump',
    'the dump command succeeded but wrote nothing to its standard output, so nothing was stored',
    'check that it writes the backup there and not to a file',
  );
}

/** @param bytes that had been sent to it, of which it need not have read all. */
export function stoppedReading(bytes: number): UserError {
  return failure(
    'command-failed',
    `the load command ended with exit code 0 but stopped reading before the end of the backup, of which ${bytes} bytes had been sent`,
    'let it read its standard input to the end: if the rest is not needed, put `; cat >/dev/null` behind it',
  );
}

/**
 * The command was ended after it was given the end of its input, which is where a loader commits. Keeps the reason's code.
 *
 * @param stopped whose reason does not speak of the load.
 */
export function tooLate(reason: unknown, stopped: AbortSignal): UserError {
  const loaded = 'the load may have taken effect, in whole or in part';
  const look = 'look at what it loaded into, or load again';
  if (!(reason instanceof UserError) || (stopped.aborted && reason === stopped.reason)) {
    const code = reason instanceof UserError ? reason.problem.code : 'interrupted';
    const given = 'stopped after the load command had been given all of the backup';
    return failure(code, `${given}: ${loaded}`, look, reason);
  }
  const { code, message, proposal } = reason.problem;
  const given = 'after it had been given all of the backup';
  const hint = proposal === undefined ? look : `${proposal}; ${look}`;
  return failure(code, `${message}, ${given}: ${loaded}`, hint, reason);
}

export function cannotCount(): UserError {
  return failure(
    'command-failed',
    'the load command ended with exit code 0, but it could not be found out whether it had read all of the backup',
    'check that head, tr and wc work in this image, and look at what was loaded',
  );
}

/** The signal that a shell says a program was killed by. */
export function signalOf(exitCode: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === exitCode - SIGNAL_BASE)?.[0];
}
