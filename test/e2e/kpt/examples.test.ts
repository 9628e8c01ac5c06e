/** The examples that people copy do what they say they do. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { FLAGS } from '../kustomize/kustomize.ts';
import { canonical, changesIn, documents, filesOf, only, remember, root, succeed } from '../sandbox.ts';
import { buildExample, copyExample, EXAMPLES, expectationOf, renderExample } from './example.ts';
import { render } from './package.ts';

const test = suite('examples');

const examples = globSync('*', { cwd: join(root, EXAMPLES) }).sort();

for (const example of examples) {
  if (expectationOf(example).testType === 'build') {
    test(`${example}: kustomize builds what is expected`, () => buildExample(example));
    continue;
  }

  test(`${example}: kpt changes what is expected, and nothing the second time`, () => {
    const folder = renderExample(example);
    remember(folder);
    render(folder);
    assert.is(changesIn(folder), '');
  });

  test(`${example}: kustomize builds the same objects, before and after kpt rendered it`, () => {
    const folder = copyExample(example);
    const build = () => canonical(documents(succeed('kustomize', ['build', ...FLAGS], { cwd: folder })));
    const before = build();
    render(folder);
    assert.equal(build(), before);
    const rendered = Object.entries(filesOf(folder)).filter(([path]) => path.startsWith('generated/'));
    const generated = canonical(rendered.flatMap(([, text]) => documents(text)));
    only(generated, 'CronJob', example === 'original-ecosystem' ? 'app1' : 'database');
    assert.equal(
      before.filter(({ metadata }) => metadata.annotations?.['riotkit.org/generated-by']),
      generated,
    );
  });
}

test('metadata.yaml lists every example', () => {
  const metadata = parse(readFileSync(join(root, 'functions/expand-backups/metadata.yaml'), 'utf8'));
  assert.equal(
    metadata.examplePackageURLs.map((url: string) => url.slice(url.lastIndexOf('/') + 1)).sort(),
    examples,
  );
});

test.run();
