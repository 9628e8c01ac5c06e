/** Finds the real tools that the end-to-end tests need, and says which are missing instead of skipping silently. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '../..');

interface Tool {
  command: string;
  version: readonly string[];
  install: string;
}

const TOOLS: readonly Tool[] = [
  { command: 'kustomize', version: ['version'], install: 'test/e2e/install.sh' },
  { command: 'kpt', version: ['version'], install: 'https://kpt.dev/installation' },
  { command: 'kubectl', version: ['version', '--client'], install: 'https://kubernetes.io/docs/tasks/tools' },
  { command: 'kube-score', version: ['version'], install: 'test/e2e/install.sh' },
  { command: 'shellcheck', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'psql', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'mariadb', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'redis-server', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'sqlite3', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'etcd', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'minio', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'kube-apiserver', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'workload-controllers', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'gpg', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'age', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'zstd', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'promtool', version: ['--version'], install: 'test/e2e/install.sh' },
  { command: 'podman', version: ['--version'], install: 'test/e2e/install.sh' },
];

const PROGRAMS = [
  'expand-backups.cjs',
  'backup-maker/backup-maker.mjs',
  'backup-repository/backup-repository.mjs',
];

/** Puts our own tools in front of the PATH; prints what was found; throws if something is missing. */
export async function requireTools(): Promise<void> {
  process.env.PATH = [join(root, '.tools/bin'), join(root, 'dist'), process.env.PATH].join(delimiter);
  const missing: string[] = [];
  for (const { command, version, install } of TOOLS) {
    const found = spawnSync(command, version, { encoding: 'utf8' });
    if (found.error) missing.push(`${command} (install it with ${install})`);
    else console.log(`${command}: ${firstVersion(found.stdout + found.stderr)}`);
  }
  for (const program of PROGRAMS) {
    if (!existsSync(join(root, 'dist', program))) missing.push(`dist/${program} (npm run build)`);
  }
  if (missing.length > 0) throw new Error(`the end-to-end tests cannot run without: ${missing.join('; ')}`);
}

function firstVersion(text: string): string {
  return text.match(/v?\d+\.\d+[^\s,}]*/)?.[0] ?? text.trim();
}
