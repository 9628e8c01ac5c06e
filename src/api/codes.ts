/**
 * Every kind of mistake that a user can make, and what each becomes: the severity of a KRM result and the exit
 * code of a program. Codes are stable: they are the `rule` tag of results and may be filtered on.
 */
import type { Severity } from '../krm/result.ts';

interface Meaning {
  severity: Severity;
  exitCode: number;
}

const error: Meaning = { severity: 'error', exitCode: 1 };
/** Only programs meet it, never a function. */
const exit = (exitCode: number): Meaning => ({ severity: 'error', exitCode });
const warning: Meaning = { severity: 'warning', exitCode: 0 };
const info: Meaning = { severity: 'info', exitCode: 0 };

export const CODES = {
  /** The text is not YAML, or the script's placeholders are not closed. */
  syntax: error,
  /** A field that the kind does not have. */
  'unknown-field': error,
  /** A required field is absent. */
  'missing-field': error,
  /** A string where a number is due, and so on. */
  'wrong-type': error,
  /** The right type, but not a value that can work. */
  'invalid-value': error,
  /** A reference to something that the list does not hold. */
  'not-found': error,
  /** Two things that exclude each other. */
  conflict: error,
  /** The original had it, and a pure function cannot. */
  unsupported: error,
  /** Input that would have to be executed to be rendered. Never done. */
  'code-in-input': error,
  /** A credential in clear text in Git. */
  'plaintext-secret': warning,
  /** A token that will expire. */
  'expiring-token': warning,
  /** Accepted for the sake of old manifests, without effect. */
  'ignored-field': warning,
  /** A default that a later release may change. */
  'unpinned-version': warning,
  /** The pod leaves the restricted Pod Security Standard. */
  'pod-security': warning,
  /** Backups that anybody with access to the server can read. */
  unencrypted: warning,
  /** Probably not what was meant. */
  suspicious: warning,
  /** A flag or variable of a program that cannot be. */
  usage: exit(2),
  /** The dump or load command failed, or was killed by someone else. */
  'command-failed': exit(3),
  /** The command did not end in time. */
  'command-timeout': exit(4),
  /** The dump command succeeded and wrote nothing. */
  'empty-dump': exit(5),
  /** A key is missing, cannot be read, or does not open the content. */
  'bad-key': exit(6),
  /** The server does not know who is asking: wrong password, token expired or revoked. */
  'not-authenticated': exit(7),
  /** The server knows who is asking and says no: missing role, outside the upload window. */
  'not-authorized': exit(8),
  /** The server has no such collection or version. */
  'unknown-version': exit(9),
  /** The server refuses the content: a quota, another upload at the same time, not encrypted. */
  refused: exit(10),
  /** What came back is not what was stored: cut off, changed, or not authentic. */
  damaged: exit(11),
  /** The action was claimed by another run, failed before, or there is no ledger to ask. */
  'action-refused': exit(12),
  /** `status` or `check` found something that is not as it should be. */
  unhealthy: exit(13),
  /** The file or folder to write to does not take it: disk full, no permission. */
  'output-failed': exit(74),
  /** The server does not answer, or answers that it cannot now: the same command may work later. */
  unreachable: exit(75),
  /** Stopped from outside, by a signal. */
  interrupted: exit(130),
  /** Worth knowing, nothing to do. */
  note: info,
} as const satisfies Record<string, Meaning>;

export type Code = keyof typeof CODES;
