/**
 * Runs a guide whose commands belong to one shell, with variables and programs that stay: what docs/kustomize.md does block by block
 * (see ../guide.ts, whose words for blocks these are), in one go. Besides:
 *
 *   ```sh                 not run: its first line must say why, `# Not run by a test: it needs a cluster.`
 *
 * Our programs are on the PATH, and our repository is at its address, the manifests of deploy/ included.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Block, blocksOf } from '../guide.ts';
import { folderWith, git, remember, root, run } from '../sandbox.ts';

export interface GuideOptions {
  env?: Record<string, string>;
  /** Changes commands and files before they are run, for what cannot be as it is written: a port, a place. */
  change?: (text: string) => string;
  /** Folders before our programs on the PATH. */
  path?: readonly string[];
}

/** Runs all of a guide in `folder`, a new one by default; returns the folder with what it left. Throws what went wrong. */
export function runShellGuide(guide: string, options: GuideOptions = {}, folder = folderWith()): string {
  const { env = {}, change = (text) => text, path = [] } = options;
  const printed = folderWith();
  const blocks = blocksOf(readFileSync(join(root, guide), 'utf8'));
  assert.ok(blocks.length > 0, `${guide} has no blocks`);
  const steps: string[] = [];
  const expected: { line: number; text: string; of: number[] }[] = [];
  let since: number[] = [];
  for (const block of blocks) {
    const { line, language, words } = block;
    const text = change(block.text);
    const file = words.find((word) => word.startsWith('file='))?.slice('file='.length);
    if (file !== undefined) steps.push(fileStep(file, text, line));
    else if (words[0] === 'output') expected.push({ line, text, of: since });
    else if (words[0] === 'test') {
      assert.is(language, 'sh', `${guide}:${line}`);
      if (expected.at(-1)?.of === since) since = [];
      since.push(line);
      steps.push(commandStep(text, words.includes('fails'), join(printed, String(line)), line));
    } else checkReason(guide, block);
  }
  const script = [
    'set -euo pipefail',
    // Whatever happens, nothing stays behind.
    'trap \'jobs -p | xargs -r kill 2> /dev/null || true; [ ! -e gnupg ] || gpgconf --homedir "$PWD/gnupg" --kill all\' EXIT',
    ...steps,
    'echo "all of it"',
  ].join('\n');
  const { code, stdout, stderr } = run('bash', ['-c', script], {
    cwd: folder,
    env: { ...readerEnvironment(folder), ...env },
    path: [...path, programs()],
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  const output = (line: number | string) => {
    const log = join(printed, String(line));
    return existsSync(log) ? readFileSync(log, 'utf8') : '';
  };
  assert.ok(
    code === 0 && last === 'all of it',
    `${guide}:${last} failed:\n${output(last)}\n${stdout}\n${stderr}`,
  );
  for (const { line, text, of } of expected) {
    const all = of.map(output).join('');
    assert.ok(all.includes(text.trimEnd()), `${guide}:${line}:\n${text}\nis not in\n${all}`);
  }
  return folder;
}

function fileStep(file: string, text: string, line: number): string {
  const end = `END_OF_FILE_${line}`;
  return `echo ${line}\nmkdir -p "$(dirname '${file}')"\ncat > '${file}' <<'${end}'\n${text}${end}`;
}

/** In this very shell, so that what it sets stays; but what must fail, in one of its own. */
function commandStep(text: string, fails: boolean, log: string, line: number): string {
  if (!fails) return `echo ${line}\n{\n${text}} > '${log}' 2>&1`;
  return `echo ${line}\nset +e\n(set -euo pipefail\n${text}) > '${log}' 2>&1\ncode=$?\nset -e\n[ "$code" -ne 0 ] || { echo 'did not fail' >> '${log}'; exit 1; }`;
}

/** Commands that nobody runs must say why; other languages are there to be read. */
function checkReason(guide: string, { language, text, line }: Block): void {
  if (language !== 'sh' && language !== 'console') return;
  assert.match(text, /^# Not run by a test: \S.*\.\n/, `${guide}:${line} is neither run nor says why not`);
}

/** Our programs under the names that users give them. */
let installed: string | undefined;
function programs(): string {
  if (installed !== undefined) return installed;
  installed = folderWith();
  for (const name of ['backup-maker', 'backup-repository'])
    symlinkSync(join(root, `dist/${name}/${name}.mjs`), join(installed, name));
  symlinkSync(join(root, 'dist/expand-backups.cjs'), join(installed, 'expand-backups'));
  return installed;
}

/** Our repository as a reader finds it at its address, with the tag of the version that the guides speak of. */
let published: string | undefined;
function publish(): string {
  if (published !== undefined) return published;
  published = folderWith();
  for (const path of ['Kptfile', '.krmignore', 'components', 'deploy', 'functions/expand-backups'])
    cpSync(join(root, path), join(published, path), { recursive: true });
  remember(published);
  git(published, 'tag', 'v0.1.0');
  return published;
}

function readerEnvironment(folder: string): Record<string, string> {
  const repository = publish();
  const settings = {
    [`url.file://${repository}.insteadOf`]: 'https://github.com/riotkit-org/backup-maker',
    'user.name': 'reader',
    'user.email': 'reader@example.org',
    'init.defaultBranch': 'main',
    'advice.detachedHead': 'false',
  };
  const home = join(folder, '.home');
  mkdirSync(home, { recursive: true });
  const env: Record<string, string> = {
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
    KPT_CACHE_DIR: join(repository, '.git/kpt-cache'),
    HOME: home,
    LC_ALL: 'C',
  };
  for (const [index, [key, value]] of Object.entries(settings).entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}
