/**
 * Renders a small real package and shows what became of each source: the quickest way to see what the function does.
 *
 * kustomize or kpt do the work if one of them is there, as they would in production; otherwise a runner of our own
 * hands the files to the function in the same form. Writes nothing outside a temporary folder.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';

const root = join(import.meta.dirname, '..');
const example = join(root, 'functions/expand-backups/examples/postgres-and-files');
const bold = process.stdout.isTTY ? (text: string) => `\u001b[1m${text}\u001b[0m` : (text: string) => text;
const dim = process.stdout.isTTY ? (text: string) => `\u001b[2m${text}\u001b[0m` : (text: string) => text;

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  [field: string]: unknown;
}

const folder = mkdtempSync(join(tmpdir(), 'backup-maker-demo-'));
try {
  const rendered = render(folder);
  console.log(`\n${bold('Sources')}, as a platform engineer keeps them in Git:\n`);
  for (const file of sourceFiles(example))
    console.log(`${dim(`# ${file}`)}\n${readFileSync(join(example, file), 'utf8')}`);
  console.log(`${bold('Rendered')} by ${rendered.by}: exactly what will run in the cluster\n`);
  console.log(rendered.text);
  console.log(`${bold('What became of each source')}\n`);
  console.log(summary(rendered.text));
  console.log(`Next: ${dim('docs/kustomize.md or docs/kpt.md')}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The package after expansion, sources left out, as one stream of YAML documents. */
function render(into: string): { by: string; text: string } {
  cpSync(example, join(into, 'package'), { recursive: true });
  const program = join(into, 'expand-backups');
  writeFileSync(
    program,
    `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'functions/expand-backups/main.ts')}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  cpSync(join(root, 'components'), join(into, 'components'), { recursive: true });
  const env = { ...process.env, PATH: `${into}${delimiter}${process.env.PATH}` };
  const run = (command: string, args: string[]) =>
    execFileSync(command, args, { cwd: into, env, encoding: 'utf8' });
  if (has('kustomize')) {
    writeFileSync(join(into, 'kustomization.yaml'), kustomization(into));
    return {
      by: 'kustomize',
      text: run('kustomize', ['build', '--enable-alpha-plugins', '--enable-exec', '.']),
    };
  }
  if (has('kpt')) {
    const text = run('kpt', ['fn', 'render', 'package', '--allow-exec', '--output', 'unwrap']);
    return { by: 'kpt', text: withoutSources(text) };
  }
  return {
    by: 'our own runner (neither kustomize nor kpt is installed)',
    text: withoutSources(runAlone(program)),
  };
}

function has(command: string): boolean {
  return spawnSync(command, ['version']).error === undefined;
}

function sourceFiles(path: string): string[] {
  return globSync('**/*.yaml', { cwd: path })
    .filter((file) => !/(^|\/)(Kptfile|kustomization\.yaml|\.)/.test(file))
    .sort();
}

function kustomization(into: string): string {
  const resources = sourceFiles(join(into, 'package')).map((file) => `  - package/${relative('.', file)}\n`);
  return `resources:\n${resources.join('')}components:\n  - components/expand-backups\n`;
}

/** What kustomize and kpt do: all objects in one ResourceList on standard input. */
function runAlone(program: string): string {
  const documents = sourceFiles(example).flatMap((file) =>
    readFileSync(join(example, file), 'utf8').split(/^---\n/m),
  );
  const items = documents
    .filter((text) => /^\w/m.test(text))
    .map(
      (text) =>
        `- ${text
          .replace(/^#.*\n/gm, '')
          .trim()
          .replaceAll('\n', '\n  ')}\n`,
    );
  const input = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}`;
  const output = execFileSync(program, { input, encoding: 'utf8' });
  const begin = output.indexOf('items:\n') + 'items:\n'.length;
  const end = output.indexOf('\nresults:');
  return output
    .slice(begin, end < 0 ? undefined : end)
    .split(/^- /m)
    .filter((item) => item.trim() !== '')
    .map((item) => item.replace(/^ {2}/gm, ''))
    .join('---\n');
}

/** Sources stay in the package for the next run; a build leaves them out. */
function withoutSources(text: string): string {
  return text
    .split(/^---\n/m)
    .filter(
      (document) =>
        !/config\.kubernetes\.io\/local-config: ["']?true/.test(document) &&
        !/^kind: Kptfile/m.test(document),
    )
    .join('---\n');
}

function summary(text: string): string {
  const owners = new Map<string, Manifest[]>();
  for (const document of parseAllDocuments(text)) {
    const manifest = document.toJS() as Manifest | null;
    const owner = manifest?.metadata.annotations?.['riotkit.org/generated-by'];
    if (manifest && owner) owners.set(owner, [...(owners.get(owner) ?? []), manifest]);
  }
  let lines = '';
  for (const [owner, manifests] of owners) {
    lines += `${bold(owner)}\n`;
    for (const [index, manifest] of manifests.entries()) {
      const branch = index === manifests.length - 1 ? '└─' : '├─';
      lines += `  ${branch} ${manifest.kind} ${manifest.metadata.name}  ${dim(describe(manifest))}\n`;
    }
    lines += '\n';
  }
  return lines;
}

/** The one thing about a manifest that tells what it is for. */
function describe(manifest: Manifest): string {
  const { data, spec } = manifest as {
    data?: object;
    spec?: { schedule?: string; timeZone?: string; suspend?: boolean };
  };
  if (data) return Object.keys(data).join(', ');
  if (spec?.schedule) return `at ${spec.schedule}${spec.timeZone ? ` ${spec.timeZone}` : ''}`;
  if (manifest.kind === 'Job') return spec?.suspend ? 'waits until suspend is removed' : 'runs once';
  return '';
}
