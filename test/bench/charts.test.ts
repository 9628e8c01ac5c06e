import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { barChart } from '../../bench/shared/bar-chart.ts';
import { lineChart } from '../../bench/shared/line-chart.ts';
import { ticks } from '../../bench/shared/svg.ts';

const BARS = barChart({
  title: 'Speed & size',
  subtitle: 'MB/s; more is better',
  groups: [
    { name: 'ours', bars: [{ value: 200, low: 150, high: 250, series: 0 }] },
    { name: 'age | curl <1>', bars: [{ value: 100, series: 1 }] },
  ],
});
const LINES = lineChart({
  title: 'Growth',
  subtitle: 'Milliseconds',
  xName: 'sources',
  lines: [
    { name: 'ours', points: [10, 100, 1000].map((x) => ({ x, y: x * 2 })) },
    { name: 'peer', points: [10, 100, 1000].map((x) => ({ x, y: x * 4 })) },
  ],
});

/** Elements close in the order in which they were opened, and nothing stands in the text that would be read as one. */
function checkWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [all, close, name = '', rest = ''] of svg.matchAll(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<&]*(?:&\w+;[^"<&]*)*")*\s*\/?)>/gi,
  )) {
    if (close) assert.is(open.pop(), name, all);
    else if (!rest.trim().endsWith('/')) open.push(name);
  }
  assert.equal(open, []);
  const text = svg.replace(/<style>[^<]*<\/style>/, '').replace(/<[^>]*>/g, '');
  assert.not.match(text, /[<>]|&(?!amp;|lt;|gt;|quot;)/);
}

const widths = (svg: string) =>
  [...svg.matchAll(/<rect class="f(\d)" x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="18"/g)].map(
    ([, series, width]) => [Number(series), Number(width)] as const,
  );

test('charts are well-formed, whatever names hold', () => {
  for (const svg of [BARS, LINES]) checkWellFormed(svg);
  assert.match(BARS, 'age | curl &lt;1&gt;');
});

test('those who do not see a chart are told what it shows', () => {
  for (const svg of [BARS, LINES]) {
    assert.match(svg, /role="img" aria-labelledby="title description"/);
    assert.match(svg, /<title id="title">[^<]+<\/title>\n<desc id="description">[^<]+<\/desc>/);
  }
  assert.match(BARS, /MB\/s; more is better\. ours: 200; age \| curl &lt;1&gt;: 100\./);
  assert.match(LINES, /ours: 20\.0 at 10, 200 at 100, 2,000 at 1,000; peer: 40\.0 at 10/);
});

test('charts have colours for light and dark, and bring their background', () => {
  for (const svg of [BARS, LINES]) {
    assert.match(svg, /@media \(prefers-color-scheme: dark\)/);
    assert.match(svg, /<rect class="card"/);
    assert.match(svg, /@media[\s\S]*\.card \{ fill: #0d1117/);
  }
});

test('bars are as long as their values', () => {
  const [[ours, long] = [], [peer, short] = []] = widths(BARS);
  assert.equal([ours, peer], [0, 1]);
  assert.ok(Math.abs((long ?? 0) / (short ?? 1) - 2) < 0.01);
});

test('whiskers stand only where there is a spread', () => {
  assert.is(BARS.match(/class="whisker"/g)?.length, 3);
});

test('straight growth is a straight line', () => {
  const [, path = ''] = /class="line s0" d="([^"]+)"/.exec(LINES) ?? [];
  const points = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(
    ([, x, y]) => [Number(x), Number(y)] as const,
  );
  const [[x1, y1], [x2, y2], [x3, y3]] = points as [[number, number], [number, number], [number, number]];
  assert.ok(Math.abs((y2 - y1) / (x2 - x1) - (y3 - y2) / (x3 - x2)) < 0.01);
  assert.ok(y3 < y1, 'more is higher up');
});

test('what cannot be drawn is refused', () => {
  const bars = (value: number) => ({
    title: '',
    subtitle: '',
    groups: [{ name: '', bars: [{ value, series: 0 }] }],
  });
  assert.throws(() => barChart(bars(Number.NaN)), RangeError);
  const lines = Array.from({ length: 7 }, () => ({ name: '', points: [{ x: 1, y: 1 }] }));
  assert.throws(() => lineChart({ title: '', subtitle: '', xName: '', lines }), /told apart/);
  const [first] = lines;
  assert.throws(
    () =>
      lineChart({
        title: '',
        subtitle: '',
        xName: '',
        lines: [{ name: '', points: [{ x: 1, y: 0 }, ...(first?.points ?? [])] }],
      }),
    RangeError,
  );
});

test('an axis has round numbers, few of them, and room for all values', () => {
  assert.equal(ticks(97), [0, 20, 40, 60, 80, 100]);
  for (const most of [0.03, 1, 7, 33, 1000, 12_345]) {
    const all = ticks(most);
    assert.ok((all.at(-1) ?? 0) >= most, String(most));
    assert.ok(all.length >= 4 && all.length <= 7, String(all));
  }
});

test.run();
