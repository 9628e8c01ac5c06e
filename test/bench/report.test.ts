import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aimsTable } from '../../bench/client/aims.ts';
import type { Row } from '../../bench/client/rows.ts';
import { EXPLANATIONS, explanationOf, renderShortfalls } from '../../bench/explanations.ts';
import { type Ratio, ratiosOf, shortfalls } from '../../bench/ratios.ts';
import { loadAll, renderCharts, renderReadme } from '../../bench/report.ts';

const bench = join(import.meta.dirname, '../../bench');
const readme = readFileSync(join(bench, 'README.md'), 'utf8');
const recorded = loadAll();

function row(name: string, role: Row['role'], megabytesPerSecond: number, against?: string): Row {
  const same = { group: 'backup', runs: 3, slowest: 1, fastest: 9, cpuSeconds: 2, peakMiB: 50 } as const;
  return { ...same, name, role, megabytesPerSecond, storedBytes: 100, ...(against && { against }) };
}

test('tables of bench/README.md are what was recorded', () => {
  assert.is(renderReadme(readme, recorded), readme, 'run npm run bench -- report');
});

test('charts are what was recorded, and each of them is shown', () => {
  const charts = renderCharts(recorded);
  const folder = join(bench, 'charts');
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  assert.equal(
    files,
    Object.keys(charts)
      .map((name) => `${name}.svg`)
      .sort(),
  );
  for (const [name, svg] of Object.entries(charts)) {
    assert.is(readFileSync(join(bench, 'charts', `${name}.svg`), 'utf8'), svg, name);
    assert.ok(readme.includes(`](charts/${name}.svg)`), `${name} is nowhere embedded`);
  }
});

test('links of bench/README.md lead somewhere', () => {
  // These two come into being with the first recording.
  const made = Object.values(recorded).some(Boolean) ? [] : ['charts', 'results'];
  for (const [, path = ''] of readme.matchAll(/\]\(([^)#:]+)\)/g))
    assert.ok(made.includes(path) || existsSync(join(bench, path)), path);
  for (const [, anchor = ''] of readme.matchAll(/\]\(#([^)]+)\)/g))
    assert.ok(readme.includes(`<a id="${anchor}"></a>`), anchor);
});

test('every ratio below 1.0 has a paragraph', () => {
  const unexplained = shortfalls(ratiosOf(recorded)).filter((ratio) => !explanationOf(ratio));
  assert.equal(unexplained, []);
  for (const { anchor } of EXPLANATIONS) assert.ok(readme.includes(`<a id="${anchor}"></a>`), anchor);
});

test('a ratio is above 1.0 where ours is better, whatever is measured', () => {
  const ours = { ...row('ours', 'ours', 300), cpuSeconds: 4, storedBytes: 50 };
  const peer = row('peer', 'peer', 100, 'ours');
  const machine = { cpu: '', cores: 2, memory: '', system: '', node: '', load: 0 };
  const client = { command: '', machine, tools: [], missing: [], minutes: 1, changed: 0.01 };
  const tables = [{ data: 'SQL text', bytes: 1, rows: [ours, peer], second: [] }];
  const values = Object.fromEntries(
    ratiosOf({ client: { ...client, tables } }).map(({ metric, value }) => [metric, value]),
  );
  assert.equal(values, { throughput: 3, CPU: 0.5, memory: 1, 'stored bytes': 2 });
});

test('what rounds to 1.00 is no shortfall', () => {
  const ratio = { part: 'client', what: 'x', metric: 'CPU', ours: 'o', peer: 'p' } as const;
  const values = [0.994, 0.996, 1.2].map((value): Ratio => ({ ...ratio, value }));
  assert.equal(
    shortfalls(values).map(({ value }) => value),
    [0.994],
  );
});

test('a shortfall without a paragraph is said to have none', () => {
  const ratio: Ratio = {
    part: 'server',
    what: 'nothing known',
    metric: 'CPU',
    ours: 'o',
    peer: 'p',
    value: 0.5,
  };
  assert.match(renderShortfalls([ratio], 2), /1 of 2 ratios[\s\S]*not explained yet/);
});

test('of several peers, an aim is held against the fastest', () => {
  const rows = [
    row('backup-maker, age, zstd', 'ours', 150),
    row('borg create -C lz4', 'peer', 100),
    row('borg create -C zstd,1', 'peer', 50),
  ];
  const text = aimsTable({ tables: [{ data: 'SQL text', bytes: 1, rows, second: [] }] });
  assert.match(
    text,
    /\| SQL text \| backup-maker, age, zstd \| borg create -C lz4 \| 1\.50 \| 1\.8 \| \*\*no\*\* \|/,
  );
});

test.run();
