/** That docs/compatibility.md says what is tested, and that the images are what it says. `UPDATE=1` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { podman } from '../containers/podman.ts';
import { root } from '../sandbox.ts';
import { documentOf } from './document.ts';
import { matrix } from './matrix.ts';

const FILE = join(root, 'docs/compatibility.md');

const test = suite('docs/compatibility.md');

test('is made from the matrix', () => {
  const text = documentOf(matrix);
  if (process.env.UPDATE === '1') writeFileSync(FILE, text);
  assert.is(readFileSync(FILE, 'utf8'), text, 'UPDATE=1 writes it');
});

test('has each database with each format, built in and with a template of one’s own', () => {
  const of = (data: string) => matrix.rows.filter((row) => row.data === data);
  for (const data of new Set(matrix.rows.map((row) => row.data)))
    assert.equal(new Set(of(data).map(({ encryption }) => encryption)), new Set(['openpgp', 'age']), data);
  const own = matrix.rows.filter(({ procedure }) => procedure === 'own');
  assert.equal(new Set(own.map(({ encryption }) => encryption)), new Set(['openpgp', 'age']));
  assert.is(new Set(matrix.rows.map(({ name }) => name)).size, matrix.rows.length);
});

test('says which images are stand-ins, and what is in them', async () => {
  const named = new Set(matrix['stand-ins'].map(({ image }) => image));
  for (const image of new Set(matrix.rows.flatMap((row) => row.image ?? [])))
    assert.ok(named.has(image), image);
  for (const { image, inside } of matrix['stand-ins']) {
    const { stdout } = await podman([
      'image',
      'inspect',
      '--format',
      '{{index .Config.Labels "stand-in"}}',
      image,
    ]);
    const label = stdout.trim();
    // Somebody has the real one.
    if (label === '') continue;
    assert.ok(label.startsWith(inside), `${image} is ${label}`);
  }
});

test.run();
