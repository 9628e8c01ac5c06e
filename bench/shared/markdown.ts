/** Pieces of bench/README.md: sections between markers, tables, figures that a person can compare. */

export type Align = 'left' | 'right';

/** The text with what stands between `<!-- name: begin -->` and `<!-- name: end -->` renewed. @throws without the markers. */
export function replaceSection(text: string, name: string, body: string): string {
  const begin = `<!-- ${name}: begin -->`;
  const end = `<!-- ${name}: end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`bench/README.md has no markers "${name}"`);
  return `${text.slice(0, from)}${begin}\n\n${body.trim()}\n\n${text.slice(to)}`;
}

/** A table whose first column is text and whose others are numbers, unless said otherwise. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  align: readonly Align[] = head.map((_, index) => (index === 0 ? 'left' : 'right')),
): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [
    line(head.map(escapeCell)),
    line(align.map((side) => (side === 'left' ? '---' : '---:'))),
    ...rows.map((cells) => line(cells.map((cell) => escapeCell(String(cell))))),
  ].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** As many digits as one can compare: 0.23, 4.56, 23.4, 1,234. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** Bytes in the unit in which they are between 1 and 1024. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value.toLocaleString('en') : figure(value)} ${units[unit]}`;
}

export function picture(file: string, text: string): string {
  return `![${text}](charts/${file}.svg)`;
}
