/** Transfers by curl: one process for any number at a time, so that it is the server that is measured. */
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';

export interface Transfer {
  url: string;
  /** What is sent; without it, something is fetched. */
  upload?: string;
  method?: string;
}

const PIECE = 8 * 2 ** 20;

/** A file that looks encrypted with age and that nothing can compress. */
export function writeSource(path: string, bytes: number): void {
  const file = openSync(path, 'w', 0o600);
  try {
    let left = bytes - writeSync(file, 'age-encryption.org/v1\n');
    const piece = Buffer.alloc(PIECE);
    for (; left > 0; left -= piece.length)
      writeSync(file, randomFillSync(piece), 0, Math.min(left, piece.length));
  } finally {
    closeSync(file);
  }
}

/** All transfers at a time; resolves to the seconds from the first to the last. @throws unless every answer is 200. */
export async function transfer(
  transfers: readonly Transfer[],
  flags: readonly string[] = [],
): Promise<number> {
  const start = performance.now();
  const child = spawn('curl', ['-sS', '-K', '-', ...flags], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let problem = '';
  child.stdout.on('data', (text) => {
    output += String(text);
  });
  child.stderr.on('data', (text) => {
    problem = (problem + String(text)).slice(-2000);
  });
  child.stdin.end(configuration(transfers));
  await once(child, 'close');
  const seconds = (performance.now() - start) / 1000;
  const statuses = output.trim().split(/\s+/);
  if (statuses.length !== transfers.length || statuses.some((status) => status !== '200'))
    throw new Error(`curl: ${output} ${problem}`);
  return seconds;
}

function configuration(transfers: readonly Transfer[]): string {
  const all = transfers.map(({ url, upload, method }) =>
    [
      `url = "${url}"`,
      'output = "/dev/null"',
      'write-out = "%{http_code}\\n"',
      ...(upload ? [`upload-file = "${upload}"`] : []),
      ...(method ? [`request = "${method}"`] : []),
    ].join('\n'),
  );
  const parallel = ['parallel', 'parallel-immediate', `parallel-max = ${transfers.length}`];
  return `${parallel.join('\n')}\n${all.join('\n')}\n`;
}
