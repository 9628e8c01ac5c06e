/** Why an operation on versions did not happen: a stable code, and the sentence that the person who must act reads. */
import type { ErrorCode } from '../../wire/error-codes.ts';

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A fault that only shows while the content arrives; the sentences are the original's. */
export function streamRefused(code: ErrorCode, reason: string, options?: ErrorOptions): Refused {
  return new Refused(
    code,
    `cannot upload version. cannot upload file, cannot copy stream, error: ${reason}`,
    options,
  );
}
