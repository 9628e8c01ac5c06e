/** Keys and repositories' passphrases, made for one measurement, in a folder that goes with it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolPath } from '../shared/tools.ts';

/** Makes them and returns the variables that the cases use. */
export function makeKeys(folder: string, program: string, withGpg: boolean): Record<string, string> {
  const keys = join(folder, 'keys');
  const repos = join(folder, 'repos');
  mkdirSync(join(keys, 'gnupg'), { recursive: true, mode: 0o700 });
  mkdirSync(repos);
  const maker = (...args: string[]) => execFileSync(process.execPath, [program, ...args], { stdio: 'pipe' });
  maker('keygen', '--out', join(keys, 'age'));
  maker('keygen', '--format', 'openpgp', '--email', 'bench@example.org', '--out', join(keys, 'pgp'));
  if (withGpg) {
    const home = ['--homedir', join(keys, 'gnupg'), '--batch', '--quiet'];
    execFileSync('gpg', [...home, '--import', join(keys, 'pgp')], { stdio: 'pipe' });
  }
  writeFileSync(join(keys, 'passphrase'), 'bench\n');
  return {
    ...{ KEYS: keys, REPOS: repos, MAKER: program, PATH: toolPath },
    // Nothing of the peers' may outlive the measurement, or find what an earlier one left.
    ...{ BORG_PASSPHRASE: 'bench', BORG_BASE_DIR: repos, BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes' },
    ...{ RESTIC_CACHE_DIR: join(repos, 'cache') },
    ...{
      KOPIA_PASSWORD: 'bench',
      KOPIA_LOG_DIR: join(repos, 'kopia-logs'),
      KOPIA_CHECK_FOR_UPDATES: 'false',
    },
  };
}

/** gpg leaves an agent behind, which would keep the folder busy. */
export function stopAgents(folder: string): void {
  spawnSync('gpgconf', ['--homedir', join(folder, 'keys/gnupg'), '--kill', 'all'], { stdio: 'ignore' });
}
