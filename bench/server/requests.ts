/** Small requests, many of them: rates and latencies. */
import { Agent, request } from 'node:http';
import { rounded, summarize } from '../shared/statistics.ts';

export interface Call {
  url: string;
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer;
}

export interface Rate {
  name: string;
  role: 'ours' | 'reference';
  perSecond: number;
  /** Milliseconds. */
  median: number;
  /** What 99 of 100 requests are answered within. */
  most: number;
}

/** Resolves to the milliseconds until the whole answer was there. @throws unless it is 200. */
export async function call(agent: Agent, { url, method = 'GET', headers = {}, body }: Call): Promise<number> {
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const sent = request(url, { agent, method, headers: { ...headers, ...length } }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        if (answer.statusCode !== 200) text += String(chunk);
      });
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`${method} ${url}: ${answer.statusCode} ${text}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
  return performance.now() - start;
}

/** The same call by so many at a time, over and over. */
export async function rateOf(
  name: string,
  role: Rate['role'],
  what: Call,
  { parallel, seconds }: { parallel: number; seconds: number },
): Promise<Rate> {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  const times: number[] = [];
  await call(agent, what);
  const start = performance.now();
  const until = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (performance.now() < until) times.push(await call(agent, what));
    }),
  );
  const took = (performance.now() - start) / 1000;
  agent.destroy();
  const sorted = times.sort((a, b) => a - b);
  return {
    ...{ name, role, perSecond: rounded(times.length / took) },
    median: summarize(times).median,
    most: rounded(sorted[Math.floor((sorted.length - 1) * 0.99)] ?? Number.NaN),
  };
}
