/** The client's failures as the one error type for what users can mend: code, sentence, and what to do. */
import type { Code } from '../api/codes.ts';
import { UserError } from '../api/problem.ts';

/**
 * @param message one line in lower case without full stop: what is wrong, and where. Never holds a secret.
 * @param hint what to do, ideally a command to paste.
 */
export function failure(code: Code, message: string, hint?: string, cause?: unknown): UserError {
  return new UserError(
    { code, message, ...(hint !== undefined && { proposal: hint }) },
    cause === undefined ? undefined : { cause },
  );
}
