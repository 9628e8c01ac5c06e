/**
 * Checks values against the schemas of `schemas/`: the part of JSON Schema draft 7 that they use, and no more.
 *
 * Why not code that Ajv compiled: 300 KB of it for these schemas, which V8 had to read at every start, for 6 ms of a
 * program that should take 30. This takes the schemas as they are. scripts/generate.ts refuses keywords that are not
 * known here, and test/api/schema.test.ts holds it to Ajv's answers.
 */
import { formats } from './formats.ts';
import type { SchemaError, Validator } from './validate.ts';

export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  const?: unknown;
  enum?: readonly unknown[];
  maximum?: number;
  minimum?: number;
  pattern?: string;
  format?: string;
  minItems?: number;
  items?: Schema;
  maxProperties?: number;
  minProperties?: number;
  required?: readonly string[];
  propertyNames?: Schema;
  additionalProperties?: boolean | Schema;
  properties?: Readonly<Record<string, Schema>>;
}

/** Every keyword that is understood. */
export const KEYWORDS = [
  ...['$ref', 'type', 'const', 'enum', 'maximum', 'minimum', 'pattern', 'format', 'minItems', 'items'],
  ...['maxProperties', 'minProperties', 'required', 'propertyNames', 'additionalProperties', 'properties'],
];

/** A validator for the schema, whose references are keys of `definitions`. */
export function validatorOf(schema: Schema, definitions: Readonly<Record<string, Schema>>): Validator {
  const validator: Validator = (value) => {
    const check = new Check(definitions);
    check.value(value, schema, '');
    validator.errors = check.errors.length > 0 ? check.errors : null;
    return check.errors.length === 0;
  };
  return validator;
}

/** One value being checked; errors come in Ajv's order. */
class Check {
  readonly errors: SchemaError[] = [];
  readonly #definitions: Readonly<Record<string, Schema>>;

  constructor(definitions: Readonly<Record<string, Schema>>) {
    this.#definitions = definitions;
  }

  value(data: unknown, schema: Schema, path: string, propertyName?: string): void {
    const referred = schema.$ref === undefined ? undefined : this.#definitions[schema.$ref];
    // Draft 7: what stands beside a reference means nothing.
    if (referred) this.value(data, referred, path, propertyName);
    else this.#keywords(data, schema, path, propertyName);
  }

  #keywords(data: unknown, schema: Schema, path: string, propertyName: string | undefined): void {
    const fail: Fail = (keyword, params) => {
      const key = propertyName === undefined ? {} : { propertyName };
      this.errors.push({ keyword, instancePath: path, params, data, parentSchema: { ...schema }, ...key });
    };
    if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(data, type)))
      fail('type', { type: schema.type });
    if (typeof data === 'number') {
      if (schema.maximum !== undefined && data > schema.maximum) fail('maximum', { limit: schema.maximum });
      if (schema.minimum !== undefined && data < schema.minimum) fail('minimum', { limit: schema.minimum });
    }
    if (typeof data === 'string') {
      const { pattern, format } = schema;
      if (pattern !== undefined && !new RegExp(pattern, 'u').test(data)) fail('pattern', { pattern });
      if (format !== undefined && !formats[format]?.(data)) fail('format', { format });
    }
    if (schema.const !== undefined && data !== schema.const) fail('const', { allowedValue: schema.const });
    if (schema.enum && !schema.enum.includes(data)) fail('enum', { allowedValues: schema.enum });
    if (Array.isArray(data)) this.#list(data, schema, path, fail);
    else if (isMap(data)) this.#map(data, schema, path, fail);
  }

  #list(data: readonly unknown[], schema: Schema, path: string, fail: Fail): void {
    const { items, minItems } = schema;
    if (minItems !== undefined && data.length < minItems) fail('minItems', { limit: minItems });
    if (items) for (const [index, entry] of data.entries()) this.value(entry, items, `${path}/${index}`);
  }

  #map(data: Readonly<Record<string, unknown>>, schema: Schema, path: string, fail: Fail): void {
    const { properties = {}, propertyNames, additionalProperties, maxProperties, minProperties } = schema;
    const keys = Object.keys(data);
    if (maxProperties !== undefined && keys.length > maxProperties)
      fail('maxProperties', { limit: maxProperties });
    if (minProperties !== undefined && keys.length < minProperties)
      fail('minProperties', { limit: minProperties });
    for (const missingProperty of schema.required ?? [])
      if (!Object.hasOwn(data, missingProperty)) fail('required', { missingProperty });
    if (propertyNames) for (const key of keys) this.value(key, propertyNames, path, key);
    for (const key of keys) {
      if (Object.hasOwn(properties, key)) continue;
      if (additionalProperties === false) fail('additionalProperties', { additionalProperty: key });
      else if (typeof additionalProperties === 'object')
        this.value(data[key], additionalProperties, `${path}/${escapePointer(key)}`);
    }
    for (const [key, property] of Object.entries(properties))
      if (Object.hasOwn(data, key)) this.value(data[key], property, `${path}/${escapePointer(key)}`);
  }
}

type Fail = (keyword: string, params: Record<string, unknown>) => void;

function isOfType(data: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return data === null;
    case 'array':
      return Array.isArray(data);
    case 'object':
      return isMap(data);
    case 'integer':
      return Number.isInteger(data);
    default:
      return typeof data === type;
  }
}

function isMap(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

/** A key as a part of a JSON Pointer (RFC 6901). */
function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
