/** Flags, variables, and what is said of wrong ones. */
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addFlags, GROUPS, type Group, readVariables } from '../../src/cli/maker-flags.ts';
import { failedWith, keepSecret, MakerWorld, maker, PASSPHRASE } from './maker-world.ts';

const test = suite('backup-maker: usage');
const world = new MakerWorld();
test.before(() => world.open());
test.after(() => world.close());

test('the command lines of the original, in its spelling', async () => {
  const { pgpPublic, pgpPrivate } = world.keys;
  const token = world.env.BM_AUTH_TOKEN ?? '';
  const who = ['-u', world.url, '-i', 'app', '-t', token];
  const long = [
    `--url=${world.url}`,
    '--collection-id=app',
    `--auth-token=${token}`,
    '--timeout=1200',
    '--log-level=debug',
  ];
  const lines: string[][] = [
    ['make', ...who, '-k', pgpPublic, '-r', 'ops@example.org', '-c', 'echo x', '--passphrase', PASSPHRASE],
    [
      'make',
      ...long,
      `--key=${pgpPublic}`,
      '--recipient=ops@example.org',
      '--cmd=echo x',
      `--passphrase=${PASSPHRASE}`,
    ],
    [...long, 'make', '--key', pgpPublic, '--recipient', 'ops@example.org', '--cmd', 'echo x'],
    [
      'restore',
      ...who,
      '-p',
      pgpPrivate,
      '-c',
      'cat >/dev/null',
      '-s',
      'latest',
      '-r',
      'ops@example.org',
      '--passphrase',
      PASSPHRASE,
    ],
    [
      'restore',
      ...long,
      `--private-key=${pgpPrivate}`,
      '--cmd=cat >/dev/null',
      '--version=1',
      `--passphrase=${PASSPHRASE}`,
    ],
    [
      ...who,
      '--timeout',
      '60',
      '--log-level',
      'info',
      'restore',
      '-p',
      pgpPrivate,
      '-c',
      'cat >/dev/null',
      '-s',
      'v2',
      '--passphrase',
      PASSPHRASE,
    ],
    [
      'download',
      ...long,
      `--save-path=${world.path('a')}`,
      '-p',
      pgpPrivate,
      '-s',
      '1',
      '-r',
      'ops@example.org',
      '--passphrase',
      PASSPHRASE,
    ],
    ['download', ...who, '--save-path', world.path('b')],
    [...long, 'download', '--save-path', world.path('c')],
    ['make', ...who, '-i', 'open', '-k', '', '-c', 'echo x'],
  ];
  for (const line of lines) {
    const ran = await maker(line);
    assert.is(ran.code, 0, `${line.join(' ')}\n${ran.err}`);
  }
  assert.is(readFileSync(world.path('a'), 'utf8'), 'x\n');
  for (const name of ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace', 'INFO'])
    assert.is((await maker(['list', ...who, '--log-level', name])).code, 0);

  // And its variables, nothing else.
  const env = {
    BM_URL: world.url,
    BM_COLLECTION_ID: 'app',
    BM_AUTH_TOKEN: token,
    BM_TIMEOUT: '1200',
    BM_RECIPIENT: 'ops@example.org',
    BM_PASSPHRASE: PASSPHRASE,
  };
  const made = await maker(['make'], { env: { ...env, BM_PUBLIC_KEY_PATH: pgpPublic, BM_CMD: 'echo y' } });
  assert.is(made.code, 0, made.err);
  const reading = { ...env, BM_PRIVATE_KEY_PATH: pgpPrivate, BM_CMD: 'cat >/dev/null', BM_VERSION: 'latest' };
  const restored = await maker(['restore'], { env: reading });
  assert.is(restored.code, 0, restored.err);
  const saved = await maker(['download', '--save-path', '-'], { env: reading });
  assert.is(saved.out, 'y\n', saved.err);
});

/** Two values for each flag that differ, and what the second one is read as. */
const VALUES: Readonly<Record<string, readonly [string, string, unknown]>> = {
  '--timeout': ['5', '7', 7],
  '--idle-timeout': ['5', '7.5', 7.5],
  '--log-level': ['error', 'warning', 'warn'],
  '--log-format': ['text', 'json', 'json'],
  '--progress': ['always', 'never', 'never'],
  '--compress': ['none', 'zstd:3', 'zstd:3'],
  '--decompress': ['none', 'zstd', 'zstd'],
  '--version': ['1', 'v2', 'v2'],
};

for (const [group, flags] of Object.entries(GROUPS)) {
  test(`variables win over flags: ${group}`, () => {
    for (const flag of flags as readonly { names: string; variable?: string; repeated?: boolean }[]) {
      const [, long = ''] = /(--[\w-]+)/.exec(flag.names) ?? [];
      const command = addFlags(new Command(), group as Group);
      const attribute = command.options.find((option) => option.long === long)?.attributeName() ?? '';
      const takesValue = flag.names.includes('<');
      const [first, second, read] = VALUES[long] ?? [
        'from-flag',
        'from-variable',
        flag.repeated ? ['from-variable'] : 'from-variable',
      ];
      command.parse(takesValue ? [long, first] : [], { from: 'user' });
      if (flag.variable === undefined) continue;
      const value = takesValue ? second : 'true';
      const unheard = readVariables(command, { [flag.variable]: value });
      const expected = takesValue ? read : !long.startsWith('--no-');
      assert.equal(command.getOptionValue(attribute), expected, flag.names);
      assert.equal(
        unheard,
        takesValue ? [`${long} has no effect: the variable ${flag.variable} is set, and wins`] : [],
      );
      // An empty one does not, and the same value is no contradiction.
      command.setOptionValueWithSource(attribute, expected, 'cli');
      assert.equal(readVariables(command, { [flag.variable]: '' }), []);
      assert.equal(readVariables(command, { [flag.variable]: value }), []);
      assert.equal(command.getOptionValue(attribute), expected, flag.names);
    }
  });
}

test('variables of several values have one on each line', async () => {
  const { agePublic, otherPublic, otherPrivate, pgpPrivate } = world.keys;
  const made = await world.run(['make', '-c', 'echo both'], {
    env: { BM_PUBLIC_KEY_PATH: `${agePublic}\n${otherPublic}\n` },
  });
  assert.is(made.code, 0, made.err);
  assert.is((await world.run(['download', '--save-path', '-', '--identity', otherPrivate])).out, 'both\n');
  const mixed = await world.run(['check'], {
    env: { BM_PRIVATE_KEY_PATH: `${otherPrivate}\n${pgpPrivate}` },
  });
  failedWith(mixed, 6, /age keys and OpenPGP keys cannot be used together/);
});

test('a flag that a variable makes deaf is said to be', async () => {
  const ran = await world.run(['list', '--url', 'http://nobody.invalid']);
  assert.is(ran.code, 0);
  assert.match(ran.err, 'level=warning msg="--url has no effect: the variable BM_URL is set, and wins"');
  assert.not.match((await world.run(['list', '--url', world.url])).err, 'no effect');
});

test('wrong flags: exit status 2, one sentence, and where to look', async () => {
  const secret = keepSecret('canary-as-an-argument');
  for (const [args, said] of [
    [['list', '--nonsense'], /unknown option '--nonsense'/],
    [['mak'], /unknown command 'mak'[\s\S]*Did you mean make\?/],
    [['make', secret], /too many arguments for 'make'/],
    [
      ['make', '--timeout', 'soon'],
      /'--timeout <seconds>' argument 'soon' is invalid\. it is a number of seconds/,
    ],
    [['make', '--timeout', '-1'], /'--timeout <seconds>' argument '-1' is invalid/],
    [['make', '--compress', 'gzip'], /'--compress <how>' argument 'gzip' is invalid\. it is zstd/],
    [['make', '--compress', 'zstd:20'], /zstd:<level from 1 to 19> or none/],
    [['restore', '--version', 'newest'], /it is latest, or a number/],
    [['restore', '--decompress', 'maybe'], /Allowed choices are auto, zstd, none/],
    [['list', '--log-level', 'loud'], /it is one of panic, /],
    [['list', '--log-format', 'xml'], /Allowed choices are auto, text, json/],
    [['download'], /required option '--save-path <file>' not specified/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [['keygen', '--format', 'rsa'], /Allowed choices are age, age-pq, openpgp/],
  ] as const) {
    const ran = await world.run(args);
    assert.is(ran.code, 2, `${args.join(' ')}: ${ran.err}`);
    assert.is(ran.out, '');
    assert.match(ran.err, said);
    assert.match(
      ran.err,
      /^error: [^\n]+\n(\(Did you mean [^\n]+\n)?\(backup-maker help lists the commands, .*\)\n$/,
    );
  }
  const nothing = await maker([]);
  assert.is(nothing.code, 2);
  assert.match(nothing.err, 'Usage: backup-maker');
});

test('a flag in the place of a value, as an empty variable of a script leaves it', async () => {
  for (const [args, said] of [
    [['make', '-i', '--cmd', 'echo x'], '--collection-id is followed by --cmd, and needs a value'],
    [['list', '--url', '-i', 'app'], '--url is followed by -i, and needs a value'],
    [['keygen', '--secret', '--name', 'x'], '--secret is followed by --name, and needs a value'],
    [['restore', '--private-key', '--no-encryption'], '--private-key is followed by --no-encryption, and'],
  ] as const) {
    const ran = await world.run(args);
    assert.is(ran.code, 2, `${args.join(' ')}: ${ran.err}`);
    assert.ok(ran.err.includes(said), ran.err);
  }
  // Whatever is no flag of the command may be a value.
  const ran = await world.run(['list', '-i', '--odd']);
  assert.is(ran.code, 9, ran.err);
});

test('wrong variables are named', async () => {
  for (const [variable, value, said] of [
    ['BM_TIMEOUT', '20m', /BM_TIMEOUT: it is a number of seconds/],
    ['BM_COMPRESS', 'gzip', /BM_COMPRESS: it is zstd/],
    ['BM_ARMOR', 'perhaps', /BM_ARMOR: "perhaps" is neither true nor false/],
    ['BM_LOG_FORMAT', 'xml', /BM_LOG_FORMAT: "xml" is none of auto, text, json/],
    ['BM_NO_ENCRYPTION', 'perhaps', /BM_NO_ENCRYPTION: "perhaps" is neither/],
  ] as const)
    failedWith(await world.run(['make', '-c', 'echo'], { env: { [variable]: value } }), 2, said);
  failedWith(
    await world.run(['restore', '-c', 'cat'], { env: { BM_VERSION: 'x' } }),
    2,
    /BM_VERSION: it is latest, or/,
  );
});

test('what is not understood is not repeated: it may be a secret', async () => {
  for (const args of [
    ['make', '--passphrase', 'one', keepSecret('canary-second-word')],
    ['restore', `--pasphrase=${keepSecret('canary-of-a-misspelt-flag')}`],
    ['restore', `-z${keepSecret('canary-of-a-short-flag')}`],
  ])
    assert.is((await maker(args)).code, 2);
});

test('a bug of ours is called one', async () => {
  const stdout = new Writable();
  stdout.write = () => {
    throw new TypeError('something that cannot be');
  };
  const ran = await world.run(['list'], { stdout });
  failedWith(ran, 70, /this is a bug in backup-maker: something that cannot be/, /BM_LOG_LEVEL=debug/);
  const debug = await world.run(['list'], { stdout, env: { BM_LOG_LEVEL: 'debug' } });
  assert.match(debug.err, /\n {4}at /);
});

test('a recipient that would be left out stops the backup instead', async () => {
  const whole = readFileSync(world.keys.pgpPublic, 'utf8');
  const half = world.write('half.asc', whole + whole.replace(/-----END[^\n]*\n?/, ''));
  const asked: string[][] = [
    ['-k', world.keys.agePublic, '-r', 'ops@example.org'],
    ['-k', world.keys.agePublic, '-r', 'agel0typingmistake'],
    ['-k', half],
  ];
  for (const flags of asked)
    failedWith(await world.run(['make', '-c', 'echo x', ...flags]), 6, /ops@example.org|agel0|END line/);
});

test('blank variables say nothing, and half of an action is none', async () => {
  const blank = { BM_PUBLIC_KEY_PATH: ' \n' };
  const made = await world.run(['make', '-c', 'echo x', '-k', world.keys.agePublic, '--json'], {
    env: blank,
  });
  assert.is(made.code, 0, made.err);
  assert.not.match(made.err, 'not encrypted');
  const unnamed = { BM_ACTION_NAME: '', BM_ACTION_NAMESPACE: 'shop', BM_ACTION_RUN_ID: '7' };
  failedWith(
    await world.run(['make', '-c', 'echo x', '-k', world.keys.agePublic], { env: unnamed }),
    2,
    /the name of the action/,
  );
  assert.is((await world.run(['make', '-c', 'echo x', '--timeout', '3000000'])).code, 2);
});

test('a download never replaces a key that it reads', async () => {
  const key = world.keys.agePrivate;
  failedWith(await world.run(['download', '-p', key, '--save-path', key]), 2, /would overwrite/);
});

test.run();
