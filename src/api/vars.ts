/**
 * `spec.vars` of a ScheduledBackup: Params, Repository and HelmValues, written as an object or, as in the
 * original, as a string of YAML. The roots are also accepted in lower case.
 */
import type { JsonObject, JsonValue } from '../krm/json.ts';
import { parseKubernetesYaml, YamlError } from '../krm/yaml.ts';
import { explainFormat } from './formats.ts';
import type { Problem } from './problem.ts';
import { unknownField } from './validate.ts';

export const ROOTS = ['Params', 'Repository', 'HelmValues'] as const;
export type Root = (typeof ROOTS)[number];

const REPOSITORY_FIELDS = ['url', 'token', 'encryptionKeyPath', 'passphrase', 'recipient', 'collectionId'];

/** Settings of the original's Helm chart that still mean something here. */
const HELM_FIELDS = ['env', 'image'];

/** The three maps; absent ones are empty. Values keep their types. */
export type Vars = Record<Root, JsonObject>;

/**
 * Reads `spec.vars`. What is wrong comes as problems; what could be read is returned all the same. Unless all of it is
 * `readable`, values may be missing that the user did write.
 */
export function parseVars(vars: JsonValue | undefined): {
  vars: Vars;
  problems: Problem[];
  readable: boolean;
} {
  const result: Vars = { Params: {}, Repository: {}, HelmValues: {} };
  const problems: Problem[] = [];
  const value = typeof vars === 'string' ? parseText(vars, problems) : vars;
  if (value === undefined || value === null)
    return { vars: result, problems, readable: problems.length === 0 };
  if (!isObject(value)) {
    problems.push({
      code: 'wrong-type',
      path: 'spec.vars',
      message: 'must be a map with Params, Repository and HelmValues',
    });
    return { vars: result, problems, readable: false };
  }
  for (const [key, content] of Object.entries(value)) {
    const root = canonicalRoot(key);
    if (!root) {
      problems.push(unknownField('spec.vars', key, ROOTS));
    } else if (content !== null && !isObject(content)) {
      problems.push({ code: 'wrong-type', path: `spec.vars.${key}`, message: 'must be a map' });
    } else if (content !== null) {
      result[root] = { ...result[root], ...content };
    }
  }
  const readable = problems.length === 0;
  problems.push(...checkRepository(result.Repository), ...checkHelmValues(result.HelmValues));
  return { vars: result, problems, readable };
}

/** The root as we spell it, whatever the case of its first letter; undefined if there is none of that name. */
export function canonicalRoot(name: string): Root | undefined {
  return ROOTS.find((root) => root.toLowerCase() === name.toLowerCase());
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A scalar as the text that a script or an environment variable gets: `true`, `5432`, the string itself.
 * Undefined for null, maps and lists, which have no such text.
 */
export function scalarText(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

function parseText(text: string, problems: Problem[]): JsonValue | undefined {
  try {
    return parseKubernetesYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    // The parser's message may quote the text, and the text may hold a password: only the line is named.
    problems.push({
      code: 'syntax',
      path: 'spec.vars',
      message: `line ${error.line} of the string is not valid YAML`,
    });
    return undefined;
  }
}

function checkRepository(repository: JsonObject): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(repository)) {
    const path = `spec.vars.Repository.${key}`;
    if (!REPOSITORY_FIELDS.includes(key))
      problems.push(unknownField('spec.vars.Repository', key, REPOSITORY_FIELDS));
    else if (value !== null && scalarText(value) === undefined) {
      problems.push({ code: 'wrong-type', path, message: 'must be a string' });
    }
  }
  return problems;
}

function checkHelmValues(values: JsonObject): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(values)) {
    const path = `spec.vars.HelmValues.${key}`;
    if (!HELM_FIELDS.includes(key)) {
      problems.push({
        code: 'ignored-field',
        path,
        message:
          'was a value of the original Helm chart and has no effect here: see spec.podTemplate and spec.cronJob',
      });
    } else if (key === 'env' && value !== null) {
      problems.push(...checkEnvironment(value));
    } else if (value !== null && key === 'image') {
      const reason = typeof value === 'string' ? explainFormat('image', value) : 'must be a string';
      if (reason) problems.push({ code: 'invalid-value', path, message: reason });
    }
  }
  return problems;
}

/**
 * The original ran `${...}` and `$(...)` in these values in a shell on the build machine. Nothing of the input is
 * ever run here, and passing such text through would silently mean something else.
 */
function checkEnvironment(env: JsonValue): Problem[] {
  if (!isObject(env)) {
    return [
      { code: 'wrong-type', path: 'spec.vars.HelmValues.env', message: 'must be a map of names to values' },
    ];
  }
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(env)) {
    const path = `spec.vars.HelmValues.env.${name}`;
    const text = scalarText(value);
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      problems.push({ code: 'invalid-value', path, message: 'is not a name of an environment variable' });
    }
    if (text === undefined && value !== null) {
      problems.push({ code: 'wrong-type', path, message: 'must be a string' });
    } else if (text !== undefined && /\$[{(]/.test(text)) {
      problems.push({
        code: 'code-in-input',
        path,
        message:
          'the original ran this in the shell of the build machine, which never happens here: write the value itself, ' +
          `or keep it in a Secret under the entry HelmValues.env.${name} and name that Secret in spec.varsSecretRef`,
      });
    }
  }
  return problems;
}
