/** Names of objects. */
import { StorageError } from './storage.ts';

/** What the smaller of our engines can hold: a file's name on Linux, and S3's key. */
const MAX_PART_BYTES = 255;
const MAX_KEY_BYTES = 900;

/**
 * Throws `StorageError` unless the key is one that every engine holds under exactly this name, inside of what is ours:
 * parts divided by `/`, none empty, none beginning with a dot, no control characters.
 */
export function checkKey(key: string): void {
  const wrong = fault(key);
  if (wrong !== undefined)
    throw new StorageError(`the storage refuses a key that ${wrong}: ${JSON.stringify(key.slice(0, 100))}`);
}

function fault(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (!key.isWellFormed()) return 'is not Unicode';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  if (/[\u0000-\u001f\u007f\\]/.test(key)) return 'holds a control character or a backslash';
  for (const part of key.split('/')) {
    if (part === '') return 'begins or ends with a slash, or has two in a row';
    // Ours alone: temporary files, probes.
    if (part.startsWith('.')) return 'has a part that begins with a dot';
    if (Buffer.byteLength(part) > MAX_PART_BYTES)
      return `has a part that is longer than ${MAX_PART_BYTES} bytes`;
  }
  return undefined;
}
