/** Whether a collection is well. */
import type { HealthCheck } from '../../wire/messages.ts';
import { explainAnswer } from './answers.ts';
import { ask } from './calls.ts';
import type { Answer } from './exchange.ts';
import { type Attempt, failed } from './reasons.ts';

export interface Health {
  healthy: boolean;
  checks: HealthCheck[];
}

/** Needs no session. @param code goes in a header: addresses are logged. @throws {UserError}, or the signal's reason */
export async function health(
  attempt: Attempt,
  collectionId: string,
  code: string | undefined,
): Promise<Health> {
  const secrets = new Set(attempt.secrets);
  if (code !== undefined) secrets.add(code);
  const discreet = { ...attempt, secrets };
  const answer = await ask(discreet, undefined, {
    route: 'collectionHealth',
    parameters: { collectionId },
    ...(code !== undefined && { authorization: code }),
    // What is not well comes with the status 500.
    accepts: (given) => checksOf(given) !== undefined,
  });
  const checks = checksOf(answer);
  if (!checks) throw failed(discreet, explainAnswer(answer, discreet));
  return { healthy: answer.status === 200 && checks.every(({ status }) => status), checks };
}

function checksOf({ status, text }: Answer): HealthCheck[] | undefined {
  if (status !== 200 && status !== 500) return undefined;
  try {
    const { data } = JSON.parse(text) as { data?: { health?: unknown } };
    return Array.isArray(data?.health) ? (data.health as HealthCheck[]) : undefined;
  } catch {
    return undefined;
  }
}
