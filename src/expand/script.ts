/** Renders one script of a ClusterBackupProcedureTemplate with the values of a ScheduledBackup. */
import { nearest } from '../api/nearest.ts';
import { MOST_PROBLEMS, type Problem } from '../api/problem.ts';
import { ROOTS } from '../api/vars.ts';
import type { Environment, Value } from './environment.ts';
import { type Filter, type Part, parsePlaceholders } from './placeholders.ts';
import { ShellQuotes } from './shell-quotes.ts';
import { isPlainCredential, type Values } from './values.ts';

export interface ScriptContext {
  values: Values;
  /** `Repository.*` as the pod will know it: paths, addresses, and Secret entries under their `BM_` names. */
  repository: ReadonlyMap<string, RepositoryValue>;
  /** Takes the variables that the rendered script reads. */
  environment: Environment;
  /** Takes credentials that stand in vars in clear text, by variable name, for the generated Secret. */
  literals: Map<string, string>;
  /** Variables bound so far, with the path that each stands for. */
  bound: Map<string, string>;
}

/** A text to put in place, or the environment variable that holds the value. */
export type RepositoryValue = { text: string } | { variable: string };

/** Lookups that the original filled in by itself; absent in vars does not make them an error. */
const REPOSITORY = 'Repository';

/** Kubernetes takes no larger ConfigMap. A few kilobytes in Git could ask for gigabytes otherwise. */
const MOST_SCRIPT_BYTES = 1024 * 1024;

/**
 * The script, whose placeholders must be known to be well-formed, with each of them replaced. Plain values are put in place as they are, as the original did;
 * what comes from a Secret, and what looks like a credential, becomes a reference to an environment variable.
 */
export function renderScript(script: string, context: ScriptContext): { text: string; problems: Problem[] } {
  const { parts } = parsePlaceholders(script);
  const problems: Problem[] = [];
  const quotes = new ShellQuotes();
  const pieces: string[] = [];
  let length = 0;
  for (const part of parts) {
    if (problems.length >= MOST_PROBLEMS) break;
    const piece = 'text' in part ? part.text : renderLookup(part, context, quotes, problems);
    length += piece.length;
    if (length > MOST_SCRIPT_BYTES) {
      problems.push(tooLarge(part));
      break;
    }
    quotes.read(piece);
    pieces.push(piece);
  }
  return { text: pieces.join(''), problems };
}

function tooLarge(part: Part): Problem {
  const where = 'text' in part ? '' : `line ${part.line}: `;
  return {
    code: 'invalid-value',
    message: `${where}the script is larger than 1 MiB with its values in place, which no ConfigMap can hold: keep large values in files or Secrets`,
  };
}

type Lookup = Exclude<Part, { text: string }>;

function renderLookup(
  part: Lookup,
  context: ScriptContext,
  quotes: ShellQuotes,
  problems: Problem[],
): string {
  const path = part.lookup;
  const fallback = part.filters.find((filter) => filter.name === 'default')?.argument;
  const source = resolve(path, context, fallback !== undefined);
  if (source === undefined && fallback === undefined) {
    problems.push(missing(part, context));
    return '';
  }
  if (source && 'problem' in source) {
    problems.push({
      code: 'invalid-value',
      message: `line ${part.line}: {{ .${path.join('.')} }} ${source.problem}`,
    });
    return '';
  }
  if (source && 'variable' in source) {
    problems.push(...checkSecretFilters(part));
    // Flux's substitution is switched off on the object that carries the script, so braces are safe here.
    const reference = `\${${source.variable}${fallback === undefined ? '' : `:-${fallback}`}}`;
    const last = part.filters.at(-1)?.name;
    if (last === 'quote' || last === 'squote') return `"${reference}"`;
    if (quotes.inSingleQuotes) {
      problems.push({
        code: 'suspicious',
        message:
          `line ${part.line}: {{ .${path.join('.')} }} comes from a Secret and becomes ${reference}, which the shell does not ` +
          'expand in single quotes: use double quotes',
      });
    }
    return reference;
  }
  return applyFilters(source?.text ?? '', part.filters);
}

type Source = { text: string } | { variable: string } | { problem: string } | undefined;

/** What only the pod knows cannot be changed here, and a default has to stand in the shell's own syntax. */
function checkSecretFilters({ lookup, filters, line }: Lookup): Problem[] {
  return filters.flatMap(({ name, argument = '' }): Problem[] => {
    const subject = `line ${line}: {{ .${lookup.join('.')} }} comes from a Secret`;
    if (name === 'upper' || name === 'lower' || name === 'trim')
      return [{ code: 'suspicious', message: `${subject}, so ${name} has no effect` }];
    if (name === 'default' && /["'`$\\{}\s]/.test(argument)) {
      const message = `${subject}, so its default must be without spaces, quotes, braces, $ and \\`;
      return [{ code: 'unsupported', message }];
    }
    return [];
  });
}

function resolve(path: readonly string[], context: ScriptContext, optional: boolean): Source {
  const [root, field = ''] = path;
  if (root === REPOSITORY && path.length === 2) {
    const value = context.repository.get(field);
    if (value) return value;
  }
  const found = context.values.find(path);
  if (found === undefined) return fromOpenSecret(path, context, optional);
  if ('map' in found) return { problem: 'is a map or a list: name one of its fields' };
  if ('text' in found && !isPlainCredential(path, found.text)) return found;
  return { variable: bind(path, found, context) };
}

/** A path that vars does not have may be an entry of the Secret whose entries are not known when rendering. */
function fromOpenSecret(path: readonly string[], context: ScriptContext, optional: boolean): Source {
  const { openSecret } = context.values;
  if (openSecret === undefined || path[0] !== 'Params' || path.length < 2) return undefined;
  return { variable: bind(path, { secret: { name: openSecret, key: path.join('.'), optional } }, context) };
}

function bind(path: readonly string[], value: Value, context: ScriptContext): string {
  let variable = variableName(path);
  const dotted = path.join('.');
  // Params.a-b and Params.a_b would get the same name.
  while ((context.bound.get(variable) ?? dotted) !== dotted) variable += '_';
  context.bound.set(variable, dotted);
  if ('secret' in value) context.environment.setSecret(variable, value.secret);
  else context.literals.set(variable, value.text);
  return variable;
}

/** `Params.db.pass-word` as BM_PARAMS_DB_PASS_WORD. */
export function variableName(path: readonly string[]): string {
  return `BM_${path.join('_').replace(/\W/g, '_').toUpperCase()}`;
}

function missing(part: Lookup, context: ScriptContext): Problem {
  const path = part.lookup;
  const parent = path.slice(0, -1);
  const known = [
    ...context.values.keysAt(parent),
    ...(parent.join('.') === REPOSITORY ? context.repository.keys() : []),
  ];
  const [root = ''] = path;
  if (!ROOTS.some((name) => name === root)) {
    const meant = nearest(root, ROOTS);
    const hint = meant
      ? `did you mean .${[meant, ...path.slice(1)].join('.')}?`
      : `it must begin with ${ROOTS.map((name) => `.${name}`).join(', ')}`;
    return {
      code: 'not-found',
      message: `line ${part.line}: {{ .${path.join('.')} }} has no value; ${hint}`,
    };
  }
  const near = nearest(path.at(-1) ?? '', known);
  const hint = near
    ? `; did you mean .${[...parent, near].join('.')}?`
    : `: set it in spec.vars of the ScheduledBackup`;
  return { code: 'not-found', message: `line ${part.line}: {{ .${path.join('.')} }} has no value${hint}` };
}

function applyFilters(text: string, filters: readonly Filter[]): string {
  return filters.reduce((value, filter) => {
    switch (filter.name) {
      case 'quote':
        return `"${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
      case 'squote':
        return `'${value}'`;
      case 'default':
        return value === '' ? (filter.argument ?? '') : value;
      case 'upper':
        return value.toUpperCase();
      case 'lower':
        return value.toLowerCase();
      default:
        return value.trim();
    }
  }, text);
}
