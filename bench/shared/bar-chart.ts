/** Horizontal bars: names as long as commands are stay readable. */
import { figure } from './markdown.ts';
import { frame, legend, line, MARGIN, px, SERIES, TOP, text, ticks, WIDTH, widthOf } from './svg.ts';

export interface Bar {
  value: number;
  /** Slowest and fastest, or whatever the ends of the whisker are. */
  low?: number;
  high?: number;
  /** Written behind the value. */
  note?: string;
  /** Which series it belongs to. In a chart of one series: 0 for ours, 1 for a peer. */
  series: number;
}

export interface BarGroup {
  name: string;
  bars: readonly Bar[];
}

export interface BarChart {
  title: string;
  subtitle: string;
  /** Shown if there are several. */
  series?: readonly string[];
  groups: readonly BarGroup[];
  /** Where the promise is met. */
  goal?: { value: number; text: string };
}

const BAR = 18;
const GAP = 4;
const BETWEEN = 12;
const RIGHT = 96;

/** @throws {RangeError} for values that are no numbers, or more series than can be told apart. */
export function barChart({ title, subtitle, series = [], groups, goal }: BarChart): string {
  if (series.length > SERIES) throw new RangeError(`${series.length} series cannot be told apart`);
  const left = MARGIN + Math.min(330, Math.max(60, ...groups.map(({ name }) => widthOf(name)))) + 10;
  const names = series.length > 1 ? legend(series, TOP + 2) : { body: [], height: 0 };
  const top = TOP + names.height + (goal ? 14 : 0);
  const all = groups.flatMap(({ bars }) => bars);
  const axis = ticks(Math.max(...all.flatMap(({ value, high = value }) => [value, high]), goal?.value ?? 0));
  const most = axis.at(-1) ?? 1;
  const at = (value: number) => left + (value / most) * (WIDTH - RIGHT - left);

  const bars: string[] = [];
  let y = top + 8;
  for (const { name, bars: row } of groups) {
    const height = row.length * (BAR + GAP) - GAP;
    const ours = row.some(({ series: number }) => number === 0) && series.length === 0;
    bars.push(text(left - 10, y + height / 2 + 4.5, name, ours ? 'end strong' : 'end'));
    for (const bar of row) {
      bars.push(...drawBar(bar, y, left, at));
      y += BAR + GAP;
    }
    y += BETWEEN - GAP;
  }
  const bottom = y - BETWEEN + 8;

  const grid = axis.flatMap((value) => [
    line(at(value), top, at(value), bottom, value === 0 ? 'axis' : 'grid'),
    text(at(value), bottom + 18, compact(value), 'dim middle'),
  ]);
  const target = goal
    ? [
        line(at(goal.value), top - 4, at(goal.value), bottom, 'goal'),
        text(at(goal.value), top - 9, goal.text, 'dim middle'),
      ]
    : [];
  const description = groups
    .map(({ name, bars: row }) => `${name}: ${row.map((bar) => describe(bar, series)).join(', ')}`)
    .join('; ');
  return frame({
    title,
    subtitle,
    description: `${subtitle}. ${description}.`,
    height: Math.ceil(bottom + 34),
    body: [...names.body, ...grid, ...bars, ...target],
  });
}

function drawBar(bar: Bar, y: number, left: number, at: (value: number) => number): string[] {
  const { value, low = value, high = value, note = '', series } = bar;
  const width = Math.max(1, at(value) - left);
  const whisker =
    high > low
      ? [
          line(at(low), y + BAR / 2, at(high), y + BAR / 2, 'whisker'),
          line(at(low), y + 5, at(low), y + BAR - 5, 'whisker'),
          line(at(high), y + 5, at(high), y + BAR - 5, 'whisker'),
        ]
      : [];
  const label = `${figure(value)}${note && ` ${note}`}`;
  return [
    `<rect class="f${series}" x="${px(left)}" y="${px(y)}" width="${px(width)}" height="${BAR}" rx="3"/>`,
    ...whisker,
    text(Math.max(at(value), at(high)) + 8, y + BAR / 2 + 4.5, label, series === 0 ? 'strong' : ''),
  ];
}

function describe({ value, note = '', series }: Bar, names: readonly string[]): string {
  const name = names.length > 1 ? `${names[series]} ` : '';
  return `${name}${figure(value)}${note && ` ${note}`}`;
}

function compact(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toLocaleString('en')}k` : value.toLocaleString('en');
}
