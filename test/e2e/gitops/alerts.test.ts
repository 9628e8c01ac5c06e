/** The alerts under Prometheus' own tool: they can be read, and alerts.yaml says when they fire. Built by install.sh. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { folderWith, only, type Ran, run } from '../sandbox.ts';
import { buildObjects } from './manifests.ts';

const test = suite('deploy/monitoring');

type Change = (alert: string, expr: string) => string;

/** A folder with the rules as Prometheus reads them, without the operator's object around them, and their tests. */
function folderWithRules(change: Change = (_, expr) => expr): string {
  const { spec } = only(buildObjects('deploy/monitoring'), 'PrometheusRule');
  for (const { rules } of spec.groups) for (const rule of rules) rule.expr = change(rule.alert, rule.expr);
  return folderWith({
    'rules.yaml': stringify(spec),
    'alerts.yaml': readFileSync(join(import.meta.dirname, 'alerts.yaml'), 'utf8'),
  });
}

function promtool(folder: string, ...args: string[]): Ran {
  return run('promtool', args, { cwd: folder });
}

test('promtool finds nothing to complain about', () => {
  const { code, stdout, stderr } = promtool(
    folderWithRules(),
    'check',
    'rules',
    '--lint=all',
    '--lint-fatal',
    'rules.yaml',
  );
  assert.is(code, 0, stdout + stderr);
});

test('they fire when they should, and not when they should not', () => {
  const { code, stdout, stderr } = promtool(folderWithRules(), 'test', 'rules', 'alerts.yaml');
  assert.is(code, 0, stdout + stderr);
});

const SPOILED: readonly [what: string, alert: string, from: string | RegExp, to: string][] = [
  ['each replica had an alert of its own', 'BackupMissing', /max by \([^)]*\) /, ''],
  ['the first failure went unseen', 'BackupUploadsFail', /\bor\b[^)]*\)/, ''],
  ['a collection that rotates were called full', 'BackupDoesNotFit', /unless[\s\S]*$/, ''],
  ['no target at all were well', 'BackupRepositoryDown', /\bor\b[\s\S]*$/, ''],
  ['each replica had a mistake of its own', 'BackupRepositoryMisconfigured', /max by \([^)]*\) /, ''],
];

for (const [what, alert, from, to] of SPOILED) {
  test(`the tests would notice if ${what}`, () => {
    let changed = 0;
    const folder = folderWithRules((name, expr) => {
      if (name !== alert) return expr;
      const spoiled = expr.replace(from, to);
      if (spoiled !== expr) changed++;
      return spoiled;
    });
    assert.is(changed, 1);
    const { code, stdout, stderr } = promtool(folder, 'check', 'rules', 'rules.yaml');
    assert.is(code, 0, stdout + stderr);
    const tested = promtool(folder, 'test', 'rules', 'alerts.yaml');
    assert.is.not(tested.code, 0);
    assert.match(tested.stdout + tested.stderr, alert);
  });
}

test.run();
