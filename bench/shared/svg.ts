/**
 * The frame of every chart: a card that brings its own background, so that it can be read wherever it is embedded, in the
 * colours that the reader's system asks for, with a title and a description for those who do not see it.
 */

export const WIDTH = 760;
export const MARGIN = 24;
/** Where the chart proper begins, below title and subtitle. */
export const TOP = 78;
const LEGEND_ROW = 20;

export interface Frame {
  title: string;
  /** Unit and direction, under the title. */
  subtitle: string;
  /** What the picture shows, in words, for those who do not see it. */
  description: string;
  height: number;
  body: readonly string[];
}

/** Colours by number of the series: ours is 0. All differ in brightness too, for those who do not see hues. */
const LIGHT = ['#0969da', '#818b98', '#bc4c00', '#8250df', '#2da44e', '#d4a72c'];
const DARK = ['#58a6ff', '#768390', '#f0883e', '#bc8cff', '#3fb950', '#e3b341'];
/** How many series can be told apart. */
export const SERIES = LIGHT.length;

const STYLE = `
text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.dim { fill: #59636e; font-size: 12px; }
.strong { font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.card { fill: #ffffff; stroke: #d1d9e0; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.axis { stroke: #818b98; stroke-width: 1; }
.whisker { stroke: #1f2328; stroke-width: 1.5; opacity: .55; }
.goal { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 5 4; }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
${series(LIGHT)}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.dim { fill: #9198a1; }
.card { fill: #0d1117; stroke: #3d444d; }
.grid { stroke: #30363d; }
.axis { stroke: #656c76; }
.whisker { stroke: #e6edf3; }
.goal { stroke: #ff7b72; }
${series(DARK)}
}`;

function series(colours: readonly string[]): string {
  return colours
    .map((colour, index) => `.f${index} { fill: ${colour}; } .s${index} { stroke: ${colour}; }`)
    .join('\n');
}

/** A whole document. */
export function frame({ title, subtitle, description, height, body }: Frame): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escapeXml(title)}</title>
<desc id="description">${escapeXml(description)}</desc>
<style>${STYLE}
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${text(MARGIN, 34, title, 'title')}
${text(MARGIN, 54, subtitle, 'dim')}
${body.join('\n')}
</svg>
`;
}

export function text(x: number, y: number, content: string, classes = ''): string {
  const of = classes === '' ? '' : ` class="${classes}"`;
  return `<text${of} x="${px(x)}" y="${px(y)}">${escapeXml(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, classes: string): string {
  return `<line class="${classes}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`;
}

/** Names of the series with their colours, in as many rows as they need; `y` is the base line of the first. */
export function legend(names: readonly string[], y: number): { body: string[]; height: number } {
  let x = MARGIN;
  let base = y;
  const body = names.flatMap((name, index) => {
    const width = 18 + widthOf(name, 12);
    if (x > MARGIN && x + width > WIDTH - MARGIN) {
      x = MARGIN;
      base += LEGEND_ROW;
    }
    const at = x;
    x += width + 20;
    return [
      `<rect class="f${index}" x="${px(at)}" y="${px(base - 10)}" width="12" height="12" rx="3"/>`,
      text(at + 18, base, name, 'dim'),
    ];
  });
  return { body, height: base - y + LEGEND_ROW };
}

/** About as wide as the text will be: fonts differ, and nothing here can ask them. */
export function widthOf(content: string, size = 13): number {
  return content.length * size * 0.6;
}

/** Round numbers from 0 to at least `most`, for an axis with about five of them. */
export function ticks(most: number): number[] {
  const raw = most / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw) ?? raw;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

export function px(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError('a chart cannot show what is no number');
  return String(Math.round(value * 10) / 10);
}

export function escapeXml(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
