/**
 * Runs a guide: what a reader copies from it must work, in the order in which it stands there.
 *
 *   ```yaml file=shop/backup.yaml    is written to that file of the reader's folder
 *   ```sh test                       is run there; must succeed
 *   ```sh test fails                 is run there; must fail
 *   ```text output                   must be in what the commands before it printed
 *
 * Blocks without such a word are for reading only. The addresses of our repository lead to the working tree.
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { folderWith, git, programs, remember, root, run, write } from './sandbox.ts';

export interface Block {
  /** Line of the guide at which it begins, for messages. */
  line: number;
  language: string;
  words: string[];
  text: string;
}

export function blocksOf(guide: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [index, line] of guide.split('\n').entries()) {
    const fence = line.match(/^```(.*)$/);
    if (!fence) {
      if (open) open.text += `${line}\n`;
    } else if (open) {
      blocks.push(open);
      open = undefined;
    } else {
      const [language = '', ...words] = (fence[1] ?? '').trim().split(/\s+/);
      open = { line: index + 1, language, words, text: '' };
    }
  }
  return blocks;
}

/** Runs all of a guide in a new folder; `step` is called for each block that does something. */
export function runGuide(path: string, step: (title: string, run: () => void) => void): void {
  const folder = folderWith();
  let printed = '';
  const blocks = blocksOf(readFileSync(join(root, path), 'utf8')).filter(({ words }) => words.length > 0);
  let failed = false;
  for (const { line, language, words, text } of blocks) {
    const file = words.find((word) => word.startsWith('file='))?.slice('file='.length);
    step(`${path}:${line} ${file ?? text.trim().split('\n')[0]}`, () => {
      // What comes after a failure builds upon it.
      assert.not.ok(failed, 'an earlier step failed');
      failed = true;
      if (file !== undefined) write(folder, { [file]: text });
      else if (words[0] === 'output')
        assert.ok(printed.includes(text.trimEnd()), `${text}\nis not in\n${printed}`);
      else {
        assert.ok(
          language === 'sh' && words[0] === 'test',
          `${path}:${line}: unknown words ${words.join(' ')}`,
        );
        const { code, stdout, stderr } = runAsReader(folder, text);
        printed = stdout + stderr;
        assert.is(code !== 0, words.includes('fails'), `exited ${code}:\n${printed}`);
      }
      failed = false;
    });
  }
  assert.ok(blocks.length > 0, `${path} has no block to run`);
}

let published: string | undefined;

/** Our repository as a reader finds it at its address, with the tag of the version that the guides speak of. */
function publish(): string {
  if (published !== undefined) return published;
  published = folderWith();
  for (const path of ['Kptfile', '.krmignore', 'components', 'functions/expand-backups'])
    cpSync(join(root, path), join(published, path), { recursive: true });
  remember(published);
  git(published, 'tag', 'v0.1.0');
  return published;
}

function runAsReader(folder: string, script: string): { code: number; stdout: string; stderr: string } {
  const repository = publish();
  const settings = {
    [`url.file://${repository}.insteadOf`]: 'https://github.com/riotkit-org/backup-maker',
    'user.name': 'reader',
    'user.email': 'reader@example.org',
    'init.defaultBranch': 'main',
  };
  const env: Record<string, string> = {
    GIT_CONFIG_GLOBAL: '/dev/null',
    LC_ALL: 'C',
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
    KPT_CACHE_DIR: join(repository, '.git/kpt-cache'),
  };
  for (const [index, [key, value]] of Object.entries(settings).entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env, path: [programs] });
}
