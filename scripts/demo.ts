/**
 * The quickest way to see what this is: renders a small real package and shows what became of each source; then makes a backup with what
 * is rendered, destroys the files, and restores them.
 *
 * kustomize or kpt do the rendering if one of them is there, as they would in production; otherwise a runner of our own
 * hands the files to the function in the same form. Writes nothing outside a temporary folder, which is gone at the end.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { explainMissing, runLoop } from './demo-loop.ts';

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
// Our programs are started from their sources, a dozen times: compiled once, they start twice as fast.
process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
// Whoever has seen enough: private keys are in there.
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

const rendered = render(folder);
console.log(`\n${bold('Sources')}, as a platform engineer keeps them in Git:\n`);
for (const file of sourceFiles())
  console.log(`${dim(`# ${file}`)}\n${readFileSync(join(example, file), 'utf8')}`);
console.log(`${bold('Rendered')} by ${rendered.by}: exactly what will run in the cluster\n`);
console.log(rendered.text);
console.log(`${bold('What became of each source')}\n`);
console.log(summary(rendered.text));
await showLoop();
console.log(`\nNext: ${dim('docs/kustomize.md or docs/kpt.md; docs/client.md and docs/server.md')}\n`);

async function showLoop(): Promise<void> {
  console.log(`${bold('And now for real')}: the rendered backup and restore run on this machine\n`);
  const missing = explainMissing();
  if (missing !== undefined) {
    console.log(`Left out, because ${missing}.`);
    return;
  }
  const entry = join(root, 'functions/expand-backups/main.ts');
  const loop = mkdtempSync(join(folder, 'loop-'));
  await runLoop({
    folder: loop,
    say: (line) => console.log(line),
    render: (sources) => {
      const list = listOf(sources.flatMap((text) => text.split(/^---\n/m)));
      return withoutSources(
        documentsOf(execFileSync(process.execPath, [entry], { input: list, encoding: 'utf8' })),
      );
    },
  });
}

/** The package after expansion, sources left out, as one stream of YAML documents. */
function render(into: string): { by: string; text: string } {
  cpSync(example, join(into, 'package'), { recursive: true });
  const program = join(into, 'expand-backups');
  const entry = join(root, 'functions/expand-backups/main.ts');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`);
  chmodSync(program, 0o755);
  const env = { ...process.env, PATH: `${into}${delimiter}${process.env.PATH}` };
  const run = (command: string, args: string[], input = '') =>
    execFileSync(command, args, { cwd: into, env, input, encoding: 'utf8' });
  if (has('kustomize')) {
    const text = run('kustomize', ['build', '--enable-alpha-plugins', '--enable-exec', 'package']);
    return { by: 'kustomize', text };
  }
  if (has('kpt')) {
    const text = run('kpt', ['fn', 'render', 'package', '--allow-exec', '--output', 'unwrap']);
    return { by: 'kpt', text: withoutSources(text) };
  }
  const text = documentsOf(run(program, [], resourceList()));
  return { by: 'our own runner, as neither kustomize nor kpt is installed', text: withoutSources(text) };
}

function has(command: string): boolean {
  return spawnSync(command, ['version']).error === undefined;
}

function sourceFiles(): string[] {
  const kustomization = parse(readFileSync(join(example, 'kustomization.yaml'), 'utf8')) as {
    resources: string[];
  };
  return kustomization.resources;
}

/** What kustomize and kpt send to a function: all objects, and its configuration, in one document. */
function resourceList(): string {
  const objects = sourceFiles().flatMap((file) => readFileSync(join(example, file), 'utf8').split(/^---\n/m));
  const config = readFileSync(join(example, 'expand-backups.yaml'), 'utf8').replace(/^(?=.)/gm, '  ');
  return `${listOf(objects)}functionConfig:\n${config}`;
}

function listOf(objects: readonly string[]): string {
  const items = objects.map(
    (text) =>
      `- ${text
        .replace(/^#.*\n/gm, '')
        .trim()
        .replaceAll('\n', '\n  ')}\n`,
  );
  return ['apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n', ...items].join('');
}

function documentsOf(list: string): string {
  const { items } = parse(list) as { items: Manifest[] };
  return items.map((item) => stringify(item, { lineWidth: 0 })).join('---\n');
}

/** Sources stay in a package for the next run; what is applied leaves them out. */
function withoutSources(text: string): string {
  const documents = text.split(/^---\n/m);
  const applied = (document: string) =>
    /^metadata:/m.test(document) && !/config\.kubernetes\.io\/local-config: ["']?true/.test(document);
  return documents.filter(applied).join('---\n');
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
  if (manifest.kind === 'Job') return spec?.suspend ? 'waits until suspend is set to false' : 'runs once';
  if (manifest.kind === 'NetworkPolicy')
    return 'name lookup, the data, and the server (by port, as its address is outside)';
  return '';
}
