/** What is being measured, for whoever waits. */

const began = performance.now();

export function say(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  process.stderr.write(`[${seconds.padStart(4)} s] ${text}\n`);
}
