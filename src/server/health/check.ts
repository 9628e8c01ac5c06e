/** One thing that can be well or not. */
import type { HealthCheck } from '../../wire/messages.ts';

/** As the API shows it. An empty `fault` means well. */
export function check(name: string, fault: string): HealthCheck {
  const status = fault === '';
  return { name, statusText: `${name}=${status}`, status, message: status ? 'OK' : fault };
}

export function allWell(checks: readonly HealthCheck[]): boolean {
  return checks.every(({ status }) => status);
}
