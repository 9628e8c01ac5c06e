/** Which of our variables the user's command gets. */

/** Secrets of ours that no dump or load needs. Each may also be given as a file that holds it, in a variable ending in `_FILE`. */
export const SECRETS: readonly string[] = [
  'BM_AUTH_TOKEN',
  'BM_ACCESS_KEY_PASSWORD',
  'BM_PASSPHRASE',
  'BM_HEALTH_CODE',
];

/** What our own process starts with to keep its memory small (`src/cli/lean-memory.ts`): no business of a command's. */
const LEAN_MEMORY = { MALLOC_MMAP_THRESHOLD_: '131072' };

/** The variables without our secrets and settings, and without the names of the files that hold them; everything else passes. */
export function commandEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = { ...env };
  for (const name of SECRETS) {
    delete kept[name];
    delete kept[`${name}_FILE`];
  }
  for (const [name, value] of Object.entries(LEAN_MEMORY)) if (kept[name] === value) delete kept[name];
  return kept;
}
