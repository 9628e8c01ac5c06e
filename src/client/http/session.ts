/** Whose requests they are: a token that was given, or one that a login gets when it is first needed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UserError } from '../../api/problem.ts';
import type { LoginRequest, OperationsScope } from '../../wire/messages.ts';
import { failure } from '../failure.ts';
import { ask, askOnce, dataOf } from './calls.ts';
import type { Connection } from './connection.ts';
import type { Credentials } from './contract.ts';
import { shorter } from './exchange.ts';
import { type Attempt, failed } from './reasons.ts';
import { endingWith, type Tokens } from './retries.ts';

/** Most time that logging out may take at the end. */
const LOGOUT_MS = 5000;

interface Opened {
  token: string;
  expire: string;
}

export class Session implements Tokens {
  /** What must not be told. */
  readonly secrets = new Set<string>();
  readonly #connection: Connection;
  readonly #credentials: Credentials;
  #scope: OperationsScope | undefined;
  #opened: Promise<Opened> | undefined;
  /** The token of `#opened`, once it is there. */
  #current: string | undefined;
  /** Whoever asks for a token from now on comes too late. */
  #ending = false;
  /** Gives a login up that does not come about. */
  readonly #gaveUp = new AbortController();

  constructor(connection: Connection, credentials: Credentials) {
    this.#connection = connection;
    this.#credentials = credentials;
    const secret = credentials.kind === 'token' ? credentials.token : credentials.password;
    this.secrets.add(secret);
    // Node.js would throw, with the token in its words.
    if (credentials.kind === 'token' && !/^[\x21-\x7e]+$/.test(secret)) {
      throw failure(
        'usage',
        secret === '' ? 'the token is empty' : 'the token holds white space, or characters that no token has',
        'check the variable or file that it comes from: it must be the token alone',
      );
    }
  }

  /** True if a token that is not accepted any more can be replaced. */
  get renewable(): boolean {
    return this.#credentials.kind === 'password';
  }

  limitTo(scope: OperationsScope): void {
    if (this.#opened) throw new Error('a session that is open cannot be limited any more');
    this.#scope = scope;
  }

  /** The token for a request; logs in if there is none yet. @throws {UserError}, or the signal's reason */
  async token(): Promise<string> {
    const { kind } = this.#credentials;
    return kind === 'token' ? this.#credentials.token : (await this.open()).token;
  }

  /** Logs in, once for all who ask. @throws {UserError}, or the signal's reason */
  open(): Promise<Opened> {
    if (this.#ending) return Promise.reject(ended());
    if (this.#opened) return this.#opened;
    const opened = this.#login();
    this.#opened = opened;
    // The next one who asks tries anew.
    opened.catch(() => {
      if (this.#opened === opened) this.#opened = undefined;
    });
    return opened;
  }

  /** Has the next request log in again, if it is still this token that is in use. */
  forget(token: string): void {
    if (this.#current === token) this.#opened = undefined;
  }

  /** Logs out if it was us who logged in, and logs in no more. Takes some seconds at most, and never throws. */
  async end(): Promise<void> {
    this.#ending = true;
    const opened = this.#opened && (await this.#soon(this.#opened));
    this.#opened = undefined;
    if (!opened) return;
    // Also after the signal: that something was stopped is no reason to leave a session open.
    const connection = {
      ...this.#connection,
      signal: AbortSignal.timeout(LOGOUT_MS),
      idleTimeoutMs: shorter(LOGOUT_MS, this.#connection.idleTimeoutMs),
    };
    await askOnce(this.#attempt(connection, 'log out'), opened.token, { route: 'logout' }).catch(() => {});
  }

  /** What a login under way comes to within some seconds; then it is given up. Never throws. */
  async #soon(opening: Promise<Opened>): Promise<Opened | undefined> {
    const settled = new AbortController();
    const late = sleep(LOGOUT_MS, undefined, { signal: settled.signal }).catch(() => undefined);
    const opened = await Promise.race([opening.catch(() => undefined), late]);
    settled.abort();
    this.#gaveUp.abort(ended());
    return opened;
  }

  #attempt(connection: Connection, doing: string): Attempt {
    return { doing, connection, secrets: this.secrets };
  }

  async #login(): Promise<Opened> {
    const credentials = this.#credentials;
    if (credentials.kind === 'token') {
      throw failure(
        'usage',
        'a token is given, so there is nothing to log in with: it needs user name and password',
      );
    }
    const { username, password } = credentials;
    const attempt = endingWith(
      this.#attempt(this.#connection, `log in as "${username}"`),
      this.#gaveUp.signal,
    );
    const body: LoginRequest = {
      username,
      password,
      ...(this.#scope && { operationsScope: this.#scope }),
    };
    const data = dataOf(await ask(attempt, undefined, { route: 'login', body }), attempt);
    const { token, expire } = data;
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw failed(attempt, {
        code: 'usage',
        why: 'the answer holds no token, so it is not a backup repository',
      });
    }
    this.secrets.add(token);
    this.#current = token;
    return { token, expire: typeof expire === 'string' ? expire : '' };
  }
}

function ended(): UserError {
  return failure('interrupted', 'the session has ended, and no other is opened');
}
