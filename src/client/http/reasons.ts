/** What is told when something fails: what was tried, where, why it did not work, and what to do. */
import type { Code } from '../../api/codes.ts';
import type { UserError } from '../../api/problem.ts';
import { failure } from '../failure.ts';
import type { Connection } from './connection.ts';

/** What is being tried, for sentences. */
export interface Attempt {
  /** Such as `upload to the collection "db"`. */
  doing: string;
  connection: Connection;
  /** Texts that must not be told, whoever says them. */
  secrets: Set<string>;
}

export interface Reason {
  code: Code;
  /** Goes after `cannot <doing> at <server>: `. */
  why: string;
  hint?: string | undefined;
}

/** The failure of an attempt for a reason. */
export function failed(attempt: Attempt, { code, why, hint }: Reason, cause?: unknown): UserError {
  const { doing, connection } = attempt;
  return failure(code, `cannot ${doing} at ${connection.address.text}: ${why}`, hint, cause);
}

/** The secrets, also as they look in addresses. */
export function inAddresses(secrets: Iterable<string>): string[] {
  return [...secrets].flatMap((secret) => {
    const text = secret.toWellFormed();
    return [secret, encodeURI(text), encodeURIComponent(text)];
  });
}

/** What somebody else said, fit for a line of ours: no control characters, no secrets, not too long. */
export function quoted(text: string, secrets: Iterable<string>): string {
  let plain = text;
  for (const secret of secrets) if (secret !== '') plain = plain.replaceAll(secret, '***');
  plain = plain
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .replace(/\.$/, '');
  return plain.length > 300 ? `${plain.slice(0, 299)}…` : plain;
}
