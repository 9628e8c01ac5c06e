/** The table of the HTTP API in docs/server-api.md: it has every route, and whatever it promises is in a test. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ERROR_CODES } from '../../src/wire/error-codes.ts';
import { ROUTES } from '../../src/wire/routes.ts';

const root = join(import.meta.dirname, '../..');
const test = suite('docs/server-api.md');
const guide = readFileSync(join(root, 'docs/server-api.md'), 'utf8');
const tests = globSync('test/server/{http,health,access,versions}/**/*.ts', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');

test('has every route, under what its address ends with', () => {
  const known = guide.replaceAll(':num', ':version').replace(/collection\/:id/g, 'collection/:collectionId');
  const missing = Object.entries(ROUTES).filter(([, { path }]) => {
    const end = path.split('/').at(-1) ?? '';
    return !known.includes(path) && !known.includes(end);
  });
  assert.equal(missing, []);
});

test('every message of its tables is in a test, to the letter', () => {
  const rows = guide.split('\n').filter((line) => line.startsWith('|'));
  const messages = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));
  // Sentences have spaces; what is left out begins at the first … or placeholder.
  const sentences = messages
    .map((text) => text.split(/…|X bytes|\{/)[0]?.trimEnd() ?? '')
    .filter((text) => /^[a-zA-Z' -]+ .*\w/.test(text) && !/^(GET|POST|PUT|DELETE) /.test(text));
  assert.ok(sentences.length >= 25, `${sentences.length} messages were found`);
  assert.equal(
    sentences.filter((text) => !tests.includes(text) && !tests.includes(text.replaceAll("'", "\\'"))),
    [],
  );
});

test('every code of an upload is there', () => {
  const [first, last] = [ERROR_CODES.indexOf('outside-window'), ERROR_CODES.indexOf('cannot-register')];
  const codes = ERROR_CODES.slice(first, last + 1);
  assert.equal(
    codes.filter((code) => !guide.includes(`\`${code}\``)),
    [],
  );
});

test.run();
