#!/usr/bin/env node
/** The server's program. Everything it does is in the functions that it calls. */
import { SERVER_MEMORY, withLeanMemory } from './lean-memory.ts';

withLeanMemory(SERVER_MEMORY);

// Only now, or all of it would be read twice: by the process that is replaced, and by this one.
const { runRepository } = await import('./repository-program.ts');
const { collectAtOnce } = await import('./garbage.ts');
collectAtOnce();
process.exitCode = await runRepository(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal: (handler) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, handler);
  },
});
