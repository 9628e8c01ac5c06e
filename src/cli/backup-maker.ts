#!/usr/bin/env node
/** The client's program. Everything it does is in the functions that it calls. */
import { CLIENT_MEMORY, withLeanMemory } from './lean-memory.ts';

withLeanMemory(CLIENT_MEMORY);

// Only now, or all of it would be read twice: by the process that is replaced, and by this one.
const { runMaker } = await import('./maker-program.ts');
const { collectAtOnce, collectBuffersEarly } = await import('./garbage.ts');
collectAtOnce();
collectBuffersEarly();
process.exitCode = await runMaker(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal: (handler) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => handler(signal));
  },
});
