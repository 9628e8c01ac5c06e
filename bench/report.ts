/** Makes tables and charts of what was recorded. Measures nothing. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientCharts, renderClient } from './client/report.ts';
import { renderShortfalls } from './explanations.ts';
import { functionCharts, renderFunction } from './function/report.ts';
import { type Results, ratiosOf, shortfalls } from './ratios.ts';
import { serverCharts } from './server/charts.ts';
import { renderServer } from './server/report.ts';
import { replaceSection } from './shared/markdown.ts';
import { loadResults } from './shared/results.ts';

export function loadAll(): Results {
  return { function: loadResults('function'), client: loadResults('client'), server: loadResults('server') };
}

/** The text of bench/README.md with its measured sections renewed; those of parts that were never measured stay. */
export function renderReadme(text: string, results: Results): string {
  const sections: [string, string][] = [];
  if (results.function) sections.push(['measured-function', renderFunction(results.function)]);
  if (results.client) sections.push(['measured-client', renderClient(results.client)]);
  if (results.server) sections.push(['measured-server', renderServer(results.server)]);
  const ratios = ratiosOf(results);
  sections.push(['shortfalls', renderShortfalls(shortfalls(ratios), ratios.length)]);
  return sections.reduce((rendered, [name, body]) => replaceSection(rendered, name, body), text);
}

/** Charts by file name, without its ending. */
export function renderCharts(results: Results): Record<string, string> {
  return {
    ...(results.function && functionCharts(results.function)),
    ...(results.client && clientCharts(results.client)),
    ...(results.server && serverCharts(results.server)),
  };
}

/** Writes bench/README.md and bench/charts/. */
export function writeReport(results: Results = loadAll()): void {
  const readme = join(import.meta.dirname, 'README.md');
  writeFileSync(readme, renderReadme(readFileSync(readme, 'utf8'), results));
  const charts = join(import.meta.dirname, 'charts');
  // Anew, so that none stays of what is not measured any more.
  rmSync(charts, { recursive: true, force: true });
  mkdirSync(charts, { recursive: true });
  for (const [name, svg] of Object.entries(renderCharts(results)))
    writeFileSync(join(charts, `${name}.svg`), svg);
}
