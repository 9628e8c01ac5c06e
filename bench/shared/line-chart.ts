/** Lines over two logarithmic axes: growth is a straight line there, and its slope says how fast. */
import { figure } from './markdown.ts';
import { frame, legend, line, MARGIN, px, SERIES, TOP, text, WIDTH } from './svg.ts';

export interface Line {
  name: string;
  points: readonly { x: number; y: number }[];
}

export interface LineChart {
  title: string;
  subtitle: string;
  xName: string;
  lines: readonly Line[];
  /** How a value of x is written, where 1,000 would not do. */
  xText?: (x: number) => string;
}

const HEIGHT = 380;
const LEFT = MARGIN + 48;
const RIGHT = WIDTH - MARGIN - 30;
const BOTTOM = HEIGHT - 62;

/** @throws {RangeError} for values that have no logarithm, or more lines than can be told apart. */
export function lineChart({ title, subtitle, xName, lines, xText }: LineChart): string {
  if (lines.length > SERIES) throw new RangeError(`${lines.length} lines cannot be told apart`);
  const points = lines.flatMap((one) => one.points);
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const ys = points.map(({ y }) => y);
  const yTicks = powers(Math.min(...ys), Math.max(...ys));
  const names = legend(
    lines.map(({ name }) => name),
    TOP + 2,
  );
  const top = TOP + names.height + 10;
  const at = {
    x: scale(xs[0] ?? 1, xs.at(-1) ?? 10, LEFT + 14, RIGHT),
    y: scale(yTicks[0] ?? 1, yTicks.at(-1) ?? 10, BOTTOM, top),
  };
  const nameX = xText ?? ((x: number) => x.toLocaleString('en'));
  const grid = [
    ...yTicks.flatMap((y) => [
      line(LEFT, at.y(y), RIGHT + 14, at.y(y), 'grid'),
      text(LEFT - 8, at.y(y) + 4, y.toLocaleString('en'), 'dim end'),
    ]),
    line(LEFT, BOTTOM, RIGHT + 14, BOTTOM, 'axis'),
    ...xs.flatMap((x) => [
      line(at.x(x), BOTTOM, at.x(x), BOTTOM + 5, 'axis'),
      text(at.x(x), BOTTOM + 20, nameX(x), 'dim middle'),
    ]),
    text((LEFT + RIGHT) / 2, BOTTOM + 42, xName, 'dim middle'),
  ];
  // Ours, which comes first, is drawn last: above the others.
  const drawn = lines.map(({ points: own }, index) => draw(own, index, at)).reverse();
  const description = lines
    .map(
      ({ name, points: own }) =>
        `${name}: ${own.map(({ x, y }) => `${figure(y)} at ${nameX(x)}`).join(', ')}`,
    )
    .join('; ');
  return frame({
    title,
    subtitle,
    description: `${subtitle}, by ${xName}. ${description}.`,
    height: HEIGHT,
    body: [...names.body, ...grid, ...drawn.flat()],
  });
}

function draw(
  points: Line['points'],
  series: number,
  at: Record<'x' | 'y', (value: number) => number>,
): string[] {
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${px(at.x(x))} ${px(at.y(y))}`);
  return [
    `<path class="line s${series}" d="${path.join('')}"/>`,
    ...points.map(({ x, y }) => `<circle class="f${series}" cx="${px(at.x(x))}" cy="${px(at.y(y))}" r="4"/>`),
  ];
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = Math.log(to) - Math.log(from) || 1;
  return (value) => start + ((Math.log(value) - Math.log(from)) / span) * (end - start);
}

/** Powers of ten that hold both values between them. */
function powers(least: number, most: number): number[] {
  const first = Math.floor(Math.log10(least));
  const last = Math.max(first + 1, Math.ceil(Math.log10(most)));
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number((10 ** (first + index)).toPrecision(1)),
  );
}
