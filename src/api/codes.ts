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
  /** Worth knowing, nothing to do. */
  note: info,
} as const satisfies Record<string, Meaning>;

export type Code = keyof typeof CODES;
