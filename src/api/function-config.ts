/** Settings of the function: from a typed `ExpandBackups`, or from a ConfigMap whose values are all strings. */
import type { ExpandBackupsSpec } from '../../gen/types.ts';
import { ExpandBackups as validator } from '../../gen/validators.js';
import type { JsonObject, JsonValue } from '../krm/json.ts';
import { parseKubernetesYaml, YamlError } from '../krm/yaml.ts';
import { API_VERSION } from './kinds.ts';
import type { Problem } from './problem.ts';
import { validate } from './validate.ts';
import { isObject } from './vars.ts';

export type FunctionConfig = ExpandBackupsSpec;

const BOOLEANS = ['serviceAccount', 'networkPolicy', 'requireReferences', 'requireRestoreConfirmation'];
/** Written as a string of YAML where there are only strings. */
const MAPS = ['podTemplate', 'serverConfiguration'];

/**
 * Reads the functionConfig of a ResourceList; absent means all defaults. Paths of problems are those of the
 * object that the user wrote.
 */
export function readFunctionConfig(object: JsonObject | undefined): {
  config: FunctionConfig;
  problems: Problem[];
} {
  if (object === undefined) return { config: {}, problems: [] };
  if (object.kind === 'ConfigMap' && object.apiVersion === 'v1') return readConfigMap(object);
  if (object.kind === 'ExpandBackups') {
    const problems = validate(validator, object);
    return { config: problems.length === 0 ? ((object.spec ?? {}) as FunctionConfig) : {}, problems };
  }
  const found = `${object.apiVersion ?? ''} ${object.kind ?? ''}`.trim() || 'an object without a kind';
  return {
    config: {},
    problems: [
      {
        code: 'invalid-value',
        path: 'functionConfig',
        message: `is ${found}, must be a v1 ConfigMap or ${API_VERSION} ExpandBackups`,
      },
    ],
  };
}

function readConfigMap(object: JsonObject): { config: FunctionConfig; problems: Problem[] } {
  const problems: Problem[] = [];
  if (object.binaryData !== undefined) {
    problems.push({
      code: 'unknown-field',
      path: 'functionConfig.binaryData',
      message: 'is not read: write strings into data',
    });
  }
  const data = object.data ?? {};
  if (!isObject(data)) {
    problems.push({ code: 'wrong-type', path: 'functionConfig.data', message: 'must be a map of strings' });
    return { config: {}, problems };
  }
  const spec: JsonObject = {};
  for (const [key, value] of Object.entries(data)) {
    if (typeof value !== 'string') {
      problems.push({
        code: 'wrong-type',
        path: `functionConfig.data.${key}`,
        message: `must be a string: write "${typeof value === 'object' ? '...' : value}"`,
      });
      continue;
    }
    try {
      spec[key] = fromString(key, value);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      problems.push({
        code: 'syntax',
        path: `functionConfig.data.${key}`,
        message: `line ${error.line} of the string is not valid YAML`,
      });
    }
  }
  const typed = { apiVersion: API_VERSION, kind: 'ExpandBackups', spec };
  for (const problem of validate(validator, typed)) {
    const path = configPath(object, problem.path ?? '');
    problems.push({
      ...problem,
      path,
      // A ConfigMap holds strings only.
      message: problem.message.replace(/: write (true|false)$/, ': write "$1"'),
      ...(problem.proposal !== undefined && { proposal: problem.proposal.replace(/^spec\./, '') }),
    });
  }
  return { config: problems.length === 0 ? (spec as FunctionConfig) : {}, problems };
}

function fromString(key: string, value: string): JsonValue {
  if (BOOLEANS.includes(key) && (value === 'true' || value === 'false')) return value === 'true';
  return MAPS.includes(key) ? parseKubernetesYaml(value) : value;
}

/** The path of a field of an `ExpandBackups` as it is in the configuration that the user wrote, of whichever kind. */
export function configPath(object: JsonObject | undefined, path: string): string {
  return object?.kind === 'ConfigMap' ? path.replace(/^spec/, 'functionConfig.data') : path;
}
