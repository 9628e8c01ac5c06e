/** Whether a collection is well. */
import type { HealthCheck } from '../../wire/messages.ts';
import { explainAnswer } from './answers.ts';
import { ask } from './calls.ts';
import type { Answer } from './exchange.ts';
import { type Attempt, failed, quoted } from './reasons.ts';

export interface Health {
  healthy: boolean;
  checks: HealthCheck[];
}

/**
 * Needs no session. The checks' words hold no secret, whatever the server says.
 *
 * @param code goes in a header: addresses are logged.
 * @throws {UserError}, or the signal's reason
 */
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
    accepts: (given) => checksOf(given, secrets) !== undefined,
  });
  const checks = checksOf(answer, secrets);
  if (!checks) throw failed(discreet, explainAnswer(answer, discreet));
  return { healthy: answer.status === 200 && checks.every(({ status }) => status), checks };
}

/** Undefined if the answer is something else. */
function checksOf({ status, text }: Answer, secrets: Set<string>): HealthCheck[] | undefined {
  if (status !== 200 && status !== 500) return undefined;
  try {
    const { data } = JSON.parse(text) as { data?: { health?: unknown } };
    if (!Array.isArray(data?.health)) return undefined;
    const checks = data.health.map((each) => readCheck(each, secrets));
    return checks.every((each) => each !== undefined) ? checks : undefined;
  } catch {
    return undefined;
  }
}

function readCheck(value: unknown, secrets: Set<string>): HealthCheck | undefined {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { name, status } = fields;
  if (typeof name !== 'string' || typeof status !== 'boolean') return undefined;
  const text = (field: unknown) => (typeof field === 'string' ? quoted(field, secrets) : '');
  return { name: text(name), statusText: text(fields.statusText), status, message: text(fields.message) };
}
