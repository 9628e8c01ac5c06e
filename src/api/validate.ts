/** Checks a value against a compiled schema, and turns the validator's findings into sentences. */
import type { JsonValue } from '../krm/json.ts';
import { looksLikeCredential } from './credentials.ts';
import { fromPointer, joinPath } from './field-path.ts';
import { explainFormat } from './formats.ts';
import { nearest } from './nearest.ts';
import type { Problem } from './problem.ts';

/** The part of Ajv's error object (verbose mode) that is read here. */
export interface SchemaError {
  keyword: string;
  instancePath: string;
  params: Record<string, unknown>;
  propertyName?: string;
  data?: unknown;
  schema?: unknown;
  parentSchema?: { properties?: Record<string, unknown> } & Record<string, unknown>;
  message?: string;
}

/** A validator as `gen/validators.js` exports them. */
export interface Validator {
  (value: unknown): boolean;
  errors?: SchemaError[] | null;
}

/** All problems of `value`, none if it fits. `base` is the field path at which `value` stands. */
export function validate(validator: Validator, value: JsonValue, base = ''): Problem[] {
  if (validator(value)) return [];
  const problems = (validator.errors ?? []).flatMap((error) => describe(error, base) ?? []);
  const seen = new Set<string>();
  return problems.filter((problem) => {
    const key = `${problem.path}\n${problem.message}`;
    return !seen.has(key) && seen.add(key);
  });
}

function describe(error: SchemaError, base: string): Problem | undefined {
  const inner = fromPointer(error.instancePath);
  const path = base && inner ? `${base}${inner.startsWith('[') ? '' : '.'}${inner}` : base || inner;
  const { params, data } = error;
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(
        path,
        String(params.additionalProperty),
        Object.keys(error.parentSchema?.properties ?? {}),
      );
    case 'required': {
      const missing = String(params.missingProperty);
      return { code: 'missing-field', path: joinPath(path, missing), message: 'is required' };
    }
    case 'type':
      return wrongType(path, [params.type].flat().map(String), data);
    case 'const':
    case 'enum': {
      const allowed = (
        error.keyword === 'const' ? [params.allowedValue] : (params.allowedValues as unknown[])
      ).filter((option) => option !== null);
      const near = typeof data === 'string' ? nearest(data, allowed.map(String)) : undefined;
      const shown = show(data);
      return {
        code: 'invalid-value',
        path,
        message: `must be ${allowed.length > 1 ? 'one of ' : ''}${allowed.join(', ')}${shown ? `, is ${shown}` : ''}`,
        ...value(data),
        ...(near !== undefined && { proposal: near }),
      };
    }
    case 'format': {
      const name = String(params.format);
      const key = error.propertyName;
      const text = key ?? String(data);
      const reason = explainFormat(name, text) ?? `is not a valid ${name}`;
      const shown = show(text);
      return { code: 'invalid-value', path, message: shown ? `${shown}: ${reason}` : reason, ...value(text) };
    }
    case 'minimum':
    case 'maximum': {
      const bound = error.keyword === 'minimum' ? 'at least' : 'at most';
      return {
        code: 'invalid-value',
        path,
        message: `must be ${bound} ${params.limit}, is ${show(data)}`,
        ...value(data),
      };
    }
    case 'minItems':
      return { code: 'invalid-value', path, message: `must have at least ${params.limit} entry` };
    case 'minProperties':
    case 'maxProperties':
      return { code: 'invalid-value', path, message: 'must have a name and exactly one volume source' };
    case 'pattern':
      return { code: 'invalid-value', path, message: `must match ${params.pattern}`, ...value(data) };
    case 'propertyNames':
    case 'if':
      return undefined;
    default:
      return { code: 'invalid-value', path, message: error.message ?? `fails "${error.keyword}"` };
  }
}

/** The problem of a field that does not exist, with the name that was probably meant. */
export function unknownField(path: string, name: string, known: readonly string[]): Problem {
  const near = nearest(name, known) ?? extended(name, known);
  const hint = near ? `did you mean ${near}?` : `known: ${known.join(', ')}`;
  return {
    code: 'unknown-field',
    path: joinPath(path, name),
    message: `unknown field; ${hint}`,
    ...(near !== undefined && { proposal: joinPath(path, near) }),
  };
}

/** The only name that begins or ends with the word, or the other way round: schedule and scheduleEvery. */
function extended(word: string, known: readonly string[]): string | undefined {
  const fits = (long: string, short: string) =>
    short.length >= 4 && (long.startsWith(short) || long.endsWith(short));
  const lower = word.toLowerCase();
  const found = known.filter((name) => {
    const other = name.toLowerCase();
    return fits(other, lower) || fits(lower, other);
  });
  return found.length === 1 ? found[0] : undefined;
}

function wrongType(path: string, expected: readonly string[], data: unknown): Problem {
  const names = expected.filter((type) => type !== 'null');
  const proposal = names.includes('string') ? undefined : unquoted(names, data);
  const found = describeFound(data);
  const hint = proposal === undefined ? hintFor(names, data) : `: write ${proposal}`;
  return {
    code: 'wrong-type',
    path,
    message: `must be ${names.map(withArticle).join(' or ')}${found ? `, is ${found}` : ''}${hint}`,
    ...value(data),
    ...(proposal !== undefined && { proposal }),
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'a map',
  array: 'a list',
  integer: 'an integer',
};

function withArticle(type: string): string {
  return TYPE_NAMES[type] ?? `a ${type}`;
}

function describeFound(data: unknown): string | undefined {
  if (data === null) return 'empty';
  if (Array.isArray(data)) return 'a list';
  if (typeof data === 'object') return 'a map';
  return typeof data === 'string' ? show(data) : `the ${typeof data} ${data}`;
}

/** How it was written is not known any more: 8.0 has become 8, and yes has become true. */
function hintFor(names: readonly string[], data: unknown): string {
  const scalar = typeof data === 'number' || typeof data === 'boolean';
  if (names.includes('string') && scalar) return ': put it in quotes, so that it stays as it is written';
  if (names[0] === 'array' && typeof data === 'string')
    return ': write each entry on a line of its own, behind "- "';
  return '';
}

function unquoted(names: readonly string[], data: unknown): string | undefined {
  if (typeof data !== 'string') return undefined;
  if (names.includes('integer') && /^-?\d+$/.test(data)) return data;
  if (!names.includes('boolean')) return undefined;
  if (/^(true|yes|on|y)$/i.test(data)) return 'true';
  return /^(false|no|off|n)$/i.test(data) ? 'false' : undefined;
}

/** `user:password@host`, but not the digest of an image. */
const USER_INFO = /:[^\s@/]*@(?!sha\d+:)/;

/** What is looked at of a long text: far more than is ever shown of it. */
const MOST_LOOKED_AT = 1000;

/** A scalar as it may appear in a message: short, on one line, and never a credential. */
export function show(data: unknown): string | undefined {
  if (data === null || (typeof data !== 'string' && typeof data !== 'number' && typeof data !== 'boolean'))
    return undefined;
  const beginning = typeof data === 'string' ? data.slice(0, MOST_LOOKED_AT) : data;
  if (typeof beginning === 'string' && (looksLikeCredential(beginning) || USER_INFO.test(beginning)))
    return undefined;
  const text = JSON.stringify(beginning);
  return text.length > 80 ? `${text.slice(0, 76)}..."` : text;
}

function value(data: unknown): { value: string } | undefined {
  return show(data) === undefined ? undefined : { value: String(data).slice(0, 200) };
}
