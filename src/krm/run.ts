/**
 * Runs a function: bytes in, text and an exit code out. Nothing escapes from here: whatever happens, there is a
 * ResourceList for stdout, because kpt deletes a package whose function prints nothing and exits 0, and hides
 * stderr if it cannot read stdout.
 */
import { emitYaml } from './emit.ts';
import type { Item } from './item.ts';
import type { JsonObject } from './json.ts';
import { type ResourceList, ResourceListError, readResourceList } from './resource-list.ts';
import { type Result, resultValue, sortResults, stderrLines } from './result.ts';
import { writeResourceList } from './write.ts';

/** What a function does with a list; it may throw only if it has a bug. */
export type Transform = (list: ResourceList) => {
  outputs: readonly (Item | JsonObject)[];
  results: readonly Result[];
};

/** What the process is to print, and its exit code. */
export interface Outcome {
  /** One ResourceList; never empty. */
  stdout: string;
  /** Errors and warnings, a line each: the only thing kustomize and Argo CD show. */
  stderr: string;
  /** 0; 1 if there is an error result; 70 (EX_SOFTWARE) if the function threw. */
  exitCode: number;
}

/**
 * Reads the input, transforms it and writes the outcome. Results are sorted, errors first. With an error among
 * them, or after an exception, the items are the original ones. Input that is no ResourceList gives an empty one
 * and an error. Never throws.
 */
export function runFunction(input: Uint8Array, transform: Transform): Outcome {
  let list: ResourceList;
  try {
    list = readResourceList(decode(input));
  } catch (error) {
    if (error instanceof ResourceListError) return failure(undefined, error.message, 1, '');
    return failure(undefined, `internal error: ${messageOf(error)}`, 70, stackOf(error));
  }
  try {
    const { outputs, results } = transform(list);
    const sorted = sortResults(results);
    const failed = sorted[0]?.severity === 'error';
    const stdout = writeResourceList(list, failed ? list.items : outputs, sorted);
    return { stdout, stderr: lines(stderrLines(sorted)), exitCode: failed ? 1 : 0 };
  } catch (error) {
    return failure(list, `internal error: ${messageOf(error)}`, 70, stackOf(error));
  }
}

function decode(input: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input);
  } catch (error) {
    const tooLong = error instanceof Error && 'code' in error && error.code === 'ERR_STRING_TOO_LONG';
    throw new ResourceListError(
      tooLong ? 'standard input is larger than 512 MiB' : 'standard input is not valid UTF-8',
    );
  }
}

function failure(list: ResourceList | undefined, message: string, exitCode: number, stack: string): Outcome {
  const results: Result[] = [{ message, severity: 'error' }];
  const stdout = list ? writeResourceList(list, list.items, results) : emptyList(results);
  return { stdout, stderr: lines([...stderrLines(results), ...(stack ? [stack] : [])]), exitCode };
}

function emptyList(results: readonly Result[]): string {
  return emitYaml(
    {
      apiVersion: 'config.kubernetes.io/v1',
      kind: 'ResourceList',
      items: [],
      results: results.map(resultValue),
    },
    0,
  );
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}
