/** docs/security.md claims that tests show what it says: each of them is there, under the name that it is called by. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BUNDLES, bundle } from '../../scripts/bundles.ts';
import { packagesOf } from '../../scripts/packages.ts';
import { renderSbom } from '../../scripts/sbom.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');

/** `["name of the test"](../path)`, with `\"` for quotes within the name. */
const CITATION = /\["((?:[^"\\]|\\.)+)"\]\(\.\.\/(test\/[^)\s]+)\)/g;
const cited = [...page.matchAll(CITATION)].map(([, name = '', file = '']) => ({
  name: name.replaceAll('\\"', '"'),
  file,
}));

function namesIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/\btest\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(([, , name = '']) =>
    name.replace(/\\(['"`])/g, '$1'),
  );
}

/** True if a test of the file is called so; a name that is made of parts may have anything in their places. */
function isIn(file: string, name: string): boolean {
  return namesIn(file).some((raw) => {
    const parts = raw.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    // A name that is all parts would fit everything.
    return parts.join('').length > 10 && new RegExp(`^${parts.join('.+')}$`).test(name);
  });
}

const test = suite('docs/security.md');

test('every test that it names is in the file that it names', () => {
  assert.ok(cited.length > 60, `${cited.length} found`);
  const missing = cited.filter(({ name, file }) => !existsSync(join(root, file)) || !isIn(file, name));
  assert.equal(missing, []);
  assert.is(isIn('test/architecture.test.ts', 'a name that no test has'), false);
});

test('every row of a table about an attack names a test', () => {
  let table = '';
  let rows = 0;
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) table = '';
    else if (table === '') table = line;
    else if (table.endsWith('| shown by |') && !line.startsWith('| ---')) {
      rows++;
      assert.match(line, /\]\(\.\.\/test\/[^)]+\) \|$/, line.slice(0, 60));
    }
  }
  assert.ok(rows > 50, `${rows}`);
});

test('every actor has its part, and each says what is not defended', () => {
  const parts = page.split(/^## /m).slice(1);
  const actors = parts.filter((part) => part.includes('**Not defended.**'));
  assert.equal(
    actors.map((part) => part.split('\n')[0]),
    [
      'A stolen backup pod',
      'A stolen server disk, or bucket',
      "The server's operator, or somebody who has become one",
      'A tenant',
      'The network',
      'A malicious pull request',
      'A user of the CI that renders',
      'A cluster administrator',
      'A stolen private key',
      'Malicious content of a dump',
      'The supply chain',
    ],
  );
});

test('files that it and SECURITY.md link to exist', () => {
  for (const [file, text] of [
    ['docs/security.md', page],
    ['SECURITY.md', readFileSync(join(root, 'SECURITY.md'), 'utf8')],
  ] as const) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s:]+)(?:#[\w-]+)?\)/g))
      assert.ok(existsSync(join(root, dirname(file), target)), `${file}: ${target}`);
  }
});

test('the picture is there for the dark and for the light', () => {
  assert.match(readFileSync(join(root, 'docs/security.svg'), 'utf8'), 'prefers-color-scheme: dark');
});

test('the command that verifies a build does, and notices a changed byte', async () => {
  const [, command = ''] = /^```sh\n([\s\S]*?)^```/m.exec(page) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'backup-maker-verify-'));
  try {
    const [one] = BUNDLES;
    assert.ok(one);
    const built = await bundle(root, one);
    for (const [path, content] of built.files) {
      mkdirSync(dirname(join(folder, 'dist', path)), { recursive: true });
      writeFileSync(join(folder, 'dist', path), content);
    }
    writeFileSync(join(folder, 'dist/sbom.cdx.json'), renderSbom(root, packagesOf(root, [built]), [built]));
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
    execFileSync('sh', ['-e', '-c', command], { cwd: folder, env });
    writeFileSync(join(folder, 'dist/expand-backups.cjs'), 'changed');
    const { status, stdout } = spawnSync('sh', ['-e', '-c', command], { cwd: folder, env, encoding: 'utf8' });
    assert.is(status, 1);
    assert.match(stdout, 'dist/expand-backups.cjs: FAILED');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
