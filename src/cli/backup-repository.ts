#!/usr/bin/env node
/** The server's program. Everything it does is in the functions that it calls. */
import { setFlagsFromString } from 'node:v8';
import { runRepository } from './repository-program.ts';

// Nearly all garbage of this process are buffers of 64 KiB and more behind small objects. With a young generation as
// large as V8 likes it, hundreds of megabytes of them pile up before they are collected; with a small one they do not.
setFlagsFromString('--max-semi-space-size=1');
setFlagsFromString('--scavenger-max-new-space-capacity-mb=1');
setFlagsFromString('--semi-space-growth-factor=1');

process.exitCode = await runRepository(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal: (handler) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, handler);
  },
});
