/**
 * Runs an example as kpt's own test runner does: a copy in a Git repository, one command, and what it changed compared
 * with `.expected/`. `.expected/config.yaml` says which command:
 *
 *   testType: render           kpt fn render; expects diff.patch and results.yaml
 *   allowExec: true
 *
 *   testType: build            kustomize build; expects build.yaml
 *   path: production
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { FLAGS } from '../kustomize/kustomize.ts';
import { changesIn, filesOf, folderWith, remember, root, run } from '../sandbox.ts';
import { tryRender } from './package.ts';

export const EXAMPLES = 'functions/expand-backups/examples';

/** Whether to write what is expected instead of comparing with it. */
const update = process.env.UPDATE === '1';

interface Expectation {
  testType: 'render' | 'build';
  path?: string;
}

export function expectationOf(example: string): Expectation {
  return parse(readFileSync(join(root, EXAMPLES, example, '.expected/config.yaml'), 'utf8'));
}

/** A copy that stands where the example stands, so that it finds the component. */
export function copyExample(example: string): string {
  const repository = folderWith();
  for (const path of ['components', join(EXAMPLES, example)])
    cpSync(join(root, path), join(repository, path), { recursive: true });
  return join(repository, EXAMPLES, example);
}

/** Renders a copy with kpt; returns its folder. */
export function renderExample(example: string): string {
  const folder = copyExample(example);
  remember(folder);
  const results = folderWith();
  const { code, stdout, stderr } = tryRender(folder, ['--results-dir', results]);
  assert.is(code, 0, stdout + stderr);
  expected(example, 'results.yaml', filesOf(results)['results.yaml'] ?? '');
  expected(example, 'diff.patch', changesIn(folder));
  return folder;
}

/** Builds a copy with kustomize. */
export function buildExample(example: string): void {
  const { path = '.' } = expectationOf(example);
  const { code, stdout, stderr } = run('kustomize', ['build', ...FLAGS, path], { cwd: copyExample(example) });
  assert.is(code, 0, stderr);
  expected(example, 'build.yaml', stdout);
}

function expected(example: string, name: string, text: string): void {
  const file = join(root, EXAMPLES, example, '.expected', name);
  if (update) writeFileSync(file, text);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (text === before) return;
  // The whole difference can be a thousand lines long, mostly of scripts.
  const [now, then] = [text.split('\n'), before.split('\n')];
  const at = now.findIndex((line, index) => line !== then[index] && !line.startsWith('index '));
  assert.unreachable(
    `${file}:${at + 1} is\n  ${then[at]}\nand should be\n  ${now[at]}\nUPDATE=1 writes the whole file; then read git diff`,
  );
}
