/**
 * The alerts of deploy/monitoring against a server that runs: every series that an alert asks for is there once what it is about has
 * happened. So an alert cannot be silent because a figure or a label has another name.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { encodePassword } from '../../src/server/access/password.ts';
import { type Running, startServer } from '../../src/server/start.ts';
import { PATIENCE_MS } from '../eventually.ts';

const test = suite('manifests: alerts');
const root = join(import.meta.dirname, '../..');
const KEY = 'health code';

interface Rule {
  alert: string;
  expr: string;
  annotations: Record<string, string>;
}

const rules: Rule[] = parse(
  readFileSync(join(root, 'deploy/monitoring/prometheus-rule.yaml'), 'utf8'),
).spec.groups.flatMap((group: { rules: Rule[] }) => group.rules);

/** What Prometheus and its operator add to every series. */
const ADDED = ['namespace', 'job', 'pod'];

let folder = '';
let running: Running;
let series: { name: string; labels: Record<string, string> }[] = [];

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-maker-alerts-'));
  writeFileSync(join(folder, 'config.yaml'), await configuration());
  running = await startServer({
    provider: 'filesystem',
    configPath: folder,
    namespace: 'backup-repository',
    dataPath: join(folder, 'data'),
    listen: { host: '127.0.0.1', port: 0 },
    settings: { healthCheckKey: KEY },
    log: { level: 'silent' },
  });
  await request('/api/stable/auth/login', { body: { username: 'admin', password: 'wrong' }, status: 401 });
  const login = await request('/api/stable/auth/login', { body: { username: 'admin', password: 'right' } });
  const { token } = (JSON.parse(login) as { data: { token: string } }).data;
  const upload = '/api/alpha/repository/collection/shop/version';
  await request(upload, { token, content: 'a version' });
  await request(upload, { token, content: 'x'.repeat(2000), status: 500 });
  // Last: the storage is gone.
  renameSync(join(folder, 'data/objects'), join(folder, 'data/gone'));
  await request('/ready', { token: KEY, status: 500 });
  renameSync(join(folder, 'data/gone'), join(folder, 'data/objects'));
  await request('/ready', { token: KEY });
  // A request is counted when its connection is done with it. What stays away is what the tests below name.
  const wanted = rules.flatMap(({ expr }) => selectorsOf(expr));
  const end = performance.now() + PATIENCE_MS;
  do {
    await new Promise((resolve) => setTimeout(resolve, 500));
    series = seriesOf(await request('/metrics', { token: KEY }));
  } while (!wanted.every((selector) => selected(selector).length > 0) && performance.now() < end);
});

test.after(async () => {
  await running?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function configuration(): Promise<string> {
  return [
    'apiVersion: backups.riotkit.org/v1alpha1',
    'kind: BackupUser',
    'metadata: {name: admin}',
    `spec: {roles: [systemAdmin], password: ${await encodePassword('right')}}`,
    '---',
    'apiVersion: backups.riotkit.org/v1alpha1',
    'kind: BackupCollection',
    'metadata: {name: shop}',
    'spec:',
    '  filenameTemplate: shop-${version}',
    '  maxBackupsCount: 3',
    '  maxOneVersionSize: 1K',
    '  maxCollectionSize: 3K',
    '  allowUnencrypted: true',
    '',
  ].join('\n');
}

interface Call {
  token?: string;
  body?: object;
  content?: string;
  status?: number;
}

async function request(path: string, { token, body, content, status = 200 }: Call = {}): Promise<string> {
  const answer = await fetch(running.address + path, {
    ...((body || content) && { method: 'POST', body: content ?? JSON.stringify(body) }),
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      'content-type': body ? 'application/json' : 'application/octet-stream',
    },
  });
  const text = await answer.text();
  assert.is(answer.status, status, `${path}: ${text}`);
  return text;
}

/** The series of a page in Prometheus' text format. */
function seriesOf(page: string): typeof series {
  return [...page.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)].map(([, name = '', labels = '']) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, value]) => [label, value]),
    ),
  }));
}

interface Selector {
  name: string;
  matchers: { label: string; operator: string; value: string }[];
}

/** Metrics that an expression asks for; those of ours only. */
function selectorsOf(expr: string): Selector[] {
  return [...expr.matchAll(/\b(backup_repository_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', inside = '']) => ({
      name,
      matchers: [...inside.matchAll(/(\w+)\s*(=~|=)\s*"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => ({ label, operator, value }),
      ),
    }),
  );
}

function matches(labels: Record<string, string>, { label, operator, value }: Selector['matchers'][number]) {
  const actual = labels[label] ?? '';
  return operator === '=' ? actual === value : new RegExp(`^(?:${value})$`).test(actual);
}

/** The series of the server that are asked for. */
function selected({ name, matchers }: Selector): typeof series {
  return series.filter(
    (each) => each.name === name && matchers.every((matcher) => matches(each.labels, matcher)),
  );
}

const groupings = (expr: string) =>
  [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/));

for (const { alert, expr, annotations } of rules) {
  test(`${alert}: its series are there, with its labels`, () => {
    const own = groupings(expr).filter((label) => !ADDED.includes(label));
    const selectors = selectorsOf(expr);
    assert.ok(selectors.length > 0 || /\bup\{/.test(expr), 'asks for none of our figures');
    for (const selector of selectors) {
      const { name, matchers } = selector;
      const found = selected(selector);
      assert.ok(found.length > 0, `the server has no ${name}${JSON.stringify(matchers)}`);
      for (const label of own)
        assert.ok(
          found.some(({ labels }) => label in labels),
          `${name} has no label ${label}`,
        );
    }
    const named = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    for (const label of named) assert.ok(groupings(expr).includes(label ?? ''), `$labels.${label}`);
  });
}

test('there is an alert for each thing that can go wrong', () => {
  assert.equal(rules.map(({ alert }) => alert).sort(), [
    'BackupCollectionNearlyFull',
    'BackupDoesNotFit',
    'BackupMissing',
    'BackupRepositoryDown',
    'BackupRepositoryLoginFailures',
    'BackupRepositoryMisconfigured',
    'BackupRepositoryNotReady',
    'BackupUploadsFail',
  ]);
});

test.run();
