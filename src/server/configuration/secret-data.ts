/**
 * The values of a Secret.
 *
 * `data` is written in two ways, which nothing in the text tells apart: Kubernetes means base64 of the value, while the
 * original's files hold the value itself. So the reader is told which one it is, and never guesses. `stringData` is the
 * value itself in both.
 */
import type { JsonObject } from '../../krm/json.ts';

export type SecretEncoding = 'base64' | 'raw';

export interface SecretData {
  readonly entries: ReadonlyMap<string, string>;
  /** Sentences without values. Entries that they concern are not in `entries`. */
  readonly problems: readonly string[];
}

/** Reads `data` and `stringData`, of which the latter wins, as in Kubernetes. */
export function readSecretData(secret: JsonObject, encoding: SecretEncoding): SecretData {
  const entries = new Map<string, string>();
  const problems: string[] = [];
  for (const field of ['data', 'stringData'] as const) {
    const values = secret[field];
    if (values === undefined || values === null) continue;
    if (typeof values !== 'object' || Array.isArray(values)) {
      problems.push(`${field} must be a map of strings`);
      continue;
    }
    for (const [key, value] of Object.entries(values)) {
      // An entry that cannot be read must not leave the one of the other field in its place.
      entries.delete(key);
      if (typeof value !== 'string') {
        problems.push(`${field}.${key} must be a string: put it in quotes`);
        continue;
      }
      const text = field === 'data' && encoding === 'base64' ? decode(value) : value;
      if (text === undefined) {
        problems.push(
          `${field}.${key} is not base64 of a text: write the value itself under stringData instead`,
        );
      } else {
        entries.set(key, text);
      }
    }
  }
  return { entries, problems };
}

function decode(value: string): string | undefined {
  const compact = value.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(compact, 'base64'));
  } catch {
    return undefined;
  }
}
