/** What is wrong with something that a user wrote: one sentence each, with the place and the way out. */
import type { Item } from '../krm/item.ts';
import type { Result } from '../krm/result.ts';
import { CODES, type Code } from './codes.ts';

export interface Problem {
  code: Code;
  /** Lower case, one line, no full stop; says what to write instead. Never holds a secret value. */
  message: string;
  /** Path of the field in its object, such as `spec.cronJob.scheduleEvery`. */
  path?: string;
  /** The value found, if it may be shown. */
  value?: string;
  /** What to write instead. */
  proposal?: string;
}

/** The user's mistake as an exception, for programs that stop at the first one. Anything else thrown is a bug. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options);
    this.problem = problem;
  }

  /** Exit code of a program that stops because of this. */
  get exitCode(): number {
    return CODES[this.problem.code].exitCode;
  }
}

/** Of mistakes that all are of one sort, in one text: more than anybody reads. */
export const MOST_PROBLEMS = 20;

/** True if at least one problem stops the expansion. */
export function hasError(problems: readonly Problem[]): boolean {
  return problems.some((problem) => CODES[problem.code].severity === 'error');
}

/** The problem as an entry of a ResourceList's `results`, as the KRM function specification lays it out. */
export function toResult(problem: Problem, item?: Item): Result {
  const result: Result = {
    message: problem.message,
    severity: CODES[problem.code].severity,
    tags: { rule: problem.code },
  };
  if (item) {
    const { apiVersion, kind, namespace, name } = item.identity;
    if (kind) result.resourceRef = { apiVersion, kind, name, ...(namespace && { namespace }) };
    const path = filePath(item);
    if (path) result.file = { path, ...fileIndex(item) };
  }
  if (problem.path) {
    result.field = {
      path: problem.path,
      ...(problem.value !== undefined && { currentValue: problem.value }),
      ...(problem.proposal !== undefined && { proposedValue: problem.proposal }),
    };
  }
  return result;
}

/** The file that an item came from, as the orchestrator annotated it; undefined under kustomize, which does not. */
export function filePath(item: Item): string | undefined {
  const { annotations } = item;
  return annotations['internal.config.kubernetes.io/path'] ?? annotations['config.kubernetes.io/path'];
}

function fileIndex(item: Item): { index: number } | undefined {
  const { annotations } = item;
  const text =
    annotations['internal.config.kubernetes.io/index'] ?? annotations['config.kubernetes.io/index'];
  return text !== undefined && /^\d+$/.test(text) ? { index: Number(text) } : undefined;
}
