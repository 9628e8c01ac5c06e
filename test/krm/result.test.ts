import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Item } from '../../src/krm/item.ts';
import {
  aboutItem,
  oneLine,
  type Result,
  resultValue,
  sortResults,
  stderrLines,
} from '../../src/krm/result.ts';

const full: Result = {
  severity: 'error',
  message: 'expected 5 fields, got 4',
  tags: { rule: 'schedule' },
  file: { path: 'app/backup.yaml', index: 0 },
  field: { path: 'spec.schedule', currentValue: '0 2 * *', proposedValue: '0 2 * * *' },
  resourceRef: { apiVersion: 'example.dev/v1', kind: 'ScheduledBackup', name: 'nightly', namespace: 'db' },
};

test('errors first, otherwise in the given order', () => {
  const results: Result[] = [
    { message: 'a', severity: 'info' },
    { message: 'b', severity: 'warning' },
    { message: 'c', severity: 'error' },
    { message: 'd', severity: 'info' },
    { message: 'e', severity: 'error' },
  ];
  assert.is(
    sortResults(results)
      .map(({ message }) => message)
      .join(''),
    'cebad',
  );
  assert.is(results[0]?.message, 'a');
});

test('stderr repeats errors and warnings with all that is known', () => {
  assert.equal(
    stderrLines([full, { message: 'careful', severity: 'warning' }, { message: 'fyi', severity: 'info' }]),
    [
      'error: app/backup.yaml: ScheduledBackup db/nightly: spec.schedule: expected 5 fields, got 4',
      'warning: careful',
    ],
  );
  const { namespace: _, ...clusterWide } = full.resourceRef ?? { kind: '', name: '', apiVersion: '' };
  assert.equal(stderrLines([{ message: 'm', severity: 'error', resourceRef: clusterWide }]), [
    'error: ScheduledBackup nightly: m',
  ]);
});

test('a message is one printable line of bounded length', () => {
  assert.is(oneLine(' a\r\n  b\u2028c\n'), 'a b c');
  assert.is(oneLine('x\u001b[31m\u0000\u202e'), 'x\\u001b[31m\\u0000\\u202e');
  assert.is(oneLine('x'.repeat(5000)).length, 1000);
  assert.ok(oneLine('😀'.repeat(5000)).isWellFormed());
  assert.is(stderrLines([{ message: 'a\nerror: fake', severity: 'error' }]).length, 1);
});

test('a result as data has its members in the order of the specification', () => {
  assert.equal(Object.keys(resultValue(full)), [
    'message',
    'severity',
    'resourceRef',
    'field',
    'file',
    'tags',
  ]);
  assert.equal(resultValue({ message: 'm', severity: 'info' }), { message: 'm', severity: 'info' });
});

test('an item tells which object and file it is', () => {
  const raw = '- apiVersion: v1\n  kind: X\n  metadata:\n    name: app\n';
  const place =
    "    annotations:\n      internal.config.kubernetes.io/path: a/b.yaml\n      config.kubernetes.io/index: '2'\n";
  const resourceRef = { apiVersion: 'v1', kind: 'X', name: 'app' };
  assert.equal(aboutItem(new Item(raw, 0, 0)), { resourceRef });
  assert.equal(aboutItem(new Item(raw + place, 0, 0)), { resourceRef, file: { path: 'a/b.yaml', index: 2 } });
});

test.run();
