/** What the function promises for any input at all. */
import { parseDocument } from 'yaml';
import { readResourceList } from '../../src/krm/resource-list.ts';
import { cpuMsSince, cpuTime } from '../cpu-time.ts';
import { expand } from '../resource-lists.ts';

export interface Run {
  exitCode: number;
  milliseconds: number;
  /** The promise that was broken; undefined if none was. */
  broken: string | undefined;
}

/** Of the processor: by the clock it takes longer where others want the processor too. */
const LONGEST_MILLISECONDS = 1000;

/** Runs the function once; `thorough` also reads the output with another parser and runs the function over it. */
export function tryInput(input: Uint8Array, thorough: boolean): Run {
  const start = cpuTime();
  try {
    const { stdout, stderr, exitCode } = expand(input);
    const milliseconds = cpuMsSince(start);
    const broken =
      milliseconds > LONGEST_MILLISECONDS
        ? `took ${Math.round(milliseconds)} ms`
        : brokenPromise(input, stdout, stderr, exitCode, thorough);
    return { exitCode, milliseconds, broken };
  } catch (error) {
    const broken = `threw ${error instanceof Error ? (error.stack ?? error.message) : error}`;
    return { exitCode: -1, milliseconds: cpuMsSince(start), broken };
  }
}

function brokenPromise(
  input: Uint8Array,
  stdout: string,
  stderr: string,
  exitCode: number,
  thorough: boolean,
): string | undefined {
  if (exitCode !== 0 && exitCode !== 1) return `exit ${exitCode}: ${stderr}`;
  if (/^\s+at /m.test(stderr)) return `stack trace: ${stderr}`;
  if (stderr.split('\n').some((line) => !/^((error|warning): \S.*)?$/.test(line))) return `stderr: ${stderr}`;
  if ((exitCode === 1) !== /^error: /m.test(stderr)) return `exit ${exitCode}, but: ${stderr}`;
  const output = readResourceList(stdout);
  if (exitCode === 1 && !equal(rawItems(output), originalItems(input)))
    return 'items were changed on failure';
  if (({} as Record<string, unknown>).polluted !== undefined || Object.keys(Object.prototype).length > 0)
    return 'a prototype was polluted';
  if (!thorough) return undefined;
  const parsed = parseDocument(stdout, { uniqueKeys: false, logLevel: 'error' });
  const fault = parsed.errors[0]?.message;
  // On failure the items are what came in, right or wrong.
  if (exitCode === 0 && fault && !parseDocument(decode(input) ?? '', { uniqueKeys: false }).errors[0])
    return `stdout is not YAML: ${fault}`;
  if (exitCode === 1) return undefined;
  const again = expand(stdout);
  if (again.exitCode !== 0) return `a second run fails: ${again.stderr}`;
  return equal(rawItems(readResourceList(again.stdout)), rawItems(output))
    ? undefined
    : 'a second run changes something';
}

/** The texts of the items; the last one may lack its line feed in the input. */
function rawItems({ items }: ReturnType<typeof readResourceList>): string[] {
  return items.map(({ raw }) => raw.replace(/\n?$/, '\n'));
}

/** None if the input is no ResourceList. */
function originalItems(input: Uint8Array): string[] {
  const text = decode(input);
  try {
    return text === undefined ? [] : rawItems(readResourceList(text));
  } catch {
    return [];
  }
}

function decode(input: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input);
  } catch {
    return undefined;
  }
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
