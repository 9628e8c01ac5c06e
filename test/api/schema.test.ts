/** Our own check of schemas against Ajv's: the same findings, in the same order, for right and wrong values alike. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type AnySchemaObject } from 'ajv';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { procedures } from '../../gen/procedures.ts';
import * as serverValidators from '../../gen/server-validators.js';
import * as validators from '../../gen/validators.js';
import { formats } from '../../src/api/formats.ts';
import { type Validator, validate } from '../../src/api/validate.ts';
import type { JsonObject, JsonValue } from '../../src/krm/json.ts';

const root = join(import.meta.dirname, '../..');
const schemas = globSync('schemas/*.json', { cwd: root })
  .map((file) => JSON.parse(readFileSync(join(root, file), 'utf8')) as AnySchemaObject)
  .filter((schema) => schema.$id);
const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  inlineRefs: false,
  allowUnionTypes: true,
  schemas,
  formats,
  keywords: ['x-env', 'x-secret'],
});

/** Every validator that there is, by name, with the schema that it came from. */
const ours = Object.entries({ ...validators, ...serverValidators } as Record<string, Validator>);
const pairs = ours.map(([name, validator]) => {
  const procedure = procedures.find((entry) => name === `parametersOf_${entry.name}`);
  const schema = procedure?.parameters ?? schemas.find(({ title }) => title === name);
  if (!schema) throw new Error(`no schema for ${name}`);
  const compiled = ajv.compile(schema.$id ? { $ref: schema.$id as string } : { ...schema });
  return { name, validator, schema: schema as AnySchemaObject, compiled: compiled as unknown as Validator };
});

const text = fc.constantFrom(
  ...['', 'a', 'A_b', '-x', 'postgres:16', 'https://example.org', '512Mi', '0 2 * * *', 'Europe/Warsaw'],
  ...[
    'Params.password',
    'key.pub',
    'latest',
    '5432',
    '/data',
    'true',
    '7',
    'a/b',
    'backup',
    'restore',
    'internal',
  ],
);
const junk: fc.Arbitrary<JsonValue> = fc.oneof(
  text,
  fc.constantFrom<JsonValue>(null, true, 0, -1, 1.5, 70000, [], {}, [1], { a: 1 }),
);

/** Values that nearly fit: right in most places, and with every kind of mistake in the others. */
function nearly(schema: AnySchemaObject, file: string): fc.Arbitrary<JsonValue> {
  if (schema.$ref) return nearly(...resolve(schema.$ref as string, file));
  const fitting = fits(schema, file);
  return fc.oneof({ weight: 9, arbitrary: fitting }, { weight: 1, arbitrary: junk });
}

function fits(schema: AnySchemaObject, file: string): fc.Arbitrary<JsonValue> {
  if (schema.const !== undefined) return fc.constant(schema.const as JsonValue);
  if (schema.enum) return fc.constantFrom(...(schema.enum as JsonValue[]));
  const type = [schema.type].flat()[0];
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer' || type === 'number') return fc.constantFrom(0, 1, 3, 100, 65536);
  if (type === 'array') return fc.array(nearly(schema.items ?? {}, file), { maxLength: 2 });
  if (type !== 'object') return text;
  const known = Object.entries((schema.properties ?? {}) as Record<string, AnySchemaObject>);
  const extra = schema.additionalProperties ? nearly(schema.additionalProperties, file) : junk;
  const members = Object.fromEntries(known.map(([name, inner]) => [name, nearly(inner, file)]));
  return fc
    .tuple(
      fc.record(members, { requiredKeys: [] }),
      fc.record(members, { requiredKeys: schema.required ?? [] }),
      fc.dictionary(text, extra, { maxKeys: known.length > 0 ? 1 : 3 }),
      fc.nat(9),
    )
    .map(
      ([few, all, odd, choice]) =>
        ({ ...(choice < 3 ? few : all), ...(choice % 5 === 0 && odd) }) as JsonObject,
    );
}

function resolve(ref: string, from: string): [AnySchemaObject, string] {
  const [file, pointer = ''] = ref.startsWith('#') ? [from, ref.slice(1)] : ref.split('#');
  let at: AnySchemaObject | undefined = schemas.find(({ $id }) => $id === file);
  for (const step of pointer.split('/').slice(1)) at = at?.[step];
  return [at ?? {}, file ?? ''];
}

for (const { name, validator, schema, compiled } of pairs) {
  test(`${name}: the same findings as Ajv's`, () => {
    let wrong = 0;
    fc.assert(
      fc.property(nearly(schema, (schema.$id as string) ?? ''), (value) => {
        const expected = validate(compiled, value);
        if (expected.length > 0) wrong++;
        assert.equal(validate(validator, value), expected);
        assert.is(validator(value), expected.length === 0);
      }),
      { numRuns: 80, endOnFailure: true },
    );
    assert.ok(wrong > 6, `only ${wrong} wrong values were tried`);
  });
}

test.run();
