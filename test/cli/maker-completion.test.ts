/** Completion scripts, run by the real bash where there is one. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { maker } from './maker-world.ts';

const test = suite('backup-maker: completion');

const bash = ['/bin/bash', '/usr/bin/bash'].find((path) => existsSync(path));
const COMMANDS = 'make restore download check list status login keygen generate completion'.split(' ');

/** What bash offers after these words, the last of which is being written. */
function offered(script: string, words: readonly string[]): string[] {
  const array = words.map((word) => `'${word}'`).join(' ');
  const tail = `COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _backup_maker; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync(bash ?? '', ['-u', '-c', `${script}\n${tail}`], {
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
  return stdout.split('\n').filter((word) => word !== '');
}

if (bash !== undefined) {
  test('bash: commands, sub-commands and flags', async () => {
    const { out } = await maker(['completion', 'bash']);
    assert.is(spawnSync(bash, ['-n'], { input: out }).status, 0);
    assert.equal(offered(out, ['backup-maker', '']), COMMANDS);
    assert.equal(offered(out, ['backup-maker', 'l']), ['list', 'login']);
    assert.equal(offered(out, ['backup-maker', 'restore', '--priv']), ['--private-key']);
    assert.equal(offered(out, ['backup-maker', 'restore', '-c', 'cat', '--vers']), ['--version']);
    assert.equal(offered(out, ['backup-maker', '-u', 'https://example.org', 'make', '--comp']), [
      '--compress',
    ]);
    assert.equal(offered(out, ['backup-maker', 'make', '--pass']), [], 'what is hidden is not offered');
    assert.equal(offered(out, ['backup-maker', 'make', '-c', '']), [], 'files are left to bash');
    assert.equal(offered(out, ['backup-maker', 'generate', '']), ['backup', 'restore', '--help']);
    assert.equal(offered(out, ['backup-maker', 'generate', 'restore', '--target']), ['--target-version']);
    assert.equal(offered(out, ['backup-maker', 'generate', 'backup', '--target']), []);
  });
}

test('zsh takes what bash takes, fish has its own', async () => {
  const plain = (await maker(['completion', 'bash'])).out;
  const zsh = (await maker(['completion', 'zsh'])).out;
  assert.ok(zsh.endsWith(plain));
  assert.match(zsh, /^autoload .*bashcompinit/m);
  const fish = (await maker(['completion', 'fish'])).out.trimEnd().split('\n');
  for (const line of fish)
    assert.match(
      line,
      /^complete -c backup-maker -n ('[^']*'|__fish_use_subcommand)( -f)?( -[al] [\w-]+ -d '([^'\\]|\\.)*')?$/,
    );
  for (const name of COMMANDS) assert.ok(fish.some((line) => line.includes(` -a ${name} `)));
  assert.ok(fish.some((line) => line.includes("'__fish_seen_subcommand_from restore' -l private-key ")));
});

test.run();
