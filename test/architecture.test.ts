/** The rules of docs/architecture.md that the code must not break: which room may use which. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '..');

/** Every room with those that it may import from, itself left out. Rooms that are not here may import anything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/krm': [],
  'src/crypto': [],
  'src/wire': [],
  'src/api': ['src/krm', 'gen'],
  'src/expand': ['src/api', 'src/krm', 'gen'],
  'src/client': ['src/api', 'src/crypto', 'src/wire', 'src/krm', 'gen'],
  'src/server': ['src/api', 'src/crypto', 'src/wire', 'src/krm', 'gen'],
  'src/cli': [
    'src/client',
    'src/server',
    'src/expand',
    'src/api',
    'src/crypto',
    'src/wire',
    'src/krm',
    'gen',
  ],
  functions: ['src/expand', 'src/krm'],
};

/** Expansion must give the same result everywhere, so nothing in it may reach the machine it runs on. */
const PURE = ['src/api', 'src/expand', 'gen'];
/** Parts of Node.js that only compute. */
const COMPUTING = ['node:path', 'node:util'];
/** The only file of the protocol that touches the outside. */
const STDIO = 'src/krm/stdio.ts';

interface Import {
  file: string;
  specifier: string;
}

const imports: Import[] = globSync('{src,functions,gen}/**/*.{ts,js}', { cwd: root }).flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import)\s*\(?'([^']+)'/g)].map((match) => ({
    file,
    specifier: match[1] ?? '',
  })),
);

function roomOf(path: string): string {
  return path.startsWith('src/') ? path.split('/').slice(0, 2).join('/') : (path.split('/')[0] ?? '');
}

const test = suite('architecture');

test('finds the imports that it judges', () => {
  assert.ok(imports.length > 100, `${imports.length} imports found`);
});

test('imports run down from floor to floor, never up or sideways', () => {
  const wrong = imports.flatMap(({ file, specifier }) => {
    if (!specifier.startsWith('.')) return [];
    const from = roomOf(file);
    const to = roomOf(relative(root, join(root, dirname(file), specifier)));
    const allowed = MAY_IMPORT[from];
    return !allowed || to === from || to === 'package.json' || allowed.includes(to)
      ? []
      : [`${file} imports ${specifier}`];
  });
  assert.equal(wrong, []);
});

test('expansion is pure: no clock, network, environment, disk or randomness', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    const pure = PURE.includes(roomOf(file)) || (roomOf(file) === 'src/krm' && file !== STDIO);
    return pure && specifier.startsWith('node:') && !COMPUTING.includes(specifier);
  });
  assert.equal(wrong, []);
  for (const file of globSync('src/{krm,api,expand}/*.ts', { cwd: root })) {
    if (file === STDIO) continue;
    const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.not.match(text, /\bDate\b|Math\.random|\bprocess\.|\bfetch\(|performance\.now/, file);
  }
});

test('no file needs its caller: there are no import cycles', () => {
  const graph = new Map<string, string[]>();
  for (const { file, specifier } of imports) {
    if (!specifier.startsWith('.')) continue;
    const target = relative(root, join(root, dirname(file), specifier));
    graph.set(file, [...(graph.get(file) ?? []), target]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file))
      assert.unreachable(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

test.run();
