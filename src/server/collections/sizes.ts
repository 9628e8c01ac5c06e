/** Sizes as collections declare them: `500M`, in powers of 1024. */
import { UserError } from '../../api/problem.ts';

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** Bytes. @throws {UserError} if the text is not a number with one of the units B, K, M, G, T. */
export function parseSize(text: string): number {
  const [, number, unit] = /^(\d{1,12})([BKMGT])$/.exec(text.trim()) ?? [];
  const bytes = Number(number) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new UserError({
    code: 'invalid-value',
    message: `"${text}" is not a size: write a number with one of the units B, K, M, G, T, such as 500M`,
  });
}
