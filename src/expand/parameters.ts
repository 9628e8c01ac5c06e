/** Hands the parameters of a built-in procedure over as the environment variables of the data's own tool. */

import { nearest } from '../api/nearest.ts';
import type { Problem } from '../api/problem.ts';
import type { Parameter, Procedure } from '../api/procedure.ts';
import { validate } from '../api/validate.ts';
import type { JsonObject } from '../krm/json.ts';
import { plaintext } from './access.ts';
import { Environment, escapeReferences } from './environment.ts';
import { isPlainCredential, type Values } from './values.ts';

const BASE = 'spec.vars.Params';

export interface Parameters {
  environment: Environment;
  /** Credentials that stood in vars in clear text, by variable name. */
  literals: Map<string, string>;
  /** Parameters whose text is known when rendering, defaults included. */
  texts: Map<string, string>;
  problems: Problem[];
}

/** `${NAME}` or `$NAME`: the original's shell expanded these in the pod. `$(...)` is another matter. */
const VARIABLE = /\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g;

/** The text with its references in the kubelet's way of writing, `$(NAME)`, and everything else as it is. */
function expanding(text: string): string {
  let written = '';
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    written += `${escapeReferences(text.slice(end, match.index))}$(${match[1] ?? match[2]})`;
    end = match.index + match[0].length;
  }
  return written + escapeReferences(text.slice(end));
}

function references(text: string): string[] {
  return [...text.matchAll(VARIABLE)].map((match) => match[1] ?? match[2] ?? '');
}

/** Whether the text is a reference and nothing else. */
function isReference(text: string): boolean {
  return /^\$(\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)$/.test(text);
}

/**
 * Checks the parameters against the procedure's schema and binds each to its variable. `available` are the names of
 * other variables of the pod, which values may refer to.
 */
export function planParameters(procedure: Procedure, values: Values, available: Environment): Parameters {
  const result: Parameters = {
    environment: new Environment(),
    literals: new Map(),
    texts: new Map(),
    problems: [],
  };
  const known = procedure.parameters.properties;
  const checked: JsonObject = {};
  for (const name of new Set(values.keysAt(['Params']))) {
    if (!Object.hasOwn(known, name)) result.problems.push(unknownParameter(procedure, name));
  }
  for (const [name, parameter] of Object.entries(known)) {
    const found = values.find(['Params', name]);
    if (found && 'map' in found) {
      result.problems.push({
        code: 'wrong-type',
        path: `${BASE}.${name}`,
        message: 'must be a single value',
      });
      checked[name] = placeholder(parameter);
    } else if (found && 'secret' in found) {
      result.environment.setSecret(parameter['x-env'], found.secret);
      checked[name] = placeholder(parameter);
    } else if (found && found.text !== '') {
      bindText(result, name, parameter, found.text, available);
      // A password may be anything. Any other text is what it will be in the pod, if it refers to nothing there.
      const final = !parameter['x-secret'] && references(found.text).length === 0;
      checked[name] = final ? found.text : placeholder(parameter);
    } else if (parameter.default !== undefined) {
      // A variable that the user gave by its own name goes before a default.
      if (available.has(parameter['x-env'])) continue;
      result.environment.set(parameter['x-env'], parameter.default);
      result.texts.set(name, parameter.default);
    } else if (values.openSecret !== undefined) {
      const required = procedure.parameters.required?.includes(name) ?? false;
      if (required) checked[name] = placeholder(parameter);
      const entry = { name: values.openSecret, key: `Params.${name}` };
      result.environment.setSecret(parameter['x-env'], required ? entry : { ...entry, optional: true });
    }
  }
  result.problems.push(...checkTexts(procedure, checked));
  return result;
}

function bindText(
  result: Parameters,
  name: string,
  parameter: Parameter,
  text: string,
  available: Environment,
): void {
  const path = `${BASE}.${name}`;
  const variable = parameter['x-env'];
  const secret = parameter['x-secret'] ?? isPlainCredential(['Params', name], text);
  const names = references(text);
  const unknown = names.find((reference) => !available.has(reference));
  if (names.length > 0 && unknown === undefined) {
    if (!names.includes(variable)) result.environment.setExpanding(variable, expanding(text));
    // Nothing but the variable itself: it has its value already, and set to itself it would lose it.
    else if (!isReference(text)) result.problems.push(selfReference(path, variable));
  } else if (secret) {
    result.literals.set(variable, text);
    result.problems.push(
      plaintext(path, `a Secret with the entry Params.${name}, named in spec.varsSecretRef`),
    );
  } else if (/\$\(|`/.test(text)) {
    result.problems.push({
      code: 'code-in-input',
      path,
      message:
        'would be a command to run: parameters of built-in procedures never reach a shell; write the value itself',
    });
  } else if (unknown !== undefined) {
    result.problems.push({
      code: 'not-found',
      path,
      message: `refers to $${unknown}, which is not set in the pod: set it in vars.HelmValues.env, or write the value itself`,
    });
  } else {
    result.environment.set(variable, text);
    result.texts.set(name, text);
  }
}

/** The pod cannot put a variable into itself. */
function selfReference(path: string, variable: string): Problem {
  const message = `goes into the variable ${variable}, and refers to it: write nothing but \${${variable}}, or give the variable of vars.HelmValues.env another name`;
  return { code: 'conflict', path, message };
}

function checkTexts(procedure: Procedure, checked: JsonObject): Problem[] {
  return validate(procedure.validator, checked, BASE).map((problem) => {
    if (problem.code !== 'missing-field') return problem;
    const name = problem.path?.split('.').at(-1) ?? '';
    const what = procedure.parameters.properties[name]?.description ?? '';
    return {
      ...problem,
      message: `is required by the procedure ${procedure.name}: ${what.replace(/\.$/, '')}`,
    };
  });
}

/** A value that passes the schema, for parameters whose real value is only known in the pod. */
function placeholder(parameter: Parameter): string {
  return (
    parameter.examples?.[0] ??
    parameter.default ??
    parameter.enum?.[0] ??
    (parameter.format === 'port' ? '1' : 'x')
  );
}

function unknownParameter(procedure: Procedure, name: string): Problem {
  const names = Object.keys(procedure.parameters.properties);
  const near = nearest(name, names);
  return {
    code: 'unknown-field',
    path: `${BASE}.${name}`,
    message: `the procedure ${procedure.name} has no such parameter; ${near ? `did you mean ${near}?` : `known: ${names.join(', ')}`}`,
    ...(near && { proposal: `${BASE}.${near}` }),
  };
}
