/** Requests with small bodies and small answers. */
import { pathOf, ROUTES, type RouteName } from '../../wire/routes.ts';
import { explainAnswer } from './answers.ts';
import { type Answer, Exchange } from './exchange.ts';
import { type Attempt, failed } from './reasons.ts';
import { type Tokens, withRetries } from './retries.ts';

export interface Call {
  route: RouteName;
  parameters?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: object;
  /** Instead of a session's token. */
  authorization?: string;
  /** What is an answer, and what has to be tried again or explained. Default: every 2xx. */
  accepts?: (answer: Answer) => boolean;
}

/** Asks, again if need be. @returns an answer that the call accepts. @throws {UserError}, or the signal's reason */
export function ask(attempt: Attempt, session: Tokens | undefined, call: Call): Promise<Answer> {
  const { accepts = isSuccess } = call;
  return withRetries(attempt, session, async (token) => {
    const answer = await askOnce(attempt, token, call);
    return accepts(answer) ? { done: answer } : { refused: answer };
  });
}

/** One request. @throws what broke the connection */
export async function askOnce(
  { connection }: Attempt,
  token: string | undefined,
  { route, parameters, body, authorization }: Call,
): Promise<Answer> {
  const payload = body && Buffer.from(JSON.stringify(body));
  const exchange = new Exchange(connection, {
    method: ROUTES[route].method,
    path: pathOf(route, parameters),
    lane: 'call',
    headers: {
      accept: 'application/json',
      ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(authorization !== undefined && { authorization }),
    },
  });
  exchange.outgoing.end(payload);
  return exchange.answer();
}

export function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** What is in the envelope. @throws {UserError} if there is none: then something else answers there. */
export function dataOf(answer: Answer, attempt: Attempt): Record<string, unknown> {
  try {
    const { status, data } = JSON.parse(answer.text) as { status?: unknown; data?: unknown };
    if (status === true && typeof data === 'object' && data !== null) return data as Record<string, unknown>;
  } catch {}
  throw failed(attempt, explainAnswer(answer, attempt));
}
