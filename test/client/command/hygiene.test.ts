/** What the command and its surroundings may show, and to whom. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dump } from '../../../src/client/command/dump.ts';
import { commandEnvironment } from '../../../src/client/command/environment.ts';
import { load } from '../../../src/client/command/load.ts';
import { hasPipe } from '../../../src/client/command/pipes.ts';
import { findShells, noticesFailuresInPipes, shellsOf } from '../../../src/client/command/shells.ts';
import { at, errorOf, QUICK_SHELLS, read, SHELLS, textOf, zeros } from './support.ts';

const test = suite('client/command/hygiene');

const SECRETS = {
  BM_AUTH_TOKEN: 'secret-token',
  BM_ACCESS_KEY_PASSWORD: 'secret-password',
  BM_PASSPHRASE: 'secret-passphrase',
  BM_AUTH_TOKEN_FILE: '/run/secret-file',
  BM_ACCESS_KEY_PASSWORD_FILE: '/run/secret-file',
  BM_PASSPHRASE_FILE: '/run/secret-file',
};

test('our secrets are kept from the command, everything else passes', () => {
  const env = { ...SECRETS, PATH: '/bin', PGPASSWORD: 'p', BM_URL: 'u', BM_PRIVATE_KEY_PATH: '/k' };
  assert.equal(commandEnvironment(env), {
    PATH: '/bin',
    PGPASSWORD: 'p',
    BM_URL: 'u',
    BM_PRIVATE_KEY_PATH: '/k',
  });
  assert.is(env.BM_AUTH_TOKEN, 'secret-token', 'the original stays as it is');
});

for (const [name, shells] of QUICK_SHELLS) {
  test(
    `${name}: no argument of any process shows the command, no environment shows our secrets`,
    at(async (place) => {
      const env = { ...place.env, ...SECRETS, PGPASSWORD: 'for-the-command' };
      const command =
        'echo "$PGPASSWORD"; : mysql-ppassword-in-text; while [ ! -e "$ENDED" ]; do sleep 0.05; done; echo end';
      let seen = 0;
      for await (const chunk of dump(place.options(command, { env, shells }))) {
        if (!chunk.includes('for-the-command')) continue;
        for (const id of place.processes()) {
          seen++;
          assert.not.match(read(id, 'cmdline'), 'password-in-text');
          assert.not.match(read(id, 'environ'), 'secret-');
        }
        writeFileSync(place.ended, '');
      }
      assert.ok(seen >= 3, 'the processes were found');
    }),
  );

  test(
    `${name}: the command does not inherit what is ours: no open files, no text of itself`,
    at(async (place) => {
      const command = 'for f in /proc/self/fd/[0-9]*; do readlink "$f" || :; done; env';
      const text = await textOf(dump(place.options(command, { shells })));
      assert.not.match(text, 'socket:');
      assert.not.match(text, 'BM_CMD');
      assert.match(text, 'TEST_MARK');
    }),
  );
}

test('finds pipes between programs, and nothing else that looks like one', () => {
  for (const command of [
    'a | b',
    'a|b',
    "a 'x' | b",
    'a |& b',
    'a || b | c',
    'a # x\n| b',
    'a "x" \\| y | z',
  ]) {
    assert.ok(hasPipe(command), command);
  }
  for (const command of ['a', 'a || b', "a '|'", 'a "|"', 'a "\\"|"', 'a \\| b', 'a # | b', 'a >| f']) {
    assert.not.ok(hasPipe(command), command);
  }
});

for (const [name, shells] of SHELLS) {
  test(
    `${name}: a failure in front of a pipe is noticed, or it was warned of`,
    at(async (place) => {
      const outcome = textOf(dump(place.options('false | echo behind', { shells })));
      if (await noticesFailuresInPipes(shells, place.env)) {
        assert.match((await errorOf(outcome)).message, 'exit code 1');
        assert.equal(place.warnings, []);
      } else {
        await outcome;
        assert.is(place.warnings.length, 1);
        assert.match(place.warnings[0] ?? '', 'instead of `first | second`');
      }
      await textOf(dump(place.options("echo 'a|b'", { shells })));
      assert.ok(place.warnings.length <= 1);
    }),
  );
}

test(
  'takes bash, else the first POSIX shell that notices failures in pipes, else the first',
  at(async (place) => {
    const [first, second, own] = ['first', 'second', 'own'].map((name) => join(place.folder, name)) as [
      string,
      string,
      string,
    ];
    const shell = (folder: string, name: string, pipefail: boolean) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, name), `#!/bin/sh\nexit ${pipefail ? 0 : 2}\n`, { mode: 0o755 });
    };
    const found = async () => {
      const { command, guard } = await findShells({ PATH: first }, [second, own]);
      return [command[0], guard[0]];
    };
    assert.match((await errorOf(findShells({ PATH: first }, [second, own]))).message, 'no shell');
    shell(own, 'sh', false);
    assert.equal(await found(), [join(own, 'sh'), join(own, 'sh')]);
    shell(first, 'sh', false);
    assert.equal(await found(), [join(first, 'sh'), join(first, 'sh')], 'none is able to');
    shell(own, 'sh', true);
    assert.equal(await found(), [join(own, 'sh'), join(own, 'sh')], 'only ours is');
    shell(second, 'sh', true);
    assert.equal(await found(), [join(second, 'sh'), join(second, 'sh')]);
    shell(second, 'bash', true);
    assert.equal(await found(), [join(second, 'bash'), join(first, 'sh')]);
  }),
);

if (existsSync('/bin/busybox')) {
  test(
    "busybox's shell runs the tools on the PATH, not its own of the same name",
    at(async (place) => {
      writeFileSync(join(place.folder, 'tar'), '#!/bin/sh\necho "mine $*"\n', { mode: 0o755 });
      const env = { ...place.env, PATH: `${place.folder}:${place.env.PATH}` };
      const shells = shellsOf(['/bin/busybox', 'sh']);
      const command = 'tar --xattrs x; (tar y) | cat; echo "$(tar z)"';
      const text = await textOf(dump(place.options(command, { env, shells })));
      assert.is(text, 'mine --xattrs x\nmine y\nmine z\n');
    }),
  );

  test(
    'works in an image that has no other program than one busybox',
    at(async (place) => {
      const env = { ...place.env, PATH: '/nowhere' };
      for (const shells of [shellsOf(['/bin/busybox', 'sh']), shellsOf(['/bin/sh'])]) {
        assert.is(await textOf(dump(place.options('echo a', { env, shells }))), 'a\n');
        await load(zeros(10), place.options('while read -r line; do :; done', { env, shells }));
      }
    }),
  );
}

test.run();
