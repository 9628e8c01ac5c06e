/**
 * Results: what a function has to say about the objects it saw, as the ResourceList carries it.
 *
 * kpt prints them, four lines at most; kustomize shows nothing but stderr. So each message is one line, errors
 * come first, and what must not be missed is repeated on stderr.
 */
import type { Item } from './item.ts';
import type { JsonObject } from './json.ts';

/** How bad it is. An error fails the run; nothing else does. */
export type Severity = 'error' | 'warning' | 'info';

/** One result, in the shape of kustomize's functions-spec.md. */
export interface Result {
  /** For a person; no secrets. Written as one line. */
  message: string;
  severity: Severity;
  /** The object it is about. */
  resourceRef?: { apiVersion: string; kind: string; name: string; namespace?: string };
  /** The field it is about; the path in the form `spec.cronJob.schedule`. */
  field?: { path: string; currentValue?: string; proposedValue?: string };
  /** The file it is about: path relative to the package, index of the document within the file. */
  file?: { path: string; index?: number };
  /** Anything for machines, such as a rule's name. */
  tags?: Record<string, string>;
}

const rank: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

/** A copy with errors first, then warnings, then the rest; otherwise in the given order. */
export function sortResults(results: readonly Result[]): Result[] {
  return [...results].sort((a, b) => rank[a.severity] - rank[b.severity]);
}

/**
 * One line for each error and warning, without line feed, in the given order:
 * `error: app/backup.yaml: ScheduledBackup db/nightly: spec.schedule: message`.
 */
export function stderrLines(results: readonly Result[]): string[] {
  return results
    .filter(({ severity }) => severity !== 'info')
    .map(({ severity, file, resourceRef, field, message }) => {
      const object = resourceRef && describeObject(resourceRef);
      const parts = [severity, file?.path, object, field?.path, message];
      return parts.flatMap((part) => (part ? [oneLine(part)] : [])).join(': ');
    });
}

/** `Kind namespace/name`, or `Kind name` without a namespace. */
export function describeObject({
  kind,
  namespace,
  name,
}: {
  kind: string;
  namespace?: string;
  name: string;
}): string {
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

/** The members of a result that say which object and file it is about, for an item as it was read. */
export function aboutItem(item: Item): Pick<Result, 'resourceRef' | 'file'> {
  const { apiVersion, kind, namespace, name } = item.identity;
  const { path, index } = filePlace(item);
  const file = path === undefined ? {} : { file: index === undefined ? { path } : { path, index } };
  return { resourceRef: { apiVersion, kind, name, ...(namespace && { namespace }) }, ...file };
}

/**
 * Where kpt read an item from, if it says so. Items of a kustomize build come from no file that we may speak of: once
 * any function has run, kyaml gives them paths that it makes up, and whoever believed these would take the build for a
 * package, and what has lost its source for rubbish.
 */
export function filePlace({ annotations }: Item): { path: string | undefined; index: number | undefined } {
  if (annotations[kustomizeId] !== undefined) return { path: undefined, index: undefined };
  const path = annotations['internal.config.kubernetes.io/path'] ?? annotations['config.kubernetes.io/path'];
  const index =
    annotations['internal.config.kubernetes.io/index'] ?? annotations['config.kubernetes.io/index'];
  return { path, index: index !== undefined && /^\d{1,9}$/.test(index) ? Number(index) : undefined };
}

/** A result as plain data, its message made one line. */
export function resultValue(result: Result): JsonObject {
  const { message, severity, resourceRef, field, file, tags } = result;
  const members = { message: oneLine(message), severity, resourceRef, field, file, tags };
  return Object.fromEntries(Object.entries(members).flatMap(([key, value]) => (value ? [[key, value]] : [])));
}

const kustomizeId = 'kustomize.config.k8s.io/id';

const longestMessage = 1000;

/** Makes text a single printable line of at most 1000 characters: control characters are shown as escapes. */
export function oneLine(text: string): string {
  const line = text
    // More than is kept of it: looking for line breaks in a very long text of blanks would take for ever.
    .slice(0, 4 * longestMessage)
    .trim()
    .replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, escapeControl)
    .toWellFormed();
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage - 1).toWellFormed()}…`;
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
