/**
 * `backup-maker generate` on real folders: what is written, with which modes, and what is refused.
 *
 * `UPDATE=1 node test/run.ts cli/maker-generate` writes the expected files under fixtures/definitions/expected anew.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { procedures } from '../../gen/procedures.ts';
import { CODES } from '../../src/api/codes.ts';
import { type Problem, UserError } from '../../src/api/problem.ts';
import { addGenerateCommand } from '../../src/cli/maker-generate.ts';
import type { GenerateOptions } from '../../src/cli/maker-generate-options.ts';
import { generate } from '../../src/cli/maker-generate-run.ts';
import { cases, definitions } from './maker-generate-cases.ts';

const update = process.env.UPDATE === '1';
const SECRET = /canary|eyJhbGci/i;
const test = suite('cli: generate');

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-maker-generate-'));
});
test.after.each(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Puts files into the test's folder and renders there. */
async function inFolder(
  files: Record<string, string>,
  options: Partial<GenerateOptions>,
): Promise<{ files: string[]; problems: Problem[] }> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const template = options.template ?? 'tar';
  const home = join(folder, 'home');
  return generate({
    operation: 'backup',
    gpgKeyPath: '',
    outputDir: 'out',
    ...options,
    template,
    cwd: folder,
    home,
  });
}

async function failureOf(work: Promise<unknown>): Promise<UserError> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, UserError);
    return error as UserError;
  }
  throw new Error('did not fail');
}

const TAR =
  'Params:\n  path: /srv/data\nRepository:\n  url: https://backups.example.org\n  token: canary-token\n  collectionId: app\n';
const errorsOf = (problems: readonly Problem[]) =>
  problems.filter(({ code }) => CODES[code].severity === 'error');
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

for (const { name, options } of cases) {
  const { operation, kubernetes } = options;
  test(`golden: ${name}, ${operation}`, async () => {
    const { files, problems } = await generate({ ...options, outputDir: folder });
    assert.equal(errorsOf(problems), []);
    const expected = join(definitions, 'expected', name);
    const messages = problems.map(
      ({ code, path, message }) => `${code}: ${path ? `${path}: ` : ''}${message}\n`,
    );
    assertGolden(join(expected, `${operation}.txt`), messages.join(''));
    for (const file of files.filter((path) => basename(path) !== 'gpg-key'))
      assertGolden(join(expected, basename(file)), withoutConstants(readFileSync(file, 'utf8')));
    assert.is(basename(files.at(-1) ?? ''), `${operation}.${kubernetes ? 'yaml' : 'sh'}`);
    assert.equal(
      readdirSync(folder).sort(),
      files.map((path) => basename(path)).sort(),
      'something was left behind',
    );
    assert.not.match(messages.join(''), SECRET);
  });

  test(`no secret in clear text: ${name}, ${operation}`, async () => {
    const { files } = await generate({ ...options, outputDir: folder });
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      if (/\.(sh|yaml)$/.test(file)) assert.not.match(text, SECRET, file);
      assert.is(modeOf(file), modeFor(file, text), file);
    }
  });
}

function modeFor(file: string, text: string): string {
  if (file.endsWith('.sh')) return '755';
  return file.endsWith('.yaml') && !/^kind: Secret$/m.test(text) ? '644' : '600';
}

/** The scripts of built-in procedures have tests of their own; which one it is says enough. */
function withoutConstants(text: string): string {
  let shown = text
    .replace(/^( +riotkit\.org\/script-digest): .*$/m, '$1: <digest>')
    .replace(/^( {2}name: .*-restore-)\w{10}$/m, '$1<digest>');
  for (const { name, scripts } of procedures) {
    for (const [operation, script] of Object.entries(scripts)) {
      const body = script.replace(/^#!.*\n/, '');
      const indented = script.replace(/^(?=.)/gm, '    ');
      shown = shown
        .replace(body, () => `<procedures/${name}/${operation}.sh>\n`)
        .replace(indented, () => `    <procedures/${name}/${operation}.sh>\n`);
    }
  }
  return shown;
}

function assertGolden(file: string, actual: string): void {
  if (update) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
  }
  assert.ok(
    existsSync(file),
    `${file} does not exist: run UPDATE=1 node test/run.ts cli/maker-generate and read it`,
  );
  assert.fixture(actual, readFileSync(file, 'utf8'));
}

test('no expected file is left without its case', () => {
  assert.equal(
    readdirSync(join(definitions, 'expected')).sort(),
    [...new Set(cases.map(({ name }) => name))].sort(),
  );
});

const REFUSED: readonly [
  what: string,
  definition: string | undefined,
  options: Partial<GenerateOptions>,
  exit: number,
  message: RegExp,
][] = [
  [
    'no definition',
    undefined,
    {},
    1,
    /^cannot read the definition \.\/rkc-backup\.yaml: there is no such file; name it with --definition$/,
  ],
  ['a folder', TAR, { definition: '.' }, 1, /cannot read the definition \.: it is a folder/],
  [
    'an unknown procedure',
    TAR,
    { template: 'postgrse' },
    1,
    /^--template: there is no procedure and no template "postgrse"; did you mean postgres\?$/,
  ],
  [
    'nothing near',
    TAR,
    { template: 'wordpress' },
    1,
    /known: etcd, files.*; your own would be templates\/backup\/wordpress\.tmpl/,
  ],
  ['a path as template', TAR, { template: '../../etc/passwd' }, 2, /must be a name/],
  [
    'no key file',
    TAR,
    { gpgKeyPath: 'gpg-key' },
    6,
    /cannot read the key gpg-key: there is no such file; name the file of the public key/,
  ],
  ['no key at all', TAR, { gpgKeyPath: 'rkc-backup.yaml' }, 6, /rkc-backup\.yaml is neither an OpenPGP key/],
  [
    'a folder that is a file',
    TAR,
    { outputDir: 'rkc-backup.yaml' },
    74,
    /^cannot write .*rkc-backup\.yaml: it is no folder$/,
  ],
];

for (const [what, definition, options, exit, message] of REFUSED) {
  test(`refuses ${what} with exit code ${exit}`, async () => {
    const files = definition === undefined ? {} : { 'rkc-backup.yaml': definition };
    const error = await failureOf(inFolder(files, options));
    assert.match(error.message, message);
    assert.is(error.exitCode, exit);
    assert.not.match(error.message, SECRET);
    assert.not.ok(existsSync(join(folder, 'out')), 'something was written');
  });
}

const WRONG: readonly [
  what: string,
  definition: string,
  options: Partial<GenerateOptions>,
  ...found: RegExp[],
][] = [
  ['no YAML', 'Params: {path: canary\n', {}, /^\.\/rkc-backup\.yaml: line \d is not valid YAML$/],
  ['nothing', '', {}, /^\.\/rkc-backup\.yaml: is empty/],
  ['a list', '- a\n', {}, /is no map/],
  [
    'a misspelt root',
    TAR.replace('Repository', 'Repositry'),
    {},
    /Repositry: unknown field; did you mean Repository\?/,
  ],
  [
    'a misspelt field',
    TAR.replace('collectionId', 'colectionId'),
    {},
    /^Repository\.colectionId: unknown field; did you mean collectionId\?/,
    /^Repository\.collectionId: is required/,
  ],
  [
    'no collection',
    TAR.replace(/ {2}collectionId.*\n/, ''),
    {},
    /^Repository\.collectionId: is required: the collection of the server/,
  ],
  [
    'no address',
    TAR.replace(/ {2}url.*\n/, ''),
    {},
    /^Repository\.url: is required: the address of the server/,
  ],
  [
    'no token on Kubernetes',
    TAR.replace(/ {2}token.*\n/, ''),
    { kubernetes: true },
    /^Repository\.token: is required: .*BM_ACCESS_KEY_USERNAME/,
  ],
  [
    'an unknown parameter',
    TAR.replace('path', 'paht'),
    {},
    /^Params\.paht: the procedure files has no such parameter; did you mean path\?$/,
  ],
  [
    'a missing parameter',
    TAR.replace(/ {2}path.*\n/, '  db: x\n'),
    { template: 'pg16' },
    /^Params\.hostname: is required by the procedure postgres/,
  ],
  [
    'a schedule',
    TAR,
    { kubernetes: true, k8sJobSchedule: '61 * * * *' },
    /^--k8s-job-schedule: .*minute "61"/,
  ],
  ['a name', TAR, { kubernetes: true, k8sName: 'My_Job' }, /^--k8s-name: "My_Job": must consist of/],
  [
    'a name of the definition',
    `${TAR}HelmValues:\n  name: My_Job\n`,
    { kubernetes: true },
    /^HelmValues\.name: "My_Job": must consist of/,
  ],
  ['an image', TAR, { kubernetes: true, k8sImage: 'https://x' }, /^--k8s-image: .*without a scheme/],
  [
    'code for the build machine',
    `${TAR}HelmValues:\n  env:\n    A: $(id)\n    B: "\${HOME}"\n`,
    {},
    /^HelmValues\.env\.A: the original ran this in the shell of the build machine, which never happens here/,
    /^HelmValues\.env\.B: /,
  ],
  [
    'code as the version of a script',
    TAR,
    { operation: 'restore', targetVersion: '$(id)' },
    /^--target-version: "\$\(id\)": must be latest/,
  ],
  [
    'a version',
    TAR,
    { operation: 'restore', kubernetes: true, targetVersion: 'newest' },
    /^--target-version: "newest": must be latest/,
  ],
];

for (const [what, definition, options, ...expected] of WRONG) {
  test(`wrong: ${what}`, async () => {
    const { files, problems } = await inFolder({ 'rkc-backup.yaml': definition }, options);
    const errors = errorsOf(problems).map(({ path, message }) => (path ? `${path}: ${message}` : message));
    for (const pattern of expected)
      assert.ok(
        errors.some((error) => pattern.test(error)),
        `${pattern} not in\n${errors.join('\n')}`,
      );
    assert.not.match(errors.join('\n'), SECRET);
    assert.not.match(errors.join('\n'), /spec\./, 'speaks of a ScheduledBackup');
    assert.equal(files, []);
    assert.not.ok(existsSync(join(folder, 'out')), 'something was written');
  });
}

test('a template of the user goes before a built-in procedure, but not the copy that the original made of its own', async () => {
  const own = '#!/bin/sh\n# mine\nbackup-maker make -c "tar -cf - {{ .Params.path }}"\n';
  const files = { 'rkc-backup.yaml': TAR, 'home/.bm/templates/user/backup/tar.tmpl': own };
  await inFolder(files, {});
  assert.match(
    readFileSync(join(folder, 'out/backup.sh'), 'utf8'),
    /# mine\nbackup-maker make -c "tar -cf - \/srv\/data"/,
  );
  await inFolder({ ...files, 'home/.bm/templates/.base/backup/tar.tmpl': own }, {});
  assert.not.match(readFileSync(join(folder, 'out/backup.sh'), 'utf8'), /# mine/);
});

test('templates are looked for in generate/templates, then in templates, behind what is built in', async () => {
  const script = (name: string) => `#!/bin/sh\n# ${name}\n`;
  const files = {
    'rkc-backup.yaml': TAR,
    'generate/templates/backup/mine.tmpl': script('first'),
    'templates/backup/mine.tmpl': script('second'),
    'templates/backup/other.tmpl': script('third'),
    'templates/backup/tar.tmpl': script('fourth'),
  };
  const firstOf = async (template: string) => {
    const { problems } = await inFolder(files, { template });
    return { text: readFileSync(join(folder, 'out/backup.sh'), 'utf8'), problems };
  };
  assert.match((await firstOf('mine')).text, /# first/);
  assert.match((await firstOf('other')).text, /# third/);
  const { text, problems } = await firstOf('tar');
  assert.not.match(text, /# fourth/);
  assert.ok(
    problems.some(
      ({ code, message }) =>
        code === 'suspicious' && /templates\/backup\/tar\.tmpl is not used/.test(message),
    ),
  );
});

test('own templates are lookups and nothing else, and mistakes in them name file and line', async () => {
  const script = '#!/bin/sh\n{{ if .Params.path }}\n{{ .Params.pth }}\n';
  const { problems } = await inFolder(
    { 'rkc-backup.yaml': TAR, 'templates/backup/mine.tmpl': script },
    { template: 'mine' },
  );
  const [first] = errorsOf(problems);
  assert.is(first?.code, 'code-in-input');
  assert.is(first?.path, join(folder, 'templates/backup/mine.tmpl'));
  assert.match(first?.message ?? '', /^line 2: "\{\{ if \.Params\.path \}\}" is not a lookup/);
  const { problems: missing } = await inFolder(
    { 'templates/backup/mine.tmpl': '#!/bin/sh\n{{ .Params.pth }}\n' },
    { template: 'mine' },
  );
  assert.match(
    errorsOf(missing)[0]?.message ?? '',
    /line 2: \{\{ \.Params\.pth \}\} has no value; did you mean \.Params\.path\?/,
  );
});

test('a script can only be made of a template that a shell runs', async () => {
  const files = {
    'rkc-backup.yaml': TAR,
    'templates/backup/mine.tmpl': '#!/usr/bin/env python3\nprint(1)\n',
  };
  assert.is(errorsOf((await inFolder(files, { template: 'mine' })).problems)[0]?.code, 'unsupported');
  assert.equal(errorsOf((await inFolder(files, { template: 'mine', kubernetes: true })).problems), []);
});

test('a backup is not given a private key, nor a restore a public one', async () => {
  const gpgKeyPath = (file: string) => ({ gpgKeyPath: join(definitions, file) });
  const given = await failureOf(inFolder({ 'rkc-backup.yaml': TAR }, gpgKeyPath('private.key')));
  assert.match(given.message, /is a private key, which a backup must not have/);
  assert.is(given.exitCode, 6);
  const lacking = await failureOf(inFolder({}, { ...gpgKeyPath('public.key'), operation: 'restore' }));
  assert.match(lacking.message, /is a public key, which opens nothing/);
});

test('an OpenPGP key may be binary', async () => {
  const { files } = await inFolder({ 'rkc-backup.yaml': TAR }, {});
  assert.is(files.length, 2);
  // Headers of a public (6) and a private (5) key packet, in the old form.
  writeFileSync(join(folder, 'public.gpg'), Buffer.of(0x99, 0, 1, 4));
  writeFileSync(join(folder, 'private.gpg'), Buffer.of(0x95, 0, 1, 4));
  await inFolder({}, { gpgKeyPath: 'public.gpg' });
  assert.equal(readFileSync(join(folder, 'out/gpg-key')), Buffer.of(0x99, 0, 1, 4));
  assert.match((await failureOf(inFolder({}, { gpgKeyPath: 'private.gpg' }))).message, /is a private key/);
});

test('never replaces a key by another one, except a public by a public', async () => {
  const privateKey = readFileSync(join(definitions, 'private.key'), 'utf8');
  const files = {
    'rkc-backup.yaml': TAR,
    'out/gpg-key': privateKey,
    'public.key': 'age1one\n',
    'other.key': 'age1two\n',
  };
  const error = await failureOf(inFolder(files, { gpgKeyPath: 'public.key' }));
  assert.match(
    error.message,
    /out\/gpg-key holds a private key that is not the same, which would be replaced/,
  );
  assert.is(readFileSync(join(folder, 'out/gpg-key'), 'utf8'), privateKey);
  await inFolder({ 'out/gpg-key': 'age1one\n' }, { gpgKeyPath: 'other.key' });
  assert.is(readFileSync(join(folder, 'out/gpg-key'), 'utf8'), 'age1two\n');
});

const SEALED = readFileSync(join(definitions, 'sealed-key.yaml'), 'utf8');
const SEALED_WRONG: readonly [
  what: string,
  text: string,
  options: Partial<GenerateOptions>,
  message: RegExp,
][] = [
  [
    'without the key',
    SEALED.replace('gpg-key', 'key'),
    {},
    /SealedSecret is invalid: missing \.Spec\.EncryptedData\.gpg-key/,
  ],
  [
    'of another namespace',
    SEALED,
    { k8sNamespace: 'other' },
    /SealedSecret is invalid: SealedSecret is in different Namespace \(backups\), expected to be in 'other'/,
  ],
  [
    'of the generated name',
    SEALED,
    { k8sName: 'app1-keys' },
    /SealedSecret is invalid: SealedSecret cannot have \.metadata\.name same as 'app1-keys'/,
  ],
  [
    'of the generated Secret',
    SEALED.replace('app1-keys', 'app1-backup'),
    { k8sName: 'app1' },
    /same as 'app1-backup'/,
  ],
  ['for a script', SEALED, { kubernetes: false }, /only the cluster can open it/],
  ['that is no YAML', `${SEALED}  x: {\n`, {}, /SealedSecret is invalid: line \d+ is not valid YAML/],
];

for (const [what, text, options, message] of SEALED_WRONG) {
  test(`refuses a SealedSecret ${what}`, async () => {
    const files = { 'rkc-backup.yaml': TAR, 'sealed.yaml': text };
    const error = await failureOf(
      inFolder(files, { kubernetes: true, k8sNamespace: 'backups', gpgKeyPath: 'sealed.yaml', ...options }),
    );
    assert.match(error.message, message);
    assert.is(error.exitCode, 1);
  });
}

test('says which entries of a SealedSecret are not read', async () => {
  const files = {
    'rkc-backup.yaml': TAR,
    'sealed.yaml': SEALED.replace('BM_PASSPHRASE', 'DB_PASSWORD').replace(
      /^ +(Params|Repository)\..*\n/gm,
      '',
    ),
  };
  const { problems } = await inFolder(files, {
    kubernetes: true,
    k8sNamespace: 'backups',
    gpgKeyPath: 'sealed.yaml',
  });
  assert.ok(
    problems.some(
      ({ code, message }) =>
        code === 'ignored-field' &&
        /"DB_PASSWORD" is not read: seal it as HelmValues\.env\.DB_PASSWORD/.test(message),
    ),
  );
});

test('a second run replaces the files, and keeps variables that the definition does not have', async () => {
  await inFolder({ 'rkc-backup.yaml': TAR }, {});
  const env = join(folder, 'out/backup.env');
  writeFileSync(env, `BM_AUTH_TOKEN='old'\nTZ='it'\\''s\nhere'\n`);
  chmodSync(env, 0o644);
  await inFolder({}, {});
  const text = readFileSync(env, 'utf8');
  assert.match(text, /^BM_AUTH_TOKEN='canary-token'$/m);
  assert.match(text, /^TZ='it'\\''s\nhere'$/m);
  assert.not.match(text, /old/);
  assert.is(modeOf(env), '600');
});

test('leaves alone what stands where a file should be', async () => {
  mkdirSync(join(folder, 'out/backup.sh'), { recursive: true });
  const error = await failureOf(inFolder({ 'rkc-backup.yaml': TAR }, {}));
  assert.match(error.message, /^cannot write .*out\/backup\.sh: a folder of that name is in the way$/);
  assert.is(error.exitCode, 74);
  assert.equal(
    readdirSync(join(folder, 'out')).filter((name) => name.startsWith('.')),
    [],
  );
});

test('flags without effect are named', async () => {
  const { problems } = await inFolder(
    { 'rkc-backup.yaml': TAR },
    { k8sName: 'x', k8sJobSchedule: '@daily', runId: '2' },
  );
  const ignored = problems.filter(({ code }) => code === 'ignored-field').map(({ path }) => path);
  assert.equal(ignored.sort(), ['--k8s-job-schedule', '--k8s-name', '--run-id']);
});

/** Runs the command as a program would. */
async function command(...args: string[]): Promise<{ stdout: string; stderr: string; error: unknown }> {
  const printed = { stdout: '', stderr: '' };
  const writing = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (printed[name] += text) });
  const outside = {
    env: { HOME: join(folder, 'home') },
    stdout: writing('stdout'),
    stderr: writing('stderr'),
  };
  const program = new Command('backup-maker').exitOverride().configureOutput({
    writeOut: outside.stdout.write,
    writeErr: outside.stderr.write,
  });
  addGenerateCommand(program, outside);
  try {
    await program.parseAsync(['generate', ...args], { from: 'user' });
    return { ...printed, error: undefined };
  } catch (error) {
    return { ...printed, error };
  }
}

test('the command takes the flags of the original and prints what it wrote', async () => {
  const at = (file: string) => join(definitions, file);
  const common = [
    '-d',
    at('postgres.yaml'),
    '-o',
    folder,
    '-k',
    '--k8s-name',
    'x',
    '-n',
    'backups',
    '--k8s-image',
    'postgres:16',
  ];
  const backup = await command(
    'backup',
    '-t',
    'postgres',
    '-g',
    at('public.key'),
    '--k8s-job-schedule',
    '5 4 * * *',
    ...common,
  );
  assert.is(backup.error, undefined);
  assert.is(backup.stdout, `${join(folder, 'backup.yaml')}\n`);
  assert.match(backup.stderr, /^warning: Repository\.token: a credential in clear text/m);
  assert.match(readFileSync(join(folder, 'backup.yaml'), 'utf8'), /schedule: "?5 4 \* \* \*"?\n/);
  const restore = await command(
    'restore',
    '-t',
    'postgres',
    '-g',
    at('private.key'),
    '--target-version',
    '7',
    '--run-id',
    'b',
    ...common,
  );
  assert.is(restore.stdout, `${join(folder, 'restore.yaml')}\n`);
  assert.match(
    readFileSync(join(folder, 'restore.yaml'), 'utf8'),
    /name: BM_ACTION_RUN_ID\n +value: b\n +- name: BM_VERSION\n +value: "7"/,
  );
});

test('the command prints all errors, and throws the last one with its exit code', async () => {
  writeFileSync(join(folder, 'd.yaml'), 'Params: {}\nRepository: {token: canary}\n');
  const { stdout, stderr, error } = await command(
    'backup',
    '-t',
    'tar',
    '-d',
    join(folder, 'd.yaml'),
    '-g',
    '',
    '-o',
    folder,
  );
  assert.is(stdout, '');
  assert.match(stderr, /^error: Repository\.url: is required/m);
  assert.match((error as UserError).message, /^Repository\.collectionId: is required/);
  assert.is((error as UserError).exitCode, 1);
  const usage = (await command('backup')).error as UserError;
  assert.match(usage.message, /^--template is missing/);
  assert.is(usage.exitCode, 2);
});

test('help has examples', async () => {
  const { stdout } = await command('restore', '--help');
  assert.match(stdout, /--target-version/);
  assert.match(stdout, /Examples:\n {2}backup-maker generate restore/);
});

const guide = readFileSync(join(definitions, '../../docs/generate.md'), 'utf8');
const guided = [...guide.matchAll(/^backup-maker generate (.*?)(?: +#.*)?$/gm)].map(([, line = '']) => line);

for (const line of guided) {
  test(`the guide's command works: ${line}`, async () => {
    const words = [...line.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
    const args = words.map((word, index) =>
      words[index - 1] === '-o' ? folder : word.replace(/^fixtures\/definitions\b/, definitions),
    );
    const { stdout, error } = await command(...args);
    assert.is(error, undefined);
    assert.match(stdout, new RegExp(`${args[0]}\\.(sh|yaml)\\n$`));
  });
}

test('the guide names every flag, and files that exist', async () => {
  assert.ok(guided.length >= 5, String(guided.length));
  const help = await Promise.all(['backup', 'restore'].map((operation) => command(operation, '--help')));
  const flags = new Set(help.flatMap(({ stdout }) => stdout.match(/(?<=[ ,])--[a-z][a-z0-9-]+(?= )/g) ?? []));
  assert.ok(flags.size > 8);
  for (const flag of flags)
    if (flag !== '--help') assert.ok(guide.includes(`\`${flag}\``) || guide.includes(`, ${flag}\``), flag);
  for (const [path] of guide.matchAll(/(?<=[ ([/`])fixtures\/definitions\/[\w./-]*\w/g))
    assert.ok(existsSync(join(definitions, '../..', path)), path);
});

test.run();
