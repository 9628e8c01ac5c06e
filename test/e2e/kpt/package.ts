/** Real kpt, the way users run it, on packages made for one test. */
import { folderWith, type Ran, type RunOptions, remember, run, succeed } from '../sandbox.ts';

/** A Kptfile whose pipeline is these lines, indented by two. */
export function kptfile(pipeline = '  mutators:\n    - exec: expand-backups\n', name = 'shop'): string {
  return `apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: ${name}
pipeline:
${pipeline}`;
}

/** A package in a Git repository of its own, its files committed. */
export function packageWith(files: Record<string, string>, pipeline?: string): string {
  const folder = folderWith({ Kptfile: kptfile(pipeline), ...files });
  remember(folder);
  return folder;
}

/** Renders a package in place; it must succeed. Returns what kpt says. */
export function render(folder: string): string {
  const { code, stdout, stderr } = tryRender(folder);
  if (code !== 0) throw new Error(`kpt fn render exited ${code}:\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Renders a package in place, whatever comes of it. */
export function tryRender(folder: string, args: readonly string[] = [], options: RunOptions = {}): Ran {
  return run('kpt', ['fn', 'render', '--allow-exec', '--truncate-output=false', ...args, folder], options);
}

/** What `kpt fn eval` says. */
export function evaluate(folder: string, ...args: string[]): string {
  return succeed('kpt', ['fn', 'eval', folder, '--exec', 'expand-backups', ...args]);
}
