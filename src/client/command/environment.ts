/** Which of our variables the user's command gets. */

/** Secrets of ours that no dump or load needs. Each may also be given as a file that holds it, in a variable ending in `_FILE`. */
export const SECRETS: readonly string[] = [
  'BM_AUTH_TOKEN',
  'BM_ACCESS_KEY_PASSWORD',
  'BM_PASSPHRASE',
  'BM_HEALTH_CODE',
];

/** What our own process starts with for glibc's `malloc` (`src/cli/lean-memory.ts`): no business of a command's. Bytes. */
export const LEAN_MALLOC: Readonly<Record<string, string>> = {
  MALLOC_MMAP_THRESHOLD_: '4194304',
  MALLOC_TRIM_THRESHOLD_: '67108864',
};

/** The variables without our secrets and settings, and without the names of the files that hold them; everything else passes. */
export function commandEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = { ...env };
  for (const name of SECRETS) {
    delete kept[name];
    delete kept[`${name}_FILE`];
  }
  for (const [name, value] of Object.entries(LEAN_MALLOC)) if (kept[name] === value) delete kept[name];
  return kept;
}
