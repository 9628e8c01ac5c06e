/**
 * What our function makes of one ScheduledBackup, turned round into a template, so that peers that expand templates
 * write the same objects: an equivalent Helm chart, and the Go function in go-peer/.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceList } from './input.ts';

/** What a source of `input.ts` says, by the name that the template has for it. Longer texts stand before their parts. */
const VALUES: Readonly<Record<string, string>> = {
  recipient: 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  url: 'https://backups.example.org',
  passwordSecret: 'shop-database',
  hostname: 'postgres-0',
  name: 'shop-0',
  timeZone: 'Europe/Warsaw',
  schedule: '30 2 * * *',
  accessKey: 'backup-access',
};

/** The objects that the function generates for one source, with `{{ .name }}` and so on where the source decides. */
export function templateOf(node: string, bundle: string): string {
  const { stdout, stderr, status } = spawnSync(node, [bundle], {
    input: resourceList(1, 0),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${bundle} failed: ${stderr}`);
  const [, items = ''] = stdout.split('\nitems:\n');
  const [generated = ''] = items.split('\nresults:\n');
  // The first item is the source itself.
  const objects = `\n${generated}`.split('\n- ').slice(2);
  let text = objects.map((object) => object.replaceAll('\n  ', '\n').trimEnd()).join('\n---\n');
  if (text.includes('{{'))
    throw new Error('the generated objects hold {{, which a template would not leave alone');
  for (const [name, value] of Object.entries(VALUES)) {
    if (!text.includes(value)) throw new Error(`the generated objects do not hold ${value}`);
    text = text.replaceAll(value, `{{ .${name} }}`);
  }
  return `${text}\n`;
}

/** Writes a chart that makes the same objects of a list of backups, and returns its folder. */
export function writeChart(folder: string, template: string): string {
  const chart = join(folder, 'chart');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: backups\nversion: 1.0.0\n');
  writeFileSync(
    join(chart, 'templates/backups.yaml'),
    `{{- range .Values.backups }}\n---\n${template}{{- end }}\n`,
  );
  return chart;
}

/** Values for that many backups: what the sources of `resourceList` say. */
export function chartValues(count: number): string {
  const backups = Array.from({ length: count }, (_, index) => {
    const fields = { ...VALUES, name: `shop-${index}`, hostname: `postgres-${index}` };
    const lines = Object.entries(fields).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`);
    return `-${lines.join('').slice(1)}`;
  });
  return `backups:\n${backups.join('')}`;
}
