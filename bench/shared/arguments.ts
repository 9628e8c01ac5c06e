/** What people write after `npm run bench --`. */

/** `512MiB` or `5GiB` in bytes. @throws for anything else. */
export function bytesOf(text: string): number {
  const [, number, unit] = /^([1-9]\d*)(MiB|GiB)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`--size ${text}: write 512MiB or 5GiB`);
  return Number(number) * 2 ** (unit === 'GiB' ? 30 : 20);
}

/** A whole number above 0, or undefined if the flag was not given. @throws for anything else. */
export function countOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`${flag} ${text}: write a number, such as 5`);
  return Number(text);
}
