/** Who a request comes from, once its token was found good. */
import type { User } from '../configuration/configuration.ts';
import type { Session } from '../metadata/metadata.ts';
import type { OperationsScope } from './scope.ts';

export interface Subject {
  /** The account as the configuration has it now, not as it was at login. */
  readonly user: User;
  /** Name of the access key that logged in; empty for the account's own password. */
  readonly accessKeyName: string;
  /** What the token is limited to; `null` for no limit. */
  readonly scope: OperationsScope | null;
  /** Which password the token was given for, see `Tokens.credentialOf`; undefined in tokens of older releases. */
  readonly credential: string | undefined;
  /** SHA-256 of the token in lower-case hex. */
  readonly sessionId: string;
  readonly session: Session;
}
